"""A person at a microphone: PortAudio at 48 kHz in blocks of 20 ms, cleaned by WebRTC's audio processing."""

from __future__ import annotations

import asyncio
import time

import numpy as np
from livekit import rtc

from lkcook.audio import echo
from lkcook.audio.caller import Caller, Conversation
from lkcook.audio.device_side import DeviceSide
from lkcook.audio.rates import from_device
from lkcook.audio.stream import BLOCK, Work


class Microphone(DeviceSide, Caller):
    """Opened by `prepare()`. While `muted` is True the agent, and the recording, get silence.

    device: number, name or part of a name; None is the default. processing=False gives the raw signal: no echo
    canceller (use headphones), no noise suppression, no gain control.
    """

    person = True

    def __init__(self, device: int | str | None = None, *, processing: bool = True) -> None:
        super().__init__("microphone")
        self.muted = False
        self._processing = processing
        self._blocks: asyncio.Queue[np.ndarray | None] = asyncio.Queue()
        self._hung_up = asyncio.Event()
        self._on_device("input", device)

    async def prepare(self) -> None:
        if not self._stream.is_open:
            self._blocks = blocks = asyncio.Queue()  # an earlier call may have left something
            self._hung_up.clear()
            self._room.reset(enabled=self._processing)
            self._loop = asyncio.get_running_loop()
            await self._stream.open(on_end=lambda: blocks.put_nowait(None))

    async def converse(self, conversation: Conversation) -> None:
        """Returns when the call ends or `hang_up()` is called; raises DeviceError when the device is lost for good."""
        await self.prepare()
        lost = asyncio.ensure_future(self._stream.lost())
        waits = [lost, *(asyncio.ensure_future(wait) for wait in (conversation.ended(), self._hung_up.wait()))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        if not lost.cancelled():
            lost.result()

    def hang_up(self) -> None:
        """End the call from the caller's side."""
        self._hung_up.set()

    async def aclose(self) -> None:
        self.hang_up()
        await self._stream.close()

    async def __anext__(self) -> rtc.AudioFrame:
        samples = await self._blocks.get()
        if samples is None:
            raise StopAsyncIteration
        samples = self._room.cleaned(samples)  # also when muted: the echo canceller goes on learning
        if self.muted:
            samples = np.zeros(BLOCK, np.int16)
        if self.tap is not None:
            self.tap(samples, echo.RATE, time.time() - BLOCK / echo.RATE)
        return rtc.AudioFrame(samples.tobytes(), echo.RATE, 1, len(samples))

    def _work_at(self, rate: int) -> Work:
        return from_device(rate, self._take)

    def _take(self, samples: np.ndarray) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._blocks.put_nowait, samples)
