"""The place between a caller and a session where LiveKit's `noise_cancellation=` goes, without a room.

In a room rtc.AudioStream does this (livekit 1.1.21, rtc/audio_stream.py): each frame goes through the FrameProcessor
while that is `enabled`, and a frame on which it raises passes as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from livekit import rtc

_TINY = 1e-6  # seconds, for sums of frames
Processor = rtc.FrameProcessor[rtc.AudioFrame]


@dataclass
class Load:
    """What the processors of a call cost it: `worked` seconds by the clock on the wall, for `heard` seconds of sound."""

    worked: float = 0.0
    heard: float = 0.0

    @property
    def factor(self) -> float:
        """Seconds of work per second of sound; 0.0 if there was none."""
        return self.worked / self.heard if self.heard else 0.0


@dataclass
class _Held:
    processor: Processor
    own: bool
    heard: float = 0.0  # seconds

    @property
    def warm(self) -> bool:
        """The next frame it gives back is sound: a canceller's first ones are silent for as long as its delay."""
        return self.heard > getattr(self.processor, "delay", 0.0) - _TINY


class Slot:
    """Empty at first. `on_failure(error)` is told once of each processor that raises. load: what they have cost."""

    def __init__(self) -> None:
        self.on_failure: Callable[[Exception], None] = lambda error: None
        self.load = Load()
        self._now: _Held | None = None
        self._next: _Held | None = None
        self._failed: Processor | None = None

    @property
    def processor(self) -> Processor | None:
        """The one that was chosen last."""
        held = self._next or self._now
        return held.processor if held else None

    def use(self, processor: Processor | None, *, own: bool = True, at_once: bool = False) -> None:
        """From now on `processor`, None for none. In mid-call it takes over when its own delay has passed, so that its
        first silence is not heard; at_once=True is for the beginning. own: close it when another one takes over.
        """
        if self._next is not None:
            _leave(self._next)
        self._next = _Held(processor, own) if processor else None
        if self._next is None or at_once:
            self._change()

    def cleaned(self, frame: rtc.AudioFrame) -> rtc.AudioFrame:
        """What the session hears of `frame`."""
        if self.processor is None:
            return frame
        began = time.perf_counter()
        cleaned = self._cleaned(frame)
        self.load.worked += time.perf_counter() - began
        self.load.heard += frame.duration
        return cleaned

    def close(self) -> None:
        """Empty it. May be called twice."""
        self.use(None)

    def _cleaned(self, frame: rtc.AudioFrame) -> rtc.AudioFrame:
        if self._next is None:
            return self._through(self._now, frame)
        if self._next.warm:
            self._change()
        else:
            self._through(self._next, frame)
        return self._through(self._now, frame)

    def _change(self) -> None:
        before, self._now, self._next = self._now, self._next, None
        if before is not None:
            _leave(before)

    def _through(self, held: _Held | None, frame: rtc.AudioFrame) -> rtc.AudioFrame:
        if held is None:
            return frame
        held.heard += frame.duration
        try:
            return held.processor._process(frame) if held.processor.enabled else frame
        except Exception as error:  # whatever it is, the call goes on, as in a room
            if self._failed is not held.processor:
                self._failed = held.processor
                self.on_failure(error)
            return frame


def _leave(held: _Held) -> None:
    if held.own:
        held.processor._close()
