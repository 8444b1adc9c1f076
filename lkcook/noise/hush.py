"""Hush: DeepFilterNet's network made for telephones, and trained to leave out other people who talk."""

from __future__ import annotations

import math

import numpy as np

from lkcook import pcm
from lkcook.noise.core import About, number

RATE = 16_000
_WINDOW, _HOP = 320, 160
_UNLIMITED = 100.0  # dB: from there on the session takes nothing of the sound as it was


class Hush:
    """The sessions of livekit-plugins-hush, 10 ms at a time; its weights are loaded once for all of them.

    strength: from 0 (the sound as it was) to 1 (only what the network lets pass); the plugin's own default is 0.5.
    """

    about = About(
        "DeepFilterNet 3 for one voice of several; Weya AI (Pulp Vision), 2026",
        package="livekit-plugins-hush",
        module="livekit.plugins.hush",
        licence="Apache-2.0",
    )
    rate, hop = RATE, _HOP
    delay = _WINDOW - _HOP

    def __init__(self, *, strength: float = 1.0) -> None:
        from livekit.plugins.hush._hush_model import HushSession, _get_shared_model

        # Not the plugin's frames: they mix the cleaned sound with one that is 10 ms earlier, a comb filter, and fill
        # what resampling holds back with raw sound or silence. A session mixes both in one spectrum.
        left = 1 - number("strength", strength, 0, 1)
        limit = -20 * math.log10(left) if left else _UNLIMITED
        self._session = HushSession(_get_shared_model(), atten_lim_db=min(limit, _UNLIMITED))

    def clean(self, samples: np.ndarray) -> np.ndarray:
        """160 samples, int16 mono at 16 kHz → as many."""
        return pcm.to_int16(self._session.process_frame(pcm.to_float(samples)))

    def close(self) -> None:
        """Let the session go."""
        self._session.close()
