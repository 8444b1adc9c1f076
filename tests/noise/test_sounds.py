"""Background noises: equally loud, the same each time, repeated without a click; and named with their makers."""

from __future__ import annotations

import numpy as np
import pytest

import lkcook
from lkcook.noise.scenes import FOLDER
from lkcook.noise.sounds import LEVEL, NAMES, RATE, noise


@pytest.mark.parametrize("name", NAMES)
def test_a_noise_is_as_long_and_as_loud_as_promised_and_the_same_each_time(name: str) -> None:
    clip = noise(name, 3.0)
    assert clip.sample_rate == RATE == 24_000 and clip.samples.shape == (72_000,) and clip.samples.dtype == np.int16
    assert np.std(clip.samples / 32768) == pytest.approx(LEVEL, rel=0.01)
    assert np.abs(clip.samples.astype(int)).max() < 16_000
    assert np.array_equal(clip.samples, noise(name, 3.0).samples)


@pytest.mark.parametrize("name", NAMES)
def test_the_end_of_a_noise_goes_over_into_its_beginning(name: str) -> None:
    samples = noise(name, 3.0).samples.astype(float)
    steps = np.abs(np.diff(samples, prepend=samples[-1]))
    assert steps[0] <= np.percentile(steps[1:], 99)


def test_no_two_noises_are_alike() -> None:
    sounds = [noise(name, 2.0).samples / 32768 / LEVEL for name in NAMES]
    alike = np.abs(np.corrcoef(sounds) - np.eye(len(sounds)))
    assert alike.max() < 0.5


@pytest.mark.parametrize("seconds", [0.02, 0.5, 30.0])
def test_a_noise_may_be_shorter_or_longer_than_what_it_is_made_of(seconds: float) -> None:
    assert noise("crowd", seconds).duration == pytest.approx(seconds)
    assert noise("music", seconds).duration == pytest.approx(seconds)


def test_an_unknown_noise_is_refused_with_those_there_are() -> None:
    with pytest.raises(lkcook.CookError, match="no noise 'rain'[^$]*office, street, crowd"):
        noise("rain")


def test_the_table_tells_of_each_noise_who_made_it_and_under_which_licence_and_plays_it() -> None:
    table = lkcook.noises()
    assert [row["name"] for row in table.rows] == list(NAMES)
    assert all("Apache-2.0" in row["origin"] or "CC BY 4.0" in row["origin"] for row in table.rows)
    html = table._repr_html_()
    assert html.count("<audio") == len(NAMES) and "freesound.org" in html
    assert all(name in html and name in repr(table) for name in NAMES)


def test_the_recorded_noises_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 1e6
