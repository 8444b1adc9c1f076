"""A person at a microphone: PortAudio at 48 kHz in blocks of 20 ms, without the echo of the speaker."""

from __future__ import annotations

import asyncio
import time

import numpy as np

from lkcook.audio import echo
from lkcook.audio.device_side import DeviceSide
from lkcook.audio.frames import Block
from lkcook.audio.person import Person
from lkcook.audio.rates import from_device
from lkcook.audio.stream import BLOCK, Work


class Microphone(DeviceSide, Person):
    """Opened by `prepare()`.

    device: number, name or part of a name; None is the default. processing=False gives the raw signal: no echo
    canceller (use headphones), no gain control. With processing, a call in which nobody chooses a noise canceller takes
    "webrtc".
    """

    def __init__(self, device: int | str | None = None, *, processing: bool = True) -> None:
        super().__init__("microphone")
        self._processing = processing
        self.usual_canceller = "webrtc" if processing else None
        self._blocks: asyncio.Queue[np.ndarray | None] = asyncio.Queue()
        self._on_device("input", device)

    async def prepare(self) -> None:
        if not self._stream.is_open:
            self._blocks = blocks = asyncio.Queue()  # an earlier call may have left something
            self._hung_up.clear()
            self._room.reset(enabled=self._processing)
            self._loop = asyncio.get_running_loop()
            await self._stream.open(on_end=lambda: blocks.put_nowait(None))

    async def aclose(self) -> None:
        await super().aclose()
        await self._stream.close()

    async def _until_lost(self) -> None:
        await self._stream.lost()

    async def _next_block(self) -> Block:
        samples = await self._blocks.get()
        if samples is None:
            raise StopAsyncIteration
        return samples, echo.RATE, time.time() - BLOCK / echo.RATE

    def _work_at(self, rate: int) -> Work:
        return from_device(rate, self._take)

    def _take(self, samples: np.ndarray) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._arrived, samples)

    def _arrived(self, samples: np.ndarray) -> None:
        """Clean it here and not when somebody asks: on a busy machine, too, the canceller then hears what was played and
        what was recorded in turns, as the sound card had them. Also when muted: it goes on learning.
        """
        self._blocks.put_nowait(self._room.cleaned(samples))
