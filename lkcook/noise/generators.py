"""Sounds made of random numbers and sines: float64 mono at any level, at `rate` Hz; the same for the same `rng`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.signal import butter, resample_poly, sosfilt

from lkcook.audio.clip import Clip

RATE = 16_000
Maker = Callable[..., np.ndarray]


def sampled(clip: Clip, rate: int = RATE) -> np.ndarray:
    """A clip as float64 mono, full scale 1, the same each time: LiveKit's resampler (`Clip.mono`) rounds at random."""
    return resample_poly(clip.mono(clip.sample_rate) / 32768, rate, clip.sample_rate)


def band(noise: np.ndarray, low: float, high: float, rate: int = RATE) -> np.ndarray:
    """Only what lies between two frequencies in Hz."""
    return sosfilt(butter(2, (low, high), "bandpass", fs=rate, output="sos"), noise)


def decay(seconds: float, half: float, attack: float = 0.005, rate: int = RATE) -> np.ndarray:
    """An envelope that rises for `attack` seconds, and then halves every `half` seconds."""
    t = np.arange(int(seconds * rate)) / rate
    return np.minimum(t / attack, 1) * 0.5 ** (np.maximum(t - attack, 0) / half)


def pink(count: int, rng: np.random.Generator, rate: int = RATE) -> np.ndarray:
    """`count` samples of noise whose power falls by 3 dB an octave, from 50 Hz on."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / rate)
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(hertz, 50)), count)


def clicks(rng: np.random.Generator, rate: int = RATE) -> np.ndarray:
    """Keys, or a pen on the table."""
    tail = rate // 8
    out = np.zeros(int(rng.uniform(0.3, 1.5) * rate) + tail)
    for at in [0, *rng.integers(0, len(out) - tail, rng.integers(1, 12))]:
        key = decay(0.1, rng.uniform(0.003, 0.02), 0.001, rate)
        stroke = band(rng.normal(size=len(key)), rng.uniform(200, 3000), 7500, rate)
        out[at : at + len(key)] += stroke * key * rng.uniform(0.3, 1)
    return out


def bang(rng: np.random.Generator, rate: int = RATE) -> np.ndarray:
    """A door, a cup."""
    envelope = decay(rng.uniform(0.2, 0.8), rng.uniform(0.02, 0.12), rng.uniform(0.001, 0.01), rate)
    t = np.arange(len(envelope)) / rate
    ring = sum(np.sin(2 * np.pi * rng.uniform(80, 2500) * t) for _ in range(rng.integers(1, 5)))
    return (ring * rng.uniform(0, 0.7) + band(rng.normal(size=len(t)), 60, rng.uniform(500, 5000), rate)) * envelope


def beep(rng: np.random.Generator, rate: int = RATE) -> np.ndarray:
    """An appliance."""
    t = np.arange(int(rng.uniform(0.1, 1.0) * rate)) / rate
    tone = np.sin(2 * np.pi * rng.uniform(300, 2500) * t)
    tone += rng.uniform(0, 1) * np.sin(2 * np.pi * rng.uniform(300, 3000) * t)
    return tone * np.minimum(1, np.minimum(t, t[::-1]) / 0.01)


def scattered(count: int, make: Maker, every: float, rng: np.random.Generator, rate: int = RATE) -> np.ndarray:
    """`count` samples in which `make(rng, rate)` is heard about every `every` seconds, each time as loud (peak 1)."""
    out = np.zeros(count)
    for slot in np.arange(0.0, count / rate, every):
        at = int((slot + rng.uniform(0, 0.6) * every) * rate)
        sound = make(rng, rate)[: max(0, count - at)]
        out[at : at + len(sound)] += sound / max(np.abs(sound).max(initial=0.0), 1e-9)
    return out
