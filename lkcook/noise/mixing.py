"""Speech and noise together, one so much louder than the other."""

from __future__ import annotations

import numpy as np

from lkcook.audio.clip import Clip
from lkcook.errors import CookError
from lkcook.noise.generators import sampled
from lkcook.noise.sounds import noise as made

FRAME = 0.02  # seconds
SPEECH = 30.0  # decibels below its loudest frame: what is quieter is a pause
_PEAK = 0.99


def rms(samples: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(samples**2)))


def with_noise(samples: np.ndarray, noise: np.ndarray, decibels: float, speech: np.ndarray) -> np.ndarray:
    """`samples` and `noise` (float, as long), the first so much louder where `speech` (bool, as long) is true."""
    level = rms(noise)
    return samples if level == 0 else samples + noise * rms(samples[speech]) / level * 10 ** (-decibels / 20)


def speaking(samples: np.ndarray, rate: int) -> np.ndarray:
    """Where somebody speaks in a recording without noise (float): bool, as long.

    That is each 20 ms which is at most `SPEECH` decibels quieter than the loudest; in digital silence, nowhere.
    """
    step = int(FRAME * rate)
    frames = np.pad(samples, (0, -len(samples) % step)).reshape(-1, step)
    power = np.mean(frames**2, axis=1)
    loud = (power > 0) & (power >= power.max(initial=0.0) * 10 ** (-SPEECH / 10))
    return np.repeat(loud, step)[: len(samples)]


def noisy(clip: Clip, noise: str | Clip, snr: float) -> Clip:
    """`clip` with a noise behind it: as long, at the same rate, with as many channels.

    noise: a name (`lkcook.noises()`), or a sound of your own, which is repeated to the clip's length. snr: decibels by
    which the speech is louder than the noise; the pauses of `clip`, which should have no noise yet, do not count. Where
    the sum would be too loud for 16 bit, all of it is made quieter. Raises CookError for an unknown noise, and when
    there is nothing to be heard in `clip`.
    """
    rate = clip.sample_rate
    mono = clip.mono(rate) / 32768
    speech = speaking(mono, rate)
    if not speech.any():
        raise CookError("There is no speech in this clip that a noise could be behind.", "Give one with sound.")
    behind = np.resize(sampled(made(noise) if isinstance(noise, str) else noise, rate), len(mono))
    added = with_noise(mono, behind, snr, speech) - mono
    mixed = clip.samples / 32768 + (added if clip.channels == 1 else added[:, None])
    loudest = float(np.abs(mixed).max())
    quieter = mixed * min(1.0, _PEAK / loudest)
    return Clip(np.round(quieter * 32768).astype(np.int16), rate, clip.labels)
