"""Whether somebody has finished: a hint, the same every time, and never an error, whatever is heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lkcook import pcm
from lkcook.engines import end_of_turn
from lkcook.errors import WeightsError
from tests.speech import human, say

PAUSE = 0.2  # seconds
STOPPED = (0.3, 0.4, 0.5, 0.6, 0.7)  # of what they say


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    end_of_turn.load()


def heard(*parts: str | float) -> np.ndarray:
    return pcm.to_float(say(*parts))


@pytest.mark.parametrize("whole", ["What are your opening hours?", "Could you repeat that?", "Thank you, goodbye."])
def test_a_whole_sentence_sounds_finished(whole: str) -> None:
    assert end_of_turn.probability(heard(whole, PAUSE)) > 0.8


@pytest.mark.parametrize(
    "begun, rest", [("And then, um,", "I left."), ("The thing is that the", "table is too small.")]
)
def test_a_sentence_sounds_more_finished_than_its_beginning(begun: str, rest: str) -> None:
    unfinished, finished = (end_of_turn.probability(heard(text, PAUSE)) for text in (begun, f"{begun} {rest}"))
    assert unfinished + 0.1 < finished


def test_a_person_stopped_in_mid_sentence_seldom_sounds_finished() -> None:
    clips = [pcm.to_float(samples) for samples, _ in human()]
    stopped = [end_of_turn.probability(clip[: int(len(clip) * share)]) for clip in clips for share in STOPPED]
    assert np.median(stopped) < 0.3 < 0.8 < np.median([end_of_turn.probability(clip) for clip in clips])


@pytest.mark.parametrize("count", [0, 1, 399, 16_000 * 8 - 1, 16_000 * 8, 16_000 * 60])
@pytest.mark.parametrize("level", [0.0, 0.5])
def test_any_length_of_silence_or_noise_is_answered(count: int, level: float) -> None:
    noise = np.random.default_rng(0).normal(0, 0.3, count).astype(np.float32) * level
    assert 0 <= end_of_turn.probability(noise) <= 1


def test_only_the_last_eight_seconds_count_and_nothing_is_changed() -> None:
    last = np.concatenate([np.zeros(16_000 * 5, np.float32), heard("Good morning.", PAUSE)])[-16_000 * 8 :]
    more = np.concatenate([np.full(16_000 * 8 - len(last), 0.0, np.float32), last])
    before = more.copy()
    answers = {end_of_turn.probability(samples) for samples in (more, more, np.concatenate([np.ones(9_999), more]))}
    assert len(answers) == 1 and np.array_equal(more, before)


def test_how_loud_it_is_does_not_matter() -> None:
    samples = heard("What are your opening hours?", PAUSE)
    assert abs(end_of_turn.probability(samples * 0.2) - end_of_turn.probability(samples)) < 0.1


def test_in_a_call_a_model_that_is_not_here_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    end_of_turn._model.cache_clear()
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("LKCOOK_CACHE", str(tmp_path))
        with pytest.raises(WeightsError, match="smart-turn"):
            end_of_turn.probability(np.zeros(100, np.float32))
    assert end_of_turn.probability(np.zeros(100, np.float32)) >= 0
