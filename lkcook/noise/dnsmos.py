"""DNSMOS: how good a listener would find a recording, from 1 to 5, without knowing how it should have sounded.

Reddy, Gopal, Cutler: "DNSMOS P.835" (ICASSP 2022) and "DNSMOS" (ICASSP 2021, after ITU-T P.808), Microsoft's models by
way of the package speechmos. Its spectrogram is computed here, as librosa does: librosa compiles itself for half a
minute first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

RATE = 16_000
WINDOW = 144_160  # samples: what the models hear at once, 9.01 s
_FRAME, _HOP, _BANDS = 321, 160, 120


@dataclass(frozen=True)
class Opinion:
    """Mean opinion scores, 1 (bad) to 5: the voice (sig), the background (bak), all of it (ovrl), and by P.808."""

    sig: float
    bak: float
    ovrl: float
    p808: float


def opinion(samples: np.ndarray) -> Opinion:
    """The scores of int16 mono at 16 kHz. Takes about 0.3 s for each nine seconds; less sound is repeated to that."""
    scores = [_model()(window / 32768, RATE, False) for window in _windows(samples)]
    kinds = ("sig", "bak", "ovrl", "p808")
    return Opinion(**{kind: float(np.mean([each[f"{kind}_mos"] for each in scores])) for kind in kinds})


def mel_spectrogram(audio: np.ndarray) -> np.ndarray:
    """(frames, 120) of 16 kHz sound: decibels below the loudest band, from -1 (80 less, or more) to 1.

    Slaney's mel bands, frames of 321 samples every 160, as in librosa 0.11's melspectrogram and power_to_db.
    """
    padded = np.pad(audio.astype(np.float64), _FRAME // 2)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FRAME) / _FRAME)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP] * hann
    power = np.abs(np.fft.rfft(frames)) ** 2 @ _bands().T
    decibels = 10 * np.log10(np.maximum(power, 1e-10))
    return (np.maximum(decibels - decibels.max(), -80) + 40) / 40


def _windows(samples: np.ndarray) -> list[np.ndarray]:
    """All of it, window by window; the last one may overlap the one before."""
    if len(samples) < WINDOW:
        return [np.resize(samples, WINDOW)]
    starts = [*range(0, len(samples) - WINDOW, WINDOW), len(samples) - WINDOW]
    return [samples[start : start + WINDOW] for start in starts]


@cache
def _model() -> Any:
    from speechmos import dnsmos

    class Quick(dnsmos.DNSMOS):
        def audio_melspec(self, audio: np.ndarray, **options: Any) -> np.ndarray:
            return mel_spectrogram(audio)

    folder = Path(dnsmos.__file__).parent / "dnsmos_models"
    return Quick(str(folder / "sig_bak_ovr.onnx"), str(folder / "model_v8.onnx"))


@cache
def _bands() -> np.ndarray:
    """(120, 161): triangles between points that are equally far on the mel scale, each with the same area."""
    step, corner, growth = 200 / 3, 1000.0, np.log(6.4) / 27
    highest = corner / step + np.log(RATE / 2 / corner) / growth
    mels = np.linspace(0, highest, _BANDS + 2)
    edges = np.where(mels < corner / step, mels * step, corner * np.exp((mels - corner / step) * growth))
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    hertz = np.fft.rfftfreq(_FRAME, 1 / RATE)
    triangles = np.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle))
    return np.maximum(0, triangles) * 2 / (high - low)
