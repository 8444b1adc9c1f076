"""Segments of the waiting time: never negative, always adding up, and what the table says of them."""

from __future__ import annotations

import pytest

from lkcook.report.latency import Latency, segments
from lkcook.report.turns import STAGES, Turn


def turn(transcript=None, commit=None, token=None, byte=None, sample=None, text="Hello.") -> Turn:
    return Turn(text, "Hi.", 1.0, transcript, commit, token, byte, sample)


def test_segments_reach_from_stage_to_stage_and_add_up_to_the_first_sample() -> None:
    parts = segments(turn(300, 500, 800, 1000, 1100))
    assert list(parts) == list(STAGES) and list(parts.values()) == [300, 200, 300, 200, 100]


def test_a_preemptive_first_token_cost_nothing_and_the_wait_is_the_commits() -> None:
    parts = segments(turn(300, 700, 500, 900, 1000))
    assert parts["turn_commit"] == 400 and parts["first_token"] == 0 and sum(parts.values()) == 1000


def test_a_transcript_after_the_commit_was_waited_for_by_nobody() -> None:
    parts = segments(turn(950, 400, 600, 700, 800))
    assert parts["final_transcript"] == 0 and parts["turn_commit"] == 400 and sum(parts.values()) == 800


def test_the_time_of_an_unknown_stage_is_in_the_next_one() -> None:
    assert segments(turn(commit=500, sample=1100)) == {"turn_commit": 500, "first_sample": 600}


def test_stages_before_the_last_syllable_and_behind_the_first_sample_stay_within_the_turn() -> None:
    parts = segments(turn(-200, -100, 300, 900, 800))
    assert list(parts.values()) == [0, 0, 300, 500, 0]


@pytest.mark.parametrize("sample", [None, -50])
def test_a_turn_without_a_first_sample_after_the_last_syllable_has_no_segments(sample) -> None:
    assert segments(turn(100, 200, 300, 400, sample)) == {} and not Latency([turn(sample=sample)]).turns


def test_medians_p90_and_shares_are_of_the_turns_that_know_the_stage() -> None:
    latency = Latency([turn(commit=100, sample=200), turn(commit=300, sample=600), turn(sample=200)])
    commit = latency.stages["turn_commit"]
    assert commit.median == 200 and commit.p90 == pytest.approx(280)
    assert sum(stage.share for stage in latency.stages.values()) == pytest.approx(1)
    assert latency.total.median == 200 and latency.totals == [200, 600, 200]


def test_the_table_names_every_stage_and_lets_no_markup_through() -> None:
    latency = Latency([turn(300, 500, 800, 1000, 1100, "<b>")])
    for shown in (repr(latency), latency._repr_html_()):
        assert all(title in shown for title, _ in STAGES.values())
        assert "1100" in shown and "27" in shown and "share %" in shown
    assert "<b>" not in latency._repr_html_() and "1 turn" in repr(latency)


def test_no_turn_is_no_failure() -> None:
    assert "no turn" in repr(Latency([])) and Latency([]).total is None
    assert Latency([]).plot().png.startswith(b"\x89PNG") and "<table" in Latency([])._repr_html_()
