"""The room between the speaker and the microphone: WebRTC's echo canceller and gain control.

An agent that hears itself through the microphone would interrupt itself. The canceller gets what is played
(`played`) and removes it from what is recorded (`cleaned`). Speaker and microphone of a process share one room.
Noise is suppressed behind it, where LiveKit's noise cancellation goes (audio/slot.py).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from livekit import rtc

from lkcook.audio.devices import Kind

RATE = 48_000
_STEP = RATE // 100  # WebRTC works on 10 ms


class Room:
    """One acoustic path; `reset()` for each new call."""

    def __init__(self) -> None:
        self._delays = {"input": 0.0, "output": 0.0}
        self.reset()

    def reset(self, *, enabled: bool = True) -> None:
        """Forget what was learnt about the path. While not `enabled`, samples pass unchanged."""
        self.enabled = enabled
        self._processor = rtc.AudioProcessingModule(
            echo_cancellation=True,
            high_pass_filter=True,  # the canceller needs it: rumble below speech would mislead it
            auto_gain_control=True,
        )
        self._tell_delay()

    def set_delay(self, side: Kind, seconds: float) -> None:
        """How long a sample takes between its sound and our hands; both sides' sum is the echo's delay.

        WebRTC's canceller begins its search there and finds the rest by itself: where the echo took 120 ms it removed
        38 dB of it, whether it was told 0, 80 or 120, but needed seconds to do so when told 300.
        """
        self._delays[side] = seconds
        self._tell_delay()

    def played(self, samples: np.ndarray) -> None:
        """int16 mono at 48 kHz, a multiple of 10 ms, as it goes to the speaker."""
        if self.enabled:
            for frame in _frames(samples):
                self._processor.process_reverse_stream(frame)

    def cleaned(self, samples: np.ndarray) -> np.ndarray:
        """int16 mono at 48 kHz, a multiple of 10 ms, from the microphone → the same without echo."""
        if not self.enabled:
            return samples
        frames = _frames(samples)
        for frame in frames:
            self._processor.process_stream(frame)
        return np.concatenate([np.frombuffer(frame.data, np.int16) for frame in frames])

    def _tell_delay(self) -> None:
        self._processor.set_stream_delay_ms(round(1000 * sum(self._delays.values())))


@cache
def room() -> Room:
    """The room of this process."""
    return Room()


def _frames(samples: np.ndarray) -> list[rtc.AudioFrame]:
    return [
        rtc.AudioFrame(bytearray(piece.tobytes()), RATE, 1, _STEP)
        for piece in samples.reshape(-1, _STEP)
    ]
