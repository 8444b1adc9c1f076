"""The agent through a loudspeaker: PortAudio at 48 kHz."""

from __future__ import annotations

import asyncio
import time
from collections import deque

import numpy as np

from lkcook.audio import echo
from lkcook.audio.device_side import DeviceSide
from lkcook.audio.listener import Listener
from lkcook.audio.playout import Block
from lkcook.audio.rates import to_device
from lkcook.audio.stream import BLOCK, Work


class Speaker(DeviceSide, Listener):
    """Opened by `start()`. device: number, name or part of a name; None is the default.

    Times include the sound card's own latency.
    """

    def __init__(self, device: int | str | None = None) -> None:
        super().__init__("speaker", rate=echo.RATE)
        self._taken: deque[tuple[Block, float]] = deque()  # by the sound card, and not yet told of
        self._on_device("output", device)

    async def start(self) -> None:
        if not self._stream.is_open:
            self._loop = asyncio.get_running_loop()
            await self._stream.open()

    async def lost(self) -> None:
        await self._stream.lost()

    async def aclose(self) -> None:
        await self._stream.close()
        await super().aclose()

    def clear_buffer(self) -> None:
        self._tell()  # an utterance must have started before it is interrupted
        super().clear_buffer()

    def _work_at(self, rate: int) -> Work:
        return to_device(rate, self._give)

    def _give(self, ahead: float) -> np.ndarray:
        assert self._loop is not None
        block = self._playout.read(BLOCK)
        self._taken.append((block, time.time() + ahead))
        self._loop.call_soon_threadsafe(self._tell)
        return block.samples

    def _tell(self) -> None:
        while self._taken:
            block, at = self._taken.popleft()
            self._room.played(block.samples)
            self._heard(block, at)
