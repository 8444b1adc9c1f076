"""Mono PCM: int16 on every wire, float32 inside the models."""

from __future__ import annotations

import numpy as np
from livekit import rtc

FULL_SCALE = 32768.0


def to_float(samples: np.ndarray) -> np.ndarray:
    """int16 → float32 in [-1, 1)."""
    return samples.astype(np.float32) / FULL_SCALE


def to_int16(samples: np.ndarray) -> np.ndarray:
    """float32 in [-1, 1] → int16; louder samples are clipped, not wrapped."""
    return (np.clip(samples, -1.0, 1.0) * (FULL_SCALE - 1)).astype(np.int16)


class Resampler:
    """From `source` to `target` Hz, piece by piece (LiveKit's own sox resampler); int16 mono. Equal rates cost nothing.

    It keeps a few milliseconds back until more is pushed, or flush() ends the sound.
    """

    def __init__(
        self, source: int, target: int, quality: rtc.AudioResamplerQuality = rtc.AudioResamplerQuality.MEDIUM
    ) -> None:
        self.source = source
        self._resampler = None if source == target else rtc.AudioResampler(source, target, quality=quality)

    def push(self, samples: np.ndarray) -> np.ndarray:
        """What `samples` let out at the target rate."""
        if self._resampler is None or not len(samples):
            return samples
        frame = rtc.AudioFrame(samples.astype(np.int16).tobytes(), self.source, 1, len(samples))
        return _joined(self._resampler.push(frame))

    def flush(self) -> np.ndarray:
        """What was kept back. The resampler is spent then."""
        return _joined(self._resampler.flush() if self._resampler else [])


def resample(samples: np.ndarray, source: int, target: int) -> np.ndarray:
    """Resample a whole mono int16 clip from `source` to `target` Hz."""
    if source == target or not len(samples):
        return samples
    resampler = Resampler(source, target, rtc.AudioResamplerQuality.HIGH)
    return np.concatenate([resampler.push(samples), resampler.flush()])


def _joined(frames: list[rtc.AudioFrame]) -> np.ndarray:
    return np.frombuffer(b"".join(frame.data for frame in frames), np.int16)
