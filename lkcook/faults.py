"""Let a model fail on purpose, to see what a fallback does."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from lkcook import backend


@contextlib.contextmanager
def failing(*models: str, status: int = 503) -> Iterator[None]:
    """While the block runs, the embedded gateway refuses `models` to this notebook (and to nobody else).

    status: 503 (down), 500, or 429 (quota used up). The environment variable LKCOOK_FAIL does the same from outside.
    Raises BackendError on LiveKit Cloud, whose models only fail by themselves.
    """
    backend.fail(models, status)
    try:
        yield
    finally:
        backend.fail(backend.fails_by_environment())
