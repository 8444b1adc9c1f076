"""Pitch, found in sounds whose pitch is known; and pictures that are pictures."""

from __future__ import annotations

import numpy as np
import pytest

from lkcook.audio.clip import Clip
from lkcook.report.answers import Heard, Spoken, TimedWord, compare
from lkcook.report.pitch import median_pitch, pitch, pitch_range
from lkcook.report.plots import plot_pitch, plot_words

RATE = 24_000


def _buzz(hertz: np.ndarray | float, seconds: float = 1.0) -> Clip:
    """Ten harmonics over a pitch that may glide."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hertz, int(seconds * RATE))) / RATE
    return Clip((3000 * sum(np.sin(n * phase) / n for n in range(1, 11))).astype(np.int16), RATE)


@pytest.mark.parametrize("hertz", [80, 120, 200, 330])
def test_the_pitch_of_a_buzz_is_found(hertz: int) -> None:
    assert median_pitch(_buzz(hertz)) == pytest.approx(hertz, rel=0.02)


def test_an_octave_of_glide_is_about_ten_semitones_between_its_tenths() -> None:
    glide = _buzz(100 * 2 ** np.linspace(0, 1, RATE))
    assert pitch_range(glide) == pytest.approx(0.8 * 12, abs=0.6)


@pytest.mark.parametrize("clip", [Clip(np.zeros(RATE, np.int16), RATE), Clip(np.zeros(0, np.int16), RATE)])
def test_silence_has_no_pitch(clip: Clip) -> None:
    assert np.isnan(median_pitch(clip)) and np.isnan(pitch_range(clip)) and not np.isfinite(pitch(clip)[1]).any()


def test_noise_has_hardly_any_pitch() -> None:
    noise = Clip(np.random.default_rng(0).normal(0, 3000, RATE).astype(np.int16), RATE)
    assert np.isfinite(pitch(noise)[1]).mean() < 0.1


def test_pictures_are_png_and_describe_themselves() -> None:
    words = (TimedWord("Hello", 0.1, 0.4), TimedWord("there", 0.5, 0.9))
    drawn = [plot_words(_buzz(120), words), plot_pitch({"low": _buzz(120), "high": _buzz(240)})]
    assert all(plot._repr_png_().startswith(b"\x89PNG") and len(plot.png) > 5_000 for plot in drawn)
    assert "Hello[0.10-0.40]" in repr(drawn[0]) and "low, high" in repr(drawn[1])


def test_a_comparison_shows_each_with_its_label_and_lets_no_markup_through() -> None:
    rows = {"<b>": Heard("<script>", "en"), "sound": Spoken("Hi.", _buzz(120), 50.0)}
    html = compare(rows, "both")._repr_html_()
    assert "<script>" not in html and "<b>" not in html and html.count("<tr>") == 2 and "<audio" in html
    assert "sound" in repr(compare(rows, "both"))
