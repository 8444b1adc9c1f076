"""How much of a recording is the voice that was meant: signal-to-distortion ratio, after the delay is taken out."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.linalg import solve_toeplitz
from scipy.signal import oaconvolve

LEAST, MOST = -30.0, 60.0  # decibels between which a ratio is kept; silence counts as the least
TAPS = 512  # of the filter that is forgiven, half of them before the sound: 21 ms at 24 kHz


def sdr(reference: np.ndarray, heard: np.ndarray, speech: np.ndarray) -> float:
    """Decibels by which the voice in `heard` is stronger than everything else, where `speech` (bool) is true.

    The voice is `reference` (float, as long as `heard`) through whatever filter of `TAPS` fits best: the SDR of BSS
    Eval (Vincent, Gribonval, Févotte: "Performance measurement in blind audio source separation", 2006). So neither
    loudness counts nor a high-pass filter, which turns phases and would cost SI-SDR decibels that nobody hears.
    """
    if not heard.any():
        return LEAST
    own = _correlation(reference, reference, 0, TAPS)
    own[0] *= 1 + 1e-9
    fit = solve_toeplitz(own, _correlation(reference, heard, -TAPS // 2, TAPS // 2))
    voice = oaconvolve(reference, fit)[TAPS // 2 :][: len(heard)]
    rest = (heard - voice)[speech]
    wanted = float(voice[speech] @ voice[speech])
    return float(np.clip(10 * np.log10(max(wanted, 1e-20) / max(rest @ rest, 1e-12 * wanted, 1e-20)), LEAST, MOST))


def lag(reference: np.ndarray, heard: np.ndarray, earliest: int, latest: int) -> int:
    """Samples by which `heard` comes later than `reference`: where they are most alike, between the two bounds."""
    return earliest + int(np.argmax(_correlation(reference, heard, earliest, latest + 1)))


def _correlation(reference: np.ndarray, heard: np.ndarray, first: int, end: int) -> np.ndarray:
    """Of `heard` with `reference`, moved by `first` samples, …, `end` - 1."""
    count = next_fast_len(max(len(reference), len(heard)) + max(abs(first), abs(end)), real=True)
    alike = irfft(rfft(heard, count) * np.conj(rfft(reference, count)), count)
    return alike[np.arange(first, end) % count]
