"""Sounds that callers make without words, and those around them: float64 at 16 kHz, at any level."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lkcook.engines.speech_to_text import SAMPLE_RATE
from lkcook.noise.generators import bang, band, beep, clicks, decay


def cough(rng: np.random.Generator) -> np.ndarray:
    """An explosive burst, and mostly a hoarse voiced tail; one to three of them."""
    parts = []
    for _ in range(rng.integers(1, 4)):
        envelope = decay(rng.uniform(0.2, 0.35), rng.uniform(0.03, 0.07))
        formant = rng.uniform(500, 1500)
        burst = band(rng.normal(size=len(envelope)), 0.5 * formant, min(4 * formant, 7000)) * envelope
        t = np.arange(len(envelope)) / SAMPLE_RATE
        hum = np.sign(np.sin(2 * np.pi * rng.uniform(120, 300) * t * (1 - 0.5 * t))) * np.roll(envelope, len(t) // 3)
        hum[: len(t) // 3] = 0
        parts += [burst + rng.uniform(0, 0.25) * band(hum, 200, 2500), np.zeros(int(rng.uniform(0.03, 0.2) * 16_000))]
    return np.concatenate(parts[:-1])


def breath(rng: np.random.Generator) -> np.ndarray:
    """Into the microphone."""
    noise = rng.normal(size=int(rng.uniform(0.4, 1.2) * SAMPLE_RATE))
    low = rng.uniform(300, 1200)
    return band(noise, low, low * rng.uniform(2, 4)) * np.hanning(len(noise)) ** rng.uniform(0.5, 2)


def hiss(rng: np.random.Generator) -> np.ndarray:
    """White, pink or brown, for a while: a car, a hair dryer, wind."""
    spectrum = np.fft.rfft(rng.normal(size=int(rng.uniform(0.3, 1.6) * SAMPLE_RATE)))
    noise = np.fft.irfft(spectrum / np.arange(1, len(spectrum) + 1) ** rng.choice([0, 0.5, 1]))
    return noise * np.minimum(1, np.arange(len(noise)) / rng.uniform(20, 4000))


def hum(rng: np.random.Generator) -> np.ndarray:
    """"Mm-hmm" with the mouth closed: one or two nasal syllables, the second one mostly higher."""
    pitch, parts = rng.uniform(85, 280), []
    for _ in range(rng.choice([1, 2, 2, 2, 3])):
        length = int(rng.uniform(0.12, 0.4) * SAMPLE_RATE)
        bend = np.linspace(1, rng.uniform(0.85, 1.25), length)
        phase = 2 * np.pi * np.cumsum(pitch * bend) / SAMPLE_RATE
        tone = sum(np.sin(k * phase + rng.uniform(0, 6)) / k ** rng.uniform(1, 2) for k in range(1, 14))
        nasal = band(tone, 80, rng.uniform(350, 700)) + rng.uniform(0.02, 0.15) * band(tone, 900, 2600)
        parts += [nasal * np.hanning(length) ** 0.4, rng.normal(size=int(rng.uniform(0.01, 0.09) * 16_000)) * 0.02]
        pitch *= rng.uniform(0.9, 1.35)
    return np.concatenate(parts[:-1])


NOISES: tuple[Callable[[np.random.Generator], np.ndarray], ...] = (breath, clicks, hiss, bang, beep)
