"""A PortAudio stream that outlives its device: watched, changed in mid-call, replaced by the default when it is lost.

PortAudio calls back on a thread of its own, once for each block of 20 ms. That callback is the only sign of life: a
device that was pulled out either ends its stream or just falls silent, so both are looked for (`_CHECK`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from lkcook.audio import devices, raw_stream
from lkcook.audio.devices import Kind
from lkcook.audio.echo import RATE
from lkcook.errors import DeviceError

BLOCK = RATE // 50  # samples, 20 ms
FIRST_BLOCK = 8.0  # seconds; an idle virtual device may take two
NEXT_BLOCK = 3.0
_CHECK = 0.25  # seconds between two looks at the stream

_log = logging.getLogger(__name__)

Work = Callable[[np.ndarray, Any], None]
"""work(int16 mono of one block at the device's rate, PortAudio's times): reads it, or fills it in place"""


class DeviceStream:
    """One side of the sound card. `xruns` counts the blocks PortAudio reported as lost since open().

    device: as sounddevice describes it. work_at(rate) makes what each block is given to, on PortAudio's thread; it
    is asked anew for each device. on_open(delay) is told the `delay` of each stream, on_note(text) what the reader
    should know though the sound goes on. replaceable=False: a lost device is not replaced by the default one.
    """

    def __init__(
        self,
        kind: Kind,
        which: int | str | None,
        work_at: Callable[[int], Work],
        on_open: Callable[[float], None] = lambda delay: None,
        on_note: Callable[[str], None] = lambda text: None,
        *,
        replaceable: bool = True,
    ) -> None:
        self.device = devices.find(kind, which)
        self.xruns = 0
        self._kind, self._which = kind, which
        self._work_at, self._on_open, self._note = work_at, on_open, on_note
        self._stream: Any = None
        self._watch: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()
        self._replaceable, self._replaced = replaceable, False
        self._came = False  # a block, since the last look
        self._quiet, self._patience = 0.0, FIRST_BLOCK  # seconds

    @property
    def is_open(self) -> bool:
        """True between open() and close(), also while the device is being changed."""
        return self._watch is not None and not self._watch.done()

    @property
    def delay(self) -> float:
        """Seconds between a sample's sound and the callback with its block; 0 when closed.

        An output buffer is kept full: all of PortAudio's latency lies ahead of a new block. An input buffer is kept
        empty: a block is handed over once it is whole, however much the buffer could hold, which is what ALSA tells
        as latency. Together 80 ms told and 80 ms measured on virtual devices, where both latencies make 120.
        """
        if self._stream is None:
            return 0.0
        return BLOCK / RATE if self._kind == "input" else self._stream.latency

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
            if watch is not None:
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)  # its error was raised by lost(), or nobody asked
            await self._stop()  # also what a cancelled open() left
        if watch is not None and self.xruns:
            lost = "1 block of the {} was" if self.xruns == 1 else f"{self.xruns} blocks of the {{}} were"
            self._note(
                f"{lost.format(devices.WORDS[self._kind])} lost (xruns): the machine was too busy. Close other "
                "programs, or take smaller models or those of the cloud."
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
        if self._replaced or not self._replaceable:
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
        if not await raw_stream.in_thread(self._open_now):
            raise DeviceError(
                f"The {devices.WORDS[self._kind]} {self.device['name']!r} could not be opened: it does not answer",
                "unplug it and plug it in again, or choose another",
            )
        self._on_open(self.delay)

    async def _stop(self) -> None:
        if self._stream is not None and not await raw_stream.in_thread(self._close_now):
            _log.warning("%r does not let itself be closed; it is left as it is", self.device["name"])
            devices.leave_open()

    def _open_now(self) -> None:
        self._stream = raw_stream.opened(self._kind, self.device, self._callback_at)

    def _close_now(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            raw_stream.close(stream)

    def _callback_at(self, rate: int) -> raw_stream.Callback:
        work = self._work_at(rate)

        def callback(data: np.ndarray, _frames: int, when: Any, status: Any) -> None:
            self._came = True
            self.xruns += bool(status)
            work(data[:, 0], when)

        return callback
