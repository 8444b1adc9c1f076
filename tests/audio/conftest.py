"""A clock that jumps to the next moment somebody waits for, so that minutes pass at once and to the microsecond."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from tests.audio.page import Page
from tests.audio.portaudio import portaudio

__all__ = ["portaudio"]

_really_sleep = asyncio.sleep


class Clock:
    """Stands in for `time` and for asyncio.sleep; its two clocks are an hour apart. Add to `now` for a stall."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = itertools.count()

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now + 3600

    async def sleep(self, seconds: float) -> None:
        waking = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._number), waking))
        await waking

    async def run(self) -> None:
        while True:
            for _ in range(6):  # whoever was woken gets to where it sleeps again
                await _really_sleep(0)
            if self._sleepers:
                due, _, waking = heapq.heappop(self._sleepers)
                self.now = max(self.now, due)
                if not waking.done():
                    waking.set_result(None)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Clock]:
    """The clock that callers and listeners see."""
    clock = Clock()
    for module in ("caller", "listener"):
        monkeypatch.setattr(f"lkcook.audio.{module}.time", clock)
    monkeypatch.setattr(asyncio, "sleep", clock.sleep)
    running = asyncio.create_task(clock.run())
    yield clock
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def page_of() -> AsyncIterator[Callable[..., Page]]:
    """Makes pages; afterwards nothing of them, no thread and no task, is left."""
    pages: list[Page] = []
    before = asyncio.all_tasks()

    def make(*options: str, **more: object) -> Page:
        pages.append(Page(*options, **more))
        return pages[-1]

    yield make
    for page in pages:
        await page.aclose()
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"left behind: {left}"
    assert not [thread for thread in threading.enumerate() if thread.name == "lkcook-browser-sound"]
