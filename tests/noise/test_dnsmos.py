"""DNSMOS: noise costs points; its spectrogram is librosa's."""

from __future__ import annotations

import numpy as np

import lkcook
from lkcook.noise.dnsmos import mel_spectrogram, opinion

CLEAN = next(each for each in lkcook.turn_recordings() if each.name == "two-pauses").clip


def test_clean_speech_scores_higher_than_noisy_speech() -> None:
    clean, noisy = opinion(CLEAN.samples), opinion(lkcook.noisy(CLEAN, "hiss", 5).samples)
    for kind in ("sig", "bak", "ovrl", "p808"):
        assert 5 > getattr(clean, kind) > getattr(noisy, kind) + 0.3 > 1, kind


def test_the_spectrogram_is_the_one_that_the_models_were_trained_on() -> None:
    """Worked out by librosa 0.11 through speechmos: a tone of 1 kHz for a second, then quiet noise."""
    sound = np.concatenate([0.5 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000), np.zeros(16_000)])
    sound += 1e-3 * np.random.default_rng(0).standard_normal(len(sound))
    found = mel_spectrogram(sound)
    assert found.shape == (200, 120)
    theirs = {(50, 30): -1.0, (50, 80): -0.8942, (100, 30): -0.0336, (150, 5): -0.7049, (150, 110): -0.9305}
    assert {place: round(float(found[place]), 4) for place in theirs} == theirs
