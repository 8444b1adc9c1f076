"""Every canceller, in every test that asks for one; and none is left out without its reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import lkcook
from lkcook.noise.canceller import Canceller
from lkcook.noise.catalogue import CORES, missing


@pytest.fixture(params=CORES)
def name(request: pytest.FixtureRequest) -> str:
    if remedy := missing(CORES[request.param]):
        pytest.skip(f"the noise canceller {request.param} is not here. {remedy}")
    return request.param


@pytest.fixture
def new(name: str) -> Callable[..., Canceller]:
    """Makes one more of them."""
    return lambda **options: lkcook.canceller(name, **options)


@pytest.fixture
def canceller(new: Callable[..., Canceller]) -> Canceller:
    return new()
