"""A PortAudio stream that outlives its device: watched, changed in mid-call, replaced by the default when it is lost.

PortAudio calls back on a thread of its own, once for each block of 20 ms. That callback is the only sign of life: a
device that was pulled out either ends its stream or just falls silent, so both are looked for (`_CHECK`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np

from lkcook.audio import devices
from lkcook.audio.devices import Kind
from lkcook.audio.echo import RATE
from lkcook.errors import DeviceError

BLOCK = RATE // 50  # samples, 20 ms
LATENCY = 0.06  # seconds; below it PortAudio loses blocks when the machine is busy
FIRST_BLOCK = 8.0  # seconds; an idle virtual device may take two
NEXT_BLOCK = 3.0
_CHECK = 0.25  # seconds between two looks at the stream
_INVALID_RATE = "Invalid sample rate"  # PortAudio's words for paInvalidSampleRate, -9997

Work = Callable[[np.ndarray, Any], None]
"""work(int16 mono of one block at the device's rate, PortAudio's times): reads it, or fills it in place"""


class DeviceStream:
    """One side of the sound card. `xruns` counts the blocks PortAudio reported as lost since open().

    device: as sounddevice describes it. work_at(rate) makes what each block is given to, on PortAudio's thread; it
    is asked anew for each device. on_open(latency) is told PortAudio's latency of each stream in seconds, on_note(text) what
    the reader should know though the sound goes on.
    """

    def __init__(
        self,
        kind: Kind,
        which: int | str | None,
        work_at: Callable[[int], Work],
        on_open: Callable[[float], None] = lambda latency: None,
        on_note: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.device = devices.find(kind, which)
        self.xruns = 0
        self._kind, self._which = kind, which
        self._work_at, self._on_open, self._note = work_at, on_open, on_note
        self._stream: Any = None
        self._watch: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()
        self._replaced = False
        self._came = False  # a block, since the last look
        self._quiet, self._patience = 0.0, FIRST_BLOCK  # seconds

    @property
    def is_open(self) -> bool:
        """True between open() and close(), also while the device is being changed."""
        return self._watch is not None and not self._watch.done()

    @property
    def latency(self) -> float:
        """Seconds of sound that PortAudio and the device hold; 0 when closed."""
        return self._stream.latency if self._stream is not None else 0.0

    async def open(self, on_end: Callable[[], None] = lambda: None) -> None:
        """Raises DeviceError. on_end() is called when no more blocks come: closed, or lost for good."""
        async with self._changing:
            if self.is_open:
                return
            self.xruns, self._replaced = 0, False
            await self._start(self._which)
            self._watch = asyncio.create_task(self._watching())
            self._watch.add_done_callback(lambda _: on_end())

    async def use(self, which: int | str | None) -> None:
        """Go on with another device. Raises DeviceError, and keeps the one in use, when that is impossible."""
        device = devices.find(self._kind, which)
        async with self._changing:
            before, self._which = self._which, which
            if not self.is_open:
                self.device = device
                return
            await self._stop()  # first: both may be names of one device, which can be held only once
            try:
                await self._start(which)
            except DeviceError:
                self._which = before
                await self._start(before)
                raise
            self._replaced = False

    async def lost(self) -> None:
        """Waits as long as the open stream lives; raises DeviceError when it was lost and nothing replaces it."""
        assert self._watch is not None, "open() comes first"
        await asyncio.shield(self._watch)

    async def close(self) -> None:
        """Release the device. May be called twice."""
        async with self._changing:
            watch, self._watch = self._watch, None
            if watch is None:
                return
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)  # its error was raised by lost(), or nobody asked
            await self._stop()
        if self.xruns:
            self._note(
                f"{self.xruns} block{'s' * (self.xruns > 1)} of the {devices.WORDS[self._kind]} were lost (xruns): "
                "the machine was too busy. Close other programs, or take smaller models or those of the cloud."
            )

    async def _watching(self) -> None:
        while True:
            await asyncio.sleep(_CHECK)
            async with self._changing:  # or it would take a change of the device for a loss
                if self._has_ended():
                    await self._replace()

    def _has_ended(self) -> bool:
        """Looks are counted, not seconds: while this process is held up no block can come."""
        came, self._came = self._came, False
        self._quiet = 0.0 if came else self._quiet + _CHECK
        if came:
            self._patience = NEXT_BLOCK
        return self._quiet >= self._patience or self._stream is None or not self._stream.active

    async def _replace(self) -> None:
        word, name = devices.WORDS[self._kind], self.device["name"]
        lost = f"The {word} was lost: {name!r} takes part no more"
        await self._stop()
        if self._replaced:
            raise DeviceError(lost, "check the device and call again")
        self._replaced = True
        devices.refresh()  # the default may be another one now; not possible while the other side is open
        try:
            await self._start(None)
        except DeviceError as error:
            raise DeviceError(f"{lost}. {error.what}", "check the device and call again") from error
        again = self.device["name"]
        goes_on = "with it, opened anew" if again == name else f"with {again!r}"
        self._note(f"The {word} {name!r} was lost; the call goes on {goes_on}.")

    async def _start(self, which: int | str | None) -> None:
        self.device = devices.find(self._kind, which)  # again: devices.refresh() may have changed the numbers
        self._came, self._quiet, self._patience = False, 0.0, FIRST_BLOCK
        await _in_thread(self._open_now)
        self._on_open(self._stream.latency)

    async def _stop(self) -> None:
        await _in_thread(self._close_now)

    def _open_now(self) -> None:
        sounddevice = devices.portaudio()
        try:
            with devices.opening:
                self._stream = self._opened(sounddevice, RATE)
                devices.open_streams.add(self._stream)
                self._stream.start()
        except sounddevice.PortAudioError as error:
            self._close_now()
            raise DeviceError(
                f"The {devices.WORDS[self._kind]} {self.device['name']!r} could not be opened: {error}",
                "check that no other program holds it and that this one may use it, or choose another",
            ) from error

    def _opened(self, sounddevice: Any, rate: int) -> Any:
        """At the device's own rate when it refuses `rate`."""
        stream = sounddevice.InputStream if self._kind == "input" else sounddevice.OutputStream
        try:
            return stream(
                samplerate=rate,
                blocksize=rate // 50,
                device=self.device["index"],
                channels=1,
                dtype="int16",
                latency=LATENCY,
                callback=self._callback(self._work_at(rate)),
            )
        except sounddevice.PortAudioError as error:
            own = round(self.device["default_samplerate"])
            if _INVALID_RATE not in str(error) or own == rate:
                raise
            return self._opened(sounddevice, own)

    def _callback(self, work: Work) -> Callable[[np.ndarray, int, Any, Any], None]:
        def callback(data: np.ndarray, _frames: int, when: Any, status: Any) -> None:
            self._came = True
            self.xruns += bool(status)
            work(data[:, 0], when)

        return callback

    def _close_now(self) -> None:
        with devices.opening:
            stream, self._stream = self._stream, None
            if stream is not None:
                stream.close()
                devices.open_streams.discard(stream)


async def _in_thread(blocking: Callable[[], None]) -> None:
    """To its end, also when cancelled: a stream that is opened after that would never be closed."""
    working = asyncio.ensure_future(asyncio.to_thread(blocking))
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait({working})
        working.exception()  # of no interest any more
        raise
