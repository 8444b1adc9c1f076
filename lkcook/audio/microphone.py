"""A person at a microphone: PortAudio at 48 kHz in blocks of 20 ms, cleaned by WebRTC's audio processing."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np
from livekit import rtc

from lkcook.audio import devices, echo
from lkcook.audio.person import Person
from lkcook.errors import DeviceError

BLOCK = echo.RATE // 50  # 20 ms
LATENCY = 0.06  # seconds; below it PortAudio loses blocks when the machine is busy
_FIRST_BLOCK = 8.0  # seconds; an idle virtual device may take two
_NEXT_BLOCK = 3.0


class Microphone(Person):
    """Opened by `prepare()`. `xruns` counts the blocks that PortAudio reported as lost.

    device: number, name or part of a name; None is the default. processing=False gives the raw signal.
    """

    def __init__(self, device: int | str | None = None, *, processing: bool = True) -> None:
        super().__init__("microphone")
        self.device = devices.input_device(device)
        self.xruns = 0
        self._room = echo.room()
        self._room.enabled = processing
        self._blocks: asyncio.Queue[tuple[np.ndarray, bool] | None] = asyncio.Queue()
        self._stream: Any = None
        self._heard_one = False

    async def prepare(self) -> None:
        if self._stream is None:
            self._blocks, self._heard_one = asyncio.Queue(), False  # an earlier call may have left something
            self._pick_up()
            self._room.reset()
            self._stream = await asyncio.to_thread(self._open, asyncio.get_running_loop())
            self._room.set_latency("input", self._stream.latency)

    async def aclose(self) -> None:
        await super().aclose()
        self._blocks.put_nowait(None)
        stream, self._stream = self._stream, None
        if stream is not None:
            await asyncio.to_thread(stream.close)

    async def __anext__(self) -> rtc.AudioFrame:
        try:
            block = await asyncio.wait_for(
                self._blocks.get(), _NEXT_BLOCK if self._heard_one else _FIRST_BLOCK
            )
        except TimeoutError:
            why = f"it delivers no sound any more ({self.device['name']})"
            self._lose(DeviceError(f"The microphone was lost: {why}", "check the device and call again"))
            block = None
        if block is None:
            raise StopAsyncIteration
        self._heard_one = True
        samples, lost = block
        self.xruns += lost
        samples = self._room.cleaned(samples)
        if self.tap is not None:
            self.tap(samples, echo.RATE, time.time() - BLOCK / echo.RATE)
        return rtc.AudioFrame(samples.tobytes(), echo.RATE, 1, len(samples))

    def _open(self, loop: asyncio.AbstractEventLoop) -> Any:
        sounddevice = devices.portaudio()

        def deliver(indata: np.ndarray, _frames: int, _time: Any, status: Any) -> None:
            loop.call_soon_threadsafe(self._blocks.put_nowait, (indata[:, 0].copy(), bool(status)))

        try:
            stream = sounddevice.InputStream(
                samplerate=echo.RATE,
                blocksize=BLOCK,
                device=self.device["index"],
                channels=1,
                dtype="int16",
                latency=LATENCY,
                callback=deliver,
            )
            stream.start()
        except sounddevice.PortAudioError as error:
            raise DeviceError(
                f"The microphone {self.device['name']!r} could not be opened: {error}",
                "check that no other program holds it and that this one may use it, or choose another",
            ) from error
        return stream
