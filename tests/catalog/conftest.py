"""What tests of the catalog share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lkcook import catalog



@pytest.fixture
def forgetful() -> Iterator[None]:
    """What was read from the SDK is read anew, before and after."""
    catalog.ids.cache_clear(), catalog._entries.cache_clear()
    yield
    catalog.ids.cache_clear(), catalog._entries.cache_clear()
