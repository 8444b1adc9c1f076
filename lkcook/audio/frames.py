"""What every caller hands to LiveKit: frames at the pace of its clock, of which the session hears what it listens to.

On the way: what the caller says → background noise → noise cancellation → the session.

`session.input.set_audio_enabled(False)` stops nobody who speaks: LiveKit only tells the input (livekit-agents 1.8.9,
voice/io.py), goes on to ask for frames and passes on what it gets. As in LiveKit's own input from a room, whatever
comes meanwhile is dropped here, so that none of it arrives later in a burst.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from livekit import rtc
from livekit.agents.voice import io

from lkcook.audio.background import Background
from lkcook.audio.slot import Slot

Tap = Callable[[np.ndarray, int, float], None]
"""tap(int16 mono samples, sample rate, time.time() of the first sample)"""

Block = tuple[np.ndarray, int, float]
"""(int16 mono samples, sample rate, time.time() of the first sample)"""


class Air(Protocol):
    """What carries sound from a call's listener to its caller's microphone: `lkcook.noise.air.Air`."""

    def played(self, samples: np.ndarray, rate: int, at: float) -> None:
        """A block of the listener, as it begins to sound."""

    def picked_up(self, samples: np.ndarray, rate: int, at: float) -> Block:
        """A block of the caller → what the microphone delivers."""


class FrameInput(io.AudioInput):
    """Subclasses give `_next_block()`. muted: silence is heard instead, without any noise.

    air: adds what the microphone picks up of the room. background: a noise that is mixed in. slot: where noise
    cancellation goes, behind both. The taps hear also while the session does not listen: `voice_tap` before the noise
    is mixed in, `tap` what the microphone had, `cleaned_tap` what left the slot.
    """

    muted = False

    def __init__(self, label: str) -> None:
        super().__init__(label=label)
        self.background: Background | None = None
        self.slot = Slot()
        self.voice_tap: Tap | None = None
        self.tap: Tap | None = None
        self.air: Air | None = None
        self.cleaned_tap: Tap | None = None
        self._attached = True

    def on_attached(self) -> None:
        """The session's audio input is enabled."""
        self._attached = True

    def on_detached(self) -> None:
        """The session's audio input is disabled, or another one is in use."""
        self._attached = False

    async def __anext__(self) -> rtc.AudioFrame:
        while True:
            samples, rate, at = await self._next_block()
            if self.air is not None:  # also while nobody listens: an echo canceller goes on learning
                samples, rate, at = self.air.picked_up(samples, rate, at)
            heard = self._attached
            if self.muted or not heard:
                samples = np.zeros_like(samples)
            _tell(self.voice_tap, samples, rate, at)
            if self.background is not None and heard and not self.muted:
                samples = self.background.mixed(samples, rate)
            _tell(self.tap, samples, rate, at)
            frame = self.slot.cleaned(rtc.AudioFrame(samples.tobytes(), rate, 1, len(samples)))
            _tell(self.cleaned_tap, np.frombuffer(frame.data, np.int16), frame.sample_rate, at)
            if heard:
                return frame

    async def _next_block(self) -> Block:
        """Waits until the next 20 ms have happened; raises StopAsyncIteration at the end."""
        raise NotImplementedError


def _tell(tap: Tap | None, samples: np.ndarray, rate: int, at: float) -> None:
    if tap is not None:
        tap(samples, rate, at)
