"""WebRTC's noise suppression, as browsers and telephones have it."""

from __future__ import annotations

import numpy as np
from livekit import rtc

from lkcook.noise.core import About, switch

RATE = 48_000
_SUPPRESSION, _FILTER_BANK = 288, 48  # samples: its windows overlap by 6 ms; three bands are parted and joined


class WebRTC:
    """rtc.AudioProcessingModule of the `livekit` package: no neural network, no weights.

    noise_suppression: what it is here for. high_pass: takes out what is below 100 Hz; with noise_suppression it is
    always on. gain: brings every voice to one level, as LiveKit's rooms do by default, behind this slot. Its fourth
    part, echo_cancellation, would have to hear the speaker too: no frame processor does.
    """

    about = About(
        "spectral gains from a running estimate of the noise; WebRTC project, 2011",
        package="livekit",
        module="livekit.rtc",
        licence="BSD-3-Clause",
    )
    rate, hop = RATE, RATE // 100  # WebRTC works on 10 ms
    delay = _SUPPRESSION + _FILTER_BANK

    def __init__(self, *, noise_suppression: bool = True, high_pass: bool = True, gain: bool = False) -> None:
        suppression = switch("noise_suppression", noise_suppression)
        filtering = switch("high_pass", high_pass) or suppression
        self.delay = suppression * _SUPPRESSION + filtering * _FILTER_BANK
        self._module = rtc.AudioProcessingModule(
            noise_suppression=suppression, high_pass_filter=filtering, auto_gain_control=switch("gain", gain)
        )

    def clean(self, samples: np.ndarray) -> np.ndarray:
        """480 samples, int16 mono at 48 kHz → as many."""
        frame = rtc.AudioFrame(bytearray(samples.tobytes()), self.rate, 1, len(samples))
        self._module.process_stream(frame)
        return np.frombuffer(frame.data, np.int16)

    def close(self) -> None:
        """Nothing is held."""
