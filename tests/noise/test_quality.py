"""The signal-to-distortion ratio, and how late a sound is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from lkcook.noise.quality import LEAST, MOST, lag, sdr

RATE = 24_000
VOICE = np.random.default_rng(1).standard_normal(8 * RATE) * 0.1
NOISE = np.random.default_rng(2).standard_normal(8 * RATE) * 0.1
ALL = np.ones(len(VOICE), bool)


@pytest.mark.parametrize("decibels", [-10, 0, 15])
def test_noise_counts_as_distortion(decibels: int) -> None:
    assert sdr(VOICE, VOICE + NOISE * 10 ** (-decibels / 20), ALL) == pytest.approx(decibels, abs=0.3)


def test_neither_loudness_nor_a_filter_nor_a_little_delay_does() -> None:
    filtered = sosfilt(butter(2, 100, "highpass", fs=RATE, output="sos"), VOICE)
    assert sdr(VOICE, 0.1 * VOICE, ALL) == MOST
    assert sdr(VOICE, filtered, ALL) > 20 and sdr(VOICE, np.roll(VOICE, 50), ALL) > 20


def test_silence_is_the_worst_there_is_and_noise_where_nobody_speaks_does_not_count() -> None:
    assert sdr(VOICE, np.zeros_like(VOICE), ALL) == LEAST
    first = np.arange(len(VOICE)) < RATE
    assert sdr(VOICE, VOICE + NOISE * ~first, first) > sdr(VOICE, VOICE + NOISE * ~first, ALL) + 10


@pytest.mark.parametrize("late", [0, 17, 480])
def test_the_delay_of_a_sound_is_found_under_noise(late: int) -> None:
    assert lag(VOICE, np.roll(VOICE, late) + NOISE, 0, RATE // 2) == late
