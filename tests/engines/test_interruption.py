"""Whether a sound interrupts: the same answer every time, never an error, and words are told from what is none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bench.noises import NOISES, cough, hum
from lkcook import pcm
from lkcook.engines.interruption import THRESHOLD, Interruption, Judged, onset
from tests.speech import human, say

RATE = 16_000


@pytest.fixture(scope="module")
def engine() -> Interruption:
    return Interruption()


def in_a_room(sound: np.ndarray, before: float = 1.0) -> np.ndarray:
    """float32 `sound` behind so many seconds of a quiet room."""
    room = np.random.default_rng(0).normal(0, 0.0003, int(before * RATE) + len(sound)).astype(np.float32)
    room[len(room) - len(sound) :] += sound
    return room


def heard(*parts: str | float, seconds: float = 0.6) -> np.ndarray:
    """The first `seconds` of what is said, in a room."""
    return in_a_room(pcm.to_float(say(*parts))[: int(seconds * RATE)])


@pytest.mark.parametrize(
    "words", ["Stop, please.", "Wait a moment.", "No, I meant Tuesday.", "Excuse me, how much is it?", "Hold on."]
)
def test_words_that_want_the_floor_interrupt(engine: Interruption, words: str) -> None:
    assert engine.judge(heard(words)).probability >= THRESHOLD


@pytest.mark.parametrize("words", ["Mm-hmm.", "Uh-huh.", "Yeah.", "Okay.", "Right.", "I see."])
def test_backchannels_do_not(engine: Interruption, words: str) -> None:
    assert engine.judge(heard(words)).probability < THRESHOLD


def test_a_person_who_speaks_on_interrupts(engine: Interruption) -> None:
    for samples, _ in human():
        said = pcm.to_float(samples)
        start = onset(said)
        assert start is not None
        assert engine.judge(in_a_room(said[start : start + RATE])).probability >= THRESHOLD


@pytest.mark.parametrize("make", [cough, hum, *NOISES], ids=lambda make: make.__name__)
def test_what_has_no_words_does_not(engine: Interruption, make: Callable[[np.random.Generator], np.ndarray]) -> None:
    rng = np.random.default_rng(99)
    sounds = [make(rng)[:RATE] for _ in range(8)]
    judged = [engine.judge(in_a_room(sound / np.abs(sound).max() * 0.3)) for sound in sounds]
    assert sum(one.probability >= THRESHOLD for one in judged) <= 1


def test_the_onset_is_told_and_an_older_sound_does_not_count(engine: Interruption) -> None:
    alone = engine.judge(heard("Okay.", seconds=0.4))
    both = np.concatenate([heard("Wait a moment.", seconds=1.0), heard("Okay.", seconds=0.4)])
    behind = engine.judge(both)
    assert abs(alone.seconds - 0.4) < 0.06 and abs(behind.seconds - 0.4) < 0.06
    assert behind.probability < THRESHOLD


@pytest.mark.parametrize("count", [0, 1, 159, 161, RATE, 3 * RATE])
@pytest.mark.parametrize("level", [0.0, 0.3])
def test_any_length_of_silence_or_noise_is_answered(engine: Interruption, count: int, level: float) -> None:
    noise = (np.random.default_rng(0).normal(0, 1, count) * level).astype(np.float32)
    judged = engine.judge(noise)
    assert 0 <= judged.probability <= 1 and 0 <= judged.seconds <= count / RATE
    assert level > 0 or judged == Judged()


def test_how_loud_it_is_does_not_matter_and_nothing_is_changed(engine: Interruption) -> None:
    said = heard("Stop, please.")
    before = said.copy()
    loud, soft = engine.judge(said), engine.judge(said * np.float32(0.3))
    assert abs(loud.probability - soft.probability) < 0.1 and engine.judge(said) == loud
    assert np.array_equal(said, before)
