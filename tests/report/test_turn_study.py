"""When turns would have been committed, against cases worked out by hand; the tables and pictures of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lkcook.audio.clip import Clip
from lkcook.errors import CookError
from lkcook.turns.recordings import TurnRecording
from lkcook.report.answers import TimedWord
from lkcook.report.turn_decisions import Asked, Delays, Trial, frontier, outcome, score, sweep
from lkcook.report.turn_study import TurnStudy

DELAYS = Delays(0.5, 3.0)
PAUSE, END = Asked(1.0, 1.25, until=2.1), Asked(3.0, 3.25)  # a silence of 1.1 s, and the last one


def asked(inside: float | None, last: float | None, threshold: float = 0.4) -> tuple[Asked, Asked]:
    """In a pause of 1.1 s, and at the end, which is at 3 s; with these probabilities."""
    return Asked(1.0, 1.3, inside, threshold, until=2.1), Asked(3.0, 3.3, last, threshold)


def recording(name: str = "one", kind: str = "pause in mid-sentence") -> TurnRecording:
    clip = Clip(np.zeros(7 * 16_000, np.int16), 16_000)
    return TurnRecording(name, kind, "en", clip, "A $table <b>", ((1.0, 2.0),), 3.0, (TimedWord("$table", 0.5, 1.0),))


def study() -> TurnStudy:
    some = [recording("one"), recording("two"), recording("three", "back-channel")]
    good = [Trial(each, asked(0.1, 0.9)) for each in some]
    bad = [Trial(each, (PAUSE, END)) for each in some]
    trials = {"good": good, "bad": bad, "stt": bad}
    return TurnStudy(trials, dict.fromkeys(trials, DELAYS), {"stt"}, ["!"])


def test_a_turn_that_sounds_finished_is_committed_min_delay_after_the_last_speech() -> None:
    assert Asked(3.0, 3.3, 0.9, 0.4).committed(DELAYS) == 3.5
    assert Asked(3.0, 3.3, 0.4, 0.4).committed(DELAYS) == 3.5  # only what is below the threshold is unfinished


def test_one_that_sounds_unfinished_waits_for_max_delay() -> None:
    assert Asked(3.0, 3.3, 0.1, 0.4).committed(DELAYS) == 6.0


def test_an_answer_that_comes_later_than_the_delay_commits_at_once() -> None:
    assert Asked(3.0, 3.8, 0.9, 0.4).committed(DELAYS) == 3.8


def test_what_is_overtaken_first_is_never_committed() -> None:
    assert Asked(1.0, 1.3, 0.9, 0.4, until=1.5).committed(DELAYS) is None
    assert Asked(1.0, 1.3, 0.9, 0.4, until=1.6).committed(DELAYS) == 1.5


def test_without_a_probability_or_a_threshold_every_silence_counts_as_finished() -> None:
    assert Asked(3.0, 3.3).committed(DELAYS) == Asked(3.0, 3.3, 0.1, None).committed(DELAYS) == 3.5


def test_after_a_false_cut_off_the_detector_goes_on_and_the_wait_is_counted_from_the_true_end() -> None:
    result = outcome((PAUSE, END), 2.9, DELAYS)
    assert result.cut_offs == (1.5,) and result.committed == 3.5 and result.wait == pytest.approx(0.6)


def test_a_turn_of_which_the_end_was_never_asked_about_was_never_committed() -> None:
    result = outcome((PAUSE,), 3.0, DELAYS)
    assert result.cut_offs == (1.5,) and result.committed is None and result.wait is None


def test_another_threshold_decides_otherwise() -> None:
    assert outcome(asked(0.3, 0.9), 3.0, DELAYS).cut_offs == ()
    assert outcome(asked(0.3, 0.9), 3.0, DELAYS, 0.2).cut_offs == (1.5,)
    assert outcome(asked(0.3, 0.9), 3.0, DELAYS, 0.95).wait == 3.0


def test_a_back_channel_is_no_turn_and_any_commit_for_it_is_needless() -> None:
    trials = [Trial(recording(), asked(0.1, 0.9)), Trial(recording("b", "back-channel"), asked(0.9, 0.9))]
    found = score(trials, DELAYS)
    assert (found.turns, found.cut_offs, found.waits, found.needless) == (1, 0, (0.5,), 2)


def test_the_sweep_finds_what_a_detector_could_do_and_the_frontier_keeps_only_that() -> None:
    scores = sweep([Trial(recording(), asked(0.1, 0.9)), Trial(recording(), asked(0.3, 0.2))], 2.5)
    best = frontier(scores)
    assert best[0].mean_wait == pytest.approx(0.3) and best[0].cut == 0.5  # 0.2 or less, and one is cut off
    assert best[-1].cut == 0.0 and best[-1].mean_wait == pytest.approx(1.1, abs=0.11)  # a min_delay above the pause
    assert all(a.mean_wait < b.mean_wait and a.cut > b.cut for a, b in zip(best, best[1:]))


def test_a_vad_sweeps_min_delay_alone() -> None:
    assert {each.threshold for each in sweep([Trial(recording(), (PAUSE, END))], 2.5)} == {None}


def test_rows_tell_each_question_and_what_came_of_it() -> None:
    row = study().of("good").rows[0]
    assert row["recording"] == "one" and row["cut_offs"] == [] and row["committed"] == 3.5 and row["wait"] == 0.5
    assert [each["finished"] for each in row["asked"]] == [False, True] and row["asked"][0]["probability"] == 0.1
    assert len(study().rows) == 9 and len(study().of("good").rows) == 3


def test_the_table_counts_cut_offs_waits_and_needless_commits_and_sweeps_only_what_can_be() -> None:
    lines = [line.split() for line in repr(study()).splitlines()]
    assert ["good", "2", "0", "0.50", "0.50", "0", "1", "0%", "0.30"] in lines
    assert ["bad", "2", "2", "0.50", "0.50", "0", "2", "100%", "1.10"] in lines
    assert ["stt", "2", "2", "0.50", "0.50", "0", "2", "–", "–"] in lines
    html = study()._repr_html_()
    assert html.count("<tr>") == 4 and "!</small>" in html and "2 turns, 2 pauses" in html


def test_pictures_render_whatever_the_labels_and_words_hold() -> None:
    drawn = study().plot("two")
    assert "bad: cut off at 1.50 s, committed 0.50 s after the end" in repr(drawn)
    for picture in (drawn, study().plot(0), study().tradeoff(), study().knobs("bad")):
        assert picture.png.startswith(b"\x89PNG") and "<svg" in picture.svg


def test_a_score_can_be_had_with_other_delays_than_those_in_force() -> None:
    now, hasty, patient = study().score("good"), study().score("good", max_delay=0.5), study().score("good", max_delay=4.0)
    assert hasty.cut == 1.0 and patient.cut == 0.0 and patient.delays == replace(now.delays, max_delay=4.0)
    assert min(study().score("good", min_delay=1.5).waits) == 1.5 > min(now.waits)


def test_the_knobs_rows_hold_what_is_drawn() -> None:
    rows = study().knobs("good").rows
    short = next(row for row in rows if row["knob"] == "max_delay" and row["delay"] == 0.5)
    long = next(row for row in rows if row["knob"] == "max_delay" and row["delay"] == 4.0)
    assert short["cut"] == 1.0 and long["cut"] == 0.0  # an unfinished turn that is not granted its pause
    waits = [row["mean_wait"] for row in rows if row["knob"] == "min_delay"]
    assert waits[0] == pytest.approx(0.3) and waits[-1] == 1.5  # no sooner than the answer


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: study().of("nobody"),
        lambda: study().score("nobody"),
        lambda: study().plot("nothing"),
        lambda: study().plot(3),
        lambda: study().knobs("stt"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(wrong) -> None:
    with pytest.raises(CookError):
        wrong()
