"""The noise of a quiet room."""

from __future__ import annotations

import numpy as np

from lkcook.engines.speech_to_text import SAMPLE_RATE
from lkcook.noise.generators import pink
from lkcook.noise.mixing import rms

FRAME = SAMPLE_RATE // 20


def floor(samples: np.ndarray) -> float:
    """RMS of the quietest 50 ms."""
    return min(rms(frame) for frame in samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME))


def with_room(samples: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of RMS `level` wherever there is no sound at all: a pause in a room is no digital zero."""
    noise = pink(len(samples), rng)
    return samples + (samples == 0) * noise * level / rms(noise)
