"""A clock that moves only when somebody sleeps, so that minutes of real time pass at once."""

from __future__ import annotations

import asyncio

import pytest


class Clock:
    """Stands in for `time` and for asyncio.sleep. `now` is what both of its clocks show, an hour apart."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now + 3600


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that callers and listeners see."""
    clock, really_sleep = Clock(), asyncio.sleep

    async def sleep(seconds: float) -> None:
        clock.now += seconds
        await really_sleep(0)

    for module in ("caller", "listener"):
        monkeypatch.setattr(f"lkcook.audio.{module}.time", clock)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    return clock
