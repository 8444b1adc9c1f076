"""A noise around the caller, mixed into what the microphone hears: how well is somebody understood in a street?"""

from __future__ import annotations

import numpy as np

from lkcook.audio.clip import Clip

SPEECH = -25.0  # dBFS, RMS: speech into a microphone, as the panel's level check has it
_FULL_SCALE = 32768.0


class Background:
    """`sound` in a loop, so loud that typical speech (`SPEECH`) stands `snr` dB above it; that may change at any time.

    The level of the speech is not measured: a whisper drowns. name: what the reader calls it.
    """

    def __init__(self, name: str, sound: Clip, snr: float) -> None:
        self.name, self.snr = name, snr
        self._sound = sound
        self._loops: dict[int, np.ndarray] = {}  # by sample rate, RMS 1
        self._at = 0.0  # seconds into the loop

    @property
    def level(self) -> float:
        """RMS in dBFS."""
        return SPEECH - self.snr

    def mixed(self, samples: np.ndarray, rate: int) -> np.ndarray:
        """int16 mono at `rate` with the noise in it; the next piece goes on from there."""
        loop = self._loop(rate)
        start = round(self._at * rate)
        noise = loop[np.arange(start, start + len(samples)) % len(loop)] * _FULL_SCALE * 10 ** (self.level / 20)
        self._at = (start + len(samples)) % len(loop) / rate
        return np.clip(np.rint(samples + noise), -32768, 32767).astype(np.int16)

    def _loop(self, rate: int) -> np.ndarray:
        if rate not in self._loops:
            sound = self._sound.mono(rate).astype(np.float64)
            self._loops[rate] = sound / (np.sqrt(np.mean(np.square(sound))) or 1.0)
        return self._loops[rate]
