"""G.711, the telephone's 8-bit code: µ-law and A-law (ITU-T G.711), by table. Mono, 8 kHz."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np

SAMPLE_RATE = 8_000

Law = Literal["pcmu", "pcma"]


def decode(data: bytes, law: Law) -> np.ndarray:
    """Code words → int16."""
    return _levels(law)[np.frombuffer(data, np.uint8)]


def encode(samples: np.ndarray, law: Law) -> bytes:
    """int16 → the code words of the nearest levels."""
    ordered, words = _ordered(law)
    middles = (ordered[1:].astype(np.int32) + ordered[:-1]) / 2
    return words[np.searchsorted(middles, samples)].tobytes()


@cache
def _levels(law: Law) -> np.ndarray:
    """The sample each of the 256 code words stands for."""
    words = np.arange(256)
    flipped = words ^ (0xFF if law == "pcmu" else 0x55)
    exponent, mantissa = (flipped >> 4) & 7, flipped & 0x0F
    if law == "pcmu":
        size = (((mantissa << 3) + 0x84) << exponent) - 0x84
        negative = flipped & 0x80 != 0
    else:
        size = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
        negative = flipped & 0x80 == 0
    return np.where(negative, -size, size).astype(np.int16)


@cache
def _ordered(law: Law) -> tuple[np.ndarray, np.ndarray]:
    """The levels from low to high, and their code words."""
    words = np.argsort(_levels(law), kind="stable").astype(np.uint8)
    return _levels(law)[words], words
