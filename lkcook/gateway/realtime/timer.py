"""One thing that happens later, unless something else happens first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Timer:
    """At most one call is pending."""

    def __init__(self) -> None:
        self._pending: asyncio.TimerHandle | None = None

    def start(self, seconds: float, then: Callable[[], object]) -> None:
        """Call `then` after `seconds`, instead of what was pending."""
        self.stop()
        self._pending = asyncio.get_running_loop().call_later(seconds, then)

    def stop(self) -> None:
        """Nothing is pending any more."""
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None
