"""A noise behind a clip: as much quieter than the speech as was asked, pauses not counted."""

from __future__ import annotations

import numpy as np
import pytest

import lkcook
from lkcook.audio.clip import Clip
from tests.scripted_models import tone

RATE = 16_000
PAUSED = np.concatenate([tone(0.5, 440, RATE), np.zeros(2 * RATE, np.int16), tone(0.5, 440, RATE)])
LOUD = np.flatnonzero(np.repeat([True, False, True], [RATE // 2, 2 * RATE, RATE // 2]))


def measured(clean: np.ndarray, mixed: np.ndarray, speech: np.ndarray) -> float:
    """Decibels: the speech where there is some, against all that was added."""
    added = mixed.astype(float) - clean
    return 10 * np.log10(np.mean(clean[speech].astype(float) ** 2) / np.mean(added**2))


@pytest.mark.parametrize("snr", [-5.0, 0.0, 5.0, 20.0])
@pytest.mark.parametrize("name", ["office", "hiss", "second talker"])
def test_the_ratio_that_is_asked_for_is_the_one_that_is_measured(name: str, snr: float) -> None:
    quiet = PAUSED // 8
    mixed = lkcook.noisy(Clip(quiet, RATE), name, snr)
    assert measured(quiet, mixed.samples, LOUD) == pytest.approx(snr, abs=0.1)


def test_the_clip_keeps_its_length_its_rate_and_its_channels() -> None:
    for samples, rate in ((PAUSED, 16_000), (PAUSED, 48_000), (np.stack([PAUSED, PAUSED], axis=1), 24_000)):
        mixed = lkcook.noisy(Clip(samples, rate), "street", 10)
        assert mixed.samples.shape == samples.shape and mixed.sample_rate == rate and mixed.samples.dtype == np.int16


def test_what_would_be_too_loud_is_made_quieter_and_keeps_its_ratio() -> None:
    loud = (PAUSED.astype(float) * 4).clip(-32768, 32767).astype(np.int16)
    mixed = lkcook.noisy(Clip(loud, RATE), "hiss", -10).samples.astype(float)
    assert 32_000 < np.abs(mixed).max() < 32_768
    tone_left = mixed[LOUD] @ loud[LOUD] / (loud[LOUD].astype(float) @ loud[LOUD])
    assert tone_left < 0.8
    assert measured(loud * tone_left, mixed, LOUD) == pytest.approx(-10, abs=0.3)


def test_a_sound_of_ones_own_is_repeated_to_the_length_of_the_clip() -> None:
    beep = Clip(tone(0.25, 1000, RATE, 500), RATE)
    added = lkcook.noisy(Clip(PAUSED, RATE), beep, 12).samples.astype(int) - PAUSED
    assert np.abs(added[: RATE // 4] - added[RATE : RATE + RATE // 4]).max() <= 1 and added[-RATE // 4 :].any()


def test_silence_as_a_noise_changes_nothing() -> None:
    silence = Clip(np.zeros(RATE, np.int16), RATE)
    assert np.array_equal(lkcook.noisy(Clip(PAUSED, RATE), silence, 5).samples, PAUSED)


def test_an_unknown_noise_and_a_silent_clip_are_refused() -> None:
    with pytest.raises(lkcook.CookError, match="no noise 'rain'"):
        lkcook.noisy(Clip(PAUSED, RATE), "rain", 5)
    with pytest.raises(lkcook.CookError, match="no speech"):
        lkcook.noisy(Clip(np.zeros(RATE, np.int16), RATE), "hiss", 5)
