"""Listeners: whoever hears the agent. Here the contract with LiveKit and a listener without any device.

The contract (livekit-agents 1.8.9, voice/io.py): frames arrive faster than real time; a segment ends with
flush(); for each segment that was captured exactly one on_playback_finished tells how much of it was heard.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

import numpy as np
from livekit import rtc
from livekit.agents.voice import io

from lkcook import pcm
from lkcook.audio.caller import OnNote
from lkcook.audio.frames import Air, Tap
from lkcook.audio.playout import Block, Playout

RATE = 24_000
FRAME = 0.02  # seconds
CUSHION = 0.1  # seconds of sound that are there before a voice that has run dry goes on

Arrival = Callable[[float, float], None]


class Listener(io.AudioOutput):
    """The side of a call that hears the agent; `rate` is that of the samples it plays, in Hz.

    tap(int16 mono samples, rate, time.time() of the first sample) gets every block that is really played;
    arrival(time.time(), seconds of sound) is told of every frame as it comes from the session; air: of every block as
    it begins to sound, silence too.
    Subclasses empty `self._playout` and report each block with `_heard`, on the event loop's thread.
    """

    def __init__(self, label: str, rate: int = RATE) -> None:
        super().__init__(
            label=label, capabilities=io.AudioOutputCapabilities(pause=True), sample_rate=RATE
        )
        self.tap: Tap | None = None
        self.air: Air | None = None
        self.arrival: Arrival | None = None
        self.on_note: OnNote | None = None
        self.rate = rate
        self._playout = Playout(int(rate * CUSHION))
        self._resampler: pcm.Resampler | None = None

    async def start(self) -> None:
        """Begin to play. Raises DeviceError."""

    async def lost(self) -> None:
        """Waits as long as there is something to play on; raises DeviceError when that fails for good."""
        await asyncio.Event().wait()

    async def aclose(self) -> None:
        """Stop playing and release devices; what is unheard counts as interrupted. May be called twice."""
        self.clear_buffer()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if self.arrival is not None:
            self.arrival(time.time(), frame.duration)
        # also when the resampler keeps everything back: from now on this segment counts, and must be finished
        self._playout.write(self._at_rate(frame))

    @property
    def waiting(self) -> float:
        """Seconds of sound that have arrived and are not heard yet."""
        return self._playout.waiting() / self.rate

    def take(self, frame: rtc.AudioFrame) -> None:
        """capture_frame(), for somebody who cannot await it: nothing in it waits."""
        with contextlib.suppress(StopIteration):
            self.capture_frame(frame).send(None)

    def flush(self) -> None:
        super().flush()
        if self._resampler is not None:
            self._playout.write(self._resampler.flush())
            self._resampler = None
        self._playout.complete()

    def clear_buffer(self) -> None:
        self._resampler = None
        for played in self._cut():
            self.on_playback_finished(playback_position=played / self.rate, interrupted=True)

    def _cut(self) -> list[int]:
        """Forget everything unheard; returns the samples heard of each segment that this cuts off."""
        return self._playout.clear()

    def pause(self) -> None:
        self._playout.pause()

    def resume(self) -> None:
        self._playout.resume()

    def _at_rate(self, frame: rtc.AudioFrame) -> np.ndarray:
        if self._resampler is None or self._resampler.source != frame.sample_rate:
            self._resampler = pcm.Resampler(frame.sample_rate, self.rate)
        return self._resampler.push(np.array(frame.data, np.int16))  # a copy: the frame is its sender's

    def _heard(self, block: Block, at: float) -> None:
        """A block whose first sample sounds at `at` (time.time())."""
        if self.air is not None:
            self.air.played(block.samples, self.rate, at)
        if block.heard and self.tap is not None:
            self.tap(block.samples[: block.heard], self.rate, at)
        for played in block.events:
            if played is None:
                self.on_playback_started(created_at=at)
            else:
                self.on_playback_finished(playback_position=played / self.rate, interrupted=False)


class RecordedListener(Listener):
    """No device: a clock takes 20 ms every 20 ms, so the call runs as if somebody listened."""

    def __init__(self) -> None:
        super().__init__("recorder")
        self._clock: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._clock = self._clock or asyncio.create_task(self._run())

    async def aclose(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            await asyncio.gather(self._clock, return_exceptions=True)
            self._clock = None
        await super().aclose()

    async def _run(self) -> None:
        due = time.monotonic()
        while True:
            self._heard(self._playout.read(int(self.rate * FRAME)), time.time())
            due += FRAME
            # After a stall a real sound card would have played silence: go on from now, in real time.
            due = max(due, time.monotonic() - FRAME)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
