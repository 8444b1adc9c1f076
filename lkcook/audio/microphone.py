"""A person at a microphone: PortAudio at 48 kHz in blocks of 20 ms, cleaned by WebRTC's audio processing."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np
from livekit import rtc

from lkcook.audio import devices, echo
from lkcook.audio.caller import Caller, Conversation
from lkcook.errors import DeviceError

BLOCK = echo.RATE // 50  # 20 ms
LATENCY = 0.06  # seconds; below it PortAudio loses blocks when the machine is busy
_FIRST_BLOCK = 8.0  # seconds; an idle virtual device may take two
_NEXT_BLOCK = 3.0


class Microphone(Caller):
    """Opened by `prepare()`. `xruns` counts the blocks that PortAudio reported as lost.

    device: number, name or part of a name; None is the default. processing=False gives the raw signal.
    """

    person = True

    def __init__(self, device: int | str | None = None, *, processing: bool = True) -> None:
        super().__init__("microphone")
        self.device = devices.input_device(device)
        self.xruns = 0
        self._room = echo.room()
        self._room.enabled = processing
        self._blocks: asyncio.Queue[tuple[np.ndarray, bool] | None] = asyncio.Queue()
        self._failed: asyncio.Future[None] | None = None
        self._stream: Any = None
        self._heard_one = False
        self._hung_up = asyncio.Event()

    async def prepare(self) -> None:
        if self._stream is None:
            self._blocks, self._heard_one = asyncio.Queue(), False  # an earlier call may have left something
            self._hung_up.clear()
            self._room.reset()
            self._failed = asyncio.get_running_loop().create_future()
            self._stream = await asyncio.to_thread(self._open, asyncio.get_running_loop())
            self._room.set_latency("input", self._stream.latency)

    async def converse(self, conversation: Conversation) -> None:
        """Returns when the call ends or `hang_up()` is called; raises DeviceError when the device is lost."""
        await self.prepare()
        assert self._failed is not None
        waits = [asyncio.ensure_future(w) for w in (conversation.ended(), self._hung_up.wait())]
        try:
            await asyncio.wait([*waits, self._failed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        if self._failed.done():
            self._failed.result()

    def hang_up(self) -> None:
        """End the call from the caller's side."""
        self._hung_up.set()

    async def aclose(self) -> None:
        self.hang_up()
        self._blocks.put_nowait(None)
        stream, self._stream = self._stream, None
        if stream is not None:
            await asyncio.to_thread(stream.close)
        if self._failed is not None and self._failed.done():
            self._failed.exception()  # it was raised by converse(), or the call ended for another reason

    async def __anext__(self) -> rtc.AudioFrame:
        try:
            block = await asyncio.wait_for(
                self._blocks.get(), _NEXT_BLOCK if self._heard_one else _FIRST_BLOCK
            )
        except TimeoutError:
            self._lose(f"it delivers no sound any more ({self.device['name']})")
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

    def _lose(self, why: str) -> None:
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(
                DeviceError(f"The microphone was lost: {why}", "check the device and call again")
            )
