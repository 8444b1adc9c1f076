"""The melody of a voice: its pitch over time."""

from __future__ import annotations

import numpy as np

from lkcook.audio.clip import Clip

_LOWEST, _HIGHEST = 60.0, 500.0  # Hz: from a deep man's voice to an excited woman's
_WINDOW, _STEP = 0.05, 0.01  # seconds
_ALIKE = 0.6  # of the energy: what is less periodic has no pitch
_NEARLY = 0.85
_LOUD = 0.05  # of the loudest sample


def pitch(clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """Times (seconds) and fundamental frequency (Hz, NaN where nothing is voiced), by autocorrelation.

    clip: one voice, mono or with two equal channels.
    """
    samples = clip.mono(clip.sample_rate).astype(np.float64)
    size, step = round(_WINDOW * clip.sample_rate), round(_STEP * clip.sample_rate)
    if len(samples) < size:
        return np.zeros(0), np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::step]
    window = np.hanning(size)
    frames = (frames - frames.mean(axis=1, keepdims=True)) * window
    likeness = _autocorrelation(frames) / _autocorrelation(window[None]).clip(1e-3)  # the window's own fall taken out
    shortest, longest = round(clip.sample_rate / _HIGHEST), round(clip.sample_rate / _LOWEST)
    lags = shortest + _first_peak(likeness[:, shortest:longest])
    energy = likeness[:, 0]
    voiced = likeness[np.arange(len(lags)), lags] > _ALIKE * energy
    loud = np.abs(frames).max(axis=1) > _LOUD * np.abs(samples).max()
    times = (np.arange(len(lags)) * step + size / 2) / clip.sample_rate
    return times, np.where(voiced & loud, clip.sample_rate / lags, np.nan)


def _first_peak(likeness: np.ndarray) -> np.ndarray:
    """The shortest lag that is nearly as good as the best: twice a period fits as well, and would be an octave off."""
    good = likeness >= _NEARLY * likeness.max(axis=1, keepdims=True)
    rises = np.diff(likeness, axis=1, prepend=-np.inf) > 0
    falls = np.diff(likeness, axis=1, append=-np.inf) <= 0
    return np.argmax(good & rises & falls, axis=1)


def _autocorrelation(frames: np.ndarray) -> np.ndarray:
    size = frames.shape[1]
    return np.fft.irfft(np.abs(np.fft.rfft(frames, 2 * size, axis=1)) ** 2, axis=1)[:, :size]


def median_pitch(clip: Clip) -> float:
    """Hz; NaN when nothing is voiced."""
    _, hertz = pitch(clip)
    return float(np.nanmedian(hertz)) if np.isfinite(hertz).any() else float("nan")


def pitch_range(clip: Clip) -> float:
    """Semitones between the 10th and the 90th percentile: how lively a voice is. NaN when nothing is voiced."""
    _, hertz = pitch(clip)
    if not np.isfinite(hertz).any():
        return float("nan")
    low, high = np.nanpercentile(hertz, [10, 90])
    return float(12 * np.log2(high / low))
