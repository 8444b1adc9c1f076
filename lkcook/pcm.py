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


def resample(samples: np.ndarray, source: int, target: int) -> np.ndarray:
    """Resample a whole mono int16 clip from `source` to `target` Hz (LiveKit's own sox resampler)."""
    if source == target or not len(samples):
        return samples
    resampler = rtc.AudioResampler(source, target, quality=rtc.AudioResamplerQuality.HIGH)
    frame = rtc.AudioFrame(samples.astype(np.int16).tobytes(), source, 1, len(samples))
    frames = [*resampler.push(frame), *resampler.flush()]
    return np.concatenate([np.frombuffer(f.data, np.int16) for f in frames] or [samples[:0]])


class Resampler:
    """A stream of mono int16 from `source` to `target` Hz, any number of samples at a time."""

    def __init__(self, source: int, target: int) -> None:
        self._resampler = None if source == target else rtc.AudioResampler(source, target)

    def push(self, samples: np.ndarray) -> np.ndarray:
        """What is ready; the resampler keeps the last few milliseconds for the next call."""
        if self._resampler is None or not len(samples):
            return samples
        frames = self._resampler.push(bytearray(samples.astype("<i2").tobytes()))
        return np.concatenate([np.frombuffer(frame.data, np.int16) for frame in frames] or [samples[:0]])
