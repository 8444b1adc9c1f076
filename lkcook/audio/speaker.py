"""The agent through a loudspeaker: PortAudio at 48 kHz."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any

import numpy as np

from lkcook.audio import devices, echo
from lkcook.audio.listener import Listener
from lkcook.audio.playout import Block
from lkcook.errors import DeviceError

BLOCK = echo.RATE // 50  # 20 ms
LATENCY = 0.06


class Speaker(Listener):
    """Opened by `start()`. device: number, name or part of a name; None is the default.

    `xruns` counts the blocks that PortAudio reported as late. Times include the sound card's own latency.
    """

    def __init__(self, device: int | str | None = None) -> None:
        super().__init__("speaker", rate=echo.RATE)
        self.device = devices.output_device(device)
        self.xruns = 0
        self._room = echo.room()
        self._stream: Any = None
        self._taken: deque[tuple[Block, float, bool]] = deque()  # by the sound card, and not yet told of

    async def start(self) -> None:
        if self._stream is None:
            self._stream = await asyncio.to_thread(self._open, asyncio.get_running_loop())
            self._room.set_latency("output", self._stream.latency)

    async def aclose(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            await asyncio.to_thread(stream.close)
        await super().aclose()

    def clear_buffer(self) -> None:
        self._tell()  # an utterance must have started before it is interrupted
        super().clear_buffer()

    def _open(self, loop: asyncio.AbstractEventLoop) -> Any:
        sounddevice = devices.portaudio()

        def fill(outdata: np.ndarray, frames: int, when: Any, status: Any) -> None:
            block = self._playout.read(frames)
            outdata[:, 0] = block.samples
            ahead = max(0.0, when.outputBufferDacTime - when.currentTime)
            self._taken.append((block, time.time() + ahead, bool(status)))
            loop.call_soon_threadsafe(self._tell)

        try:
            stream = sounddevice.OutputStream(
                samplerate=echo.RATE,
                blocksize=BLOCK,
                device=self.device["index"],
                channels=1,
                dtype="int16",
                latency=LATENCY,
                callback=fill,
            )
            stream.start()
        except sounddevice.PortAudioError as error:
            raise DeviceError(
                f"The speaker {self.device['name']!r} could not be opened: {error}",
                "check that no other program holds it, or choose another",
            ) from error
        return stream

    def _tell(self) -> None:
        while self._taken:
            block, at, late = self._taken.popleft()
            self.xruns += late
            self._room.played(block.samples)
            self._heard(block, at)
