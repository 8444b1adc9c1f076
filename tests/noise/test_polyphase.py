"""The resampler of a stream: what passes, what does not, and how much it holds back."""

from __future__ import annotations

import numpy as np
import pytest

from lkcook.noise.polyphase import Polyphase, held_back
from tests.noise.measures import in_pieces, pink
from tests.scripted_models import tone

PAIRS = [(24_000, 48_000), (48_000, 24_000), (24_000, 16_000), (8_000, 48_000), (44_100, 16_000), (22_050, 48_000)]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_the_cut_changes_no_sample_and_nothing_is_lost(source: int, target: int) -> None:
    samples, stream = pink(source, seconds=1), Polyphase(source, target)
    pieces = [stream.push(piece) for piece in in_pieces(samples, np.random.default_rng(source), most=500)]
    whole = Polyphase(source, target)
    assert np.array_equal(np.concatenate(pieces), whole.push(samples))
    assert sum(map(len, pieces)) == whole.given(len(samples)) and target - sum(map(len, pieces)) < target / 100


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_needed_is_the_fewest_samples_after_which_so_many_come_out(source: int, target: int) -> None:
    stream = Polyphase(source, target)
    for given in (1, 2, 147, 480, 12_345):
        assert stream.given(stream.needed(given)) >= given > stream.given(stream.needed(given) - 1)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_tones_pass_in_their_place_and_what_the_target_cannot_hold_does_not(source: int, target: int) -> None:
    lower = min(source, target) / 2
    for hertz in (100, 0.5 * lower, 0.85 * lower):
        out = Polyphase(source, target).push(tone(0.5, hertz, source))
        assert np.abs(out - tone(0.5, hertz, target)[: len(out)].astype(int))[target // 20 :].max() <= 20  # of 8000
    if source > target:
        out = Polyphase(source, target).push(tone(0.5, 1.05 * lower, source))
        assert np.abs(out[target // 20 :]).max() <= 8


@pytest.mark.parametrize("level", [-32768, -1, 1, 32767])
def test_a_constant_stays_what_it_is(level: int) -> None:
    out = Polyphase(44_100, 48_000).push(np.full(4410, level, np.int16))
    assert set(out[200:]) == {level}


def test_equal_rates_let_everything_pass_at_once() -> None:
    samples = pink(16_000)
    assert Polyphase(16_000, 16_000).push(samples) is samples
    assert held_back(16_000, 16_000, 160) == 159


@pytest.mark.parametrize(
    ("rate", "native", "hop"), [(24_000, 48_000, 480), (44_100, 16_000, 128), (12_345, 16_000, 160)]
)
def test_no_more_is_held_back_than_the_worst_cut_needs(rate: int, native: int, hop: int) -> None:
    there, back = Polyphase(rate, native), Polyphase(native, rate)
    missing = [pushed - back.given(there.given(pushed) // hop * hop) for pushed in range(100_000)]
    assert held_back(rate, native, hop) == max(missing)
