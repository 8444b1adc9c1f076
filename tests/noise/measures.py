"""Speech and noise to clean, and how far one sound lies behind another."""

from __future__ import annotations

from functools import cache

import numpy as np

import lkcook
from lkcook import pcm

RATES = (8_000, 16_000, 24_000, 44_100, 48_000)


@cache
def speech(rate: int, name: str = "table-by-the-window", seconds: float = 2.0) -> np.ndarray:
    """int16: a caller of the recordings, without what is still around her."""
    recording = next(each for each in lkcook.turn_recordings() if each.name == name)
    return pcm.resample(recording.spoken.samples[: int(seconds * 16_000)], 16_000, rate)


@cache
def pink(rate: int, seconds: float = 3.0, level: float = 1000) -> np.ndarray:
    """int16: steady noise that falls by 3 dB an octave, RMS `level` of 32768."""
    count = int(seconds * rate)
    spectrum = np.fft.rfft(np.random.default_rng(3).standard_normal(count))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.fft.rfftfreq(count, 1 / rate), 50)), count)
    return (noise / noise.std() * level).astype(np.int16)


def lag(before: np.ndarray, after: np.ndarray, most: int) -> int:
    """Samples, up to `most`, by which `after` lies behind `before`.

    Of the differences between samples, since a high-pass filter turns the phase of the lowest tones, the loudest ones.
    """
    first, second = np.diff(before.astype(float)), np.diff(after.astype(float))
    size = 2 * max(len(first), len(second))
    product = np.fft.rfft(second, size) * np.conj(np.fft.rfft(first, size))
    return int(np.fft.irfft(product, size)[:most].argmax())


def decibels(samples: np.ndarray, reference: np.ndarray) -> float:
    """The level of one sound over another's."""
    power = [np.mean(each.astype(float) ** 2) for each in (samples, reference)]
    return float(10 * np.log10((power[0] + 1e-3) / power[1]))


def in_pieces(samples: np.ndarray, sizes: np.random.Generator | int, most: int = 1500) -> list[np.ndarray]:
    """Cut into pieces of one size, or of random ones up to `most`, empty ones and single samples among them."""
    cuts, at = [], 0
    while at < len(samples):
        at += sizes if isinstance(sizes, int) else int(sizes.choice([0, 1, 7, *sizes.integers(8, most, 6)]))
        cuts.append(min(at, len(samples)))
    return np.split(samples, cuts[:-1])
