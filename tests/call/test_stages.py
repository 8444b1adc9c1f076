"""Rows of the turns table from evidence written by hand: who belongs to whom, and what stays unknown."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lkcook.report.evidence import Evidence
from lkcook.report.stages import read_turns
from lkcook.report.transcript import Message, Transcript


@dataclass(frozen=True)
class Said:
    text: str
    started_at: float
    ended_at: float


def caller(text: str, started: float, ended: float, commit: float | None = None) -> Message:
    metrics = {"started_speaking_at": started, "stopped_speaking_at": ended}
    if commit is not None:
        metrics |= {"transcription_delay": 0.1, "end_of_turn_delay": commit - ended}
    return Message("caller", text, started, ended, ended, metrics=metrics)


def agent(text: str, started: float, ended: float, **more) -> Message:
    return Message("agent", text, started, ended, started, metrics={"started_speaking_at": started}, **more)


def turns(*messages: Message, spoken=(), **more):
    return read_turns(Evidence(messages, spoken=spoken, **more), origin=0.0)


def test_the_last_syllable_is_the_end_of_the_line_that_was_spoken():
    (row,) = turns(caller("Hi.", 1, 2.1, 2.5), agent("Hello.", 3, 4), spoken=[Said("Hi!", 1, 2)])
    assert row.last_syllable == 2 and row.first_sample == 1000 and row.turn_commit == pytest.approx(500)
    assert row.lines == ("Hi!",) and not row.cut_off


def test_of_a_person_the_last_syllable_is_what_livekit_heard():
    (row,) = turns(caller("Hi.", 1, 2.1, 2.5), agent("Hello.", 3, 4))
    assert row.last_syllable == 2.1


def test_two_lines_joined_into_one_turn_belong_to_it():
    lines = [Said("Well", 1, 1.5), Said("hello", 2, 2.4)]
    (row,) = turns(caller("Well hello", 1, 2.4, 2.8), agent("Hello.", 3, 4), spoken=lines)
    assert row.lines == ("Well", "hello") and row.last_syllable == 2.4 and not row.cut_off


def test_a_line_answered_in_its_pause_is_cut_off_on_its_first_turn():
    line = Said("At seven tonight", 1, 4)
    first, second = turns(
        caller("At seven", 1, 2, 2.3),
        agent("Seven", 2.8, 3.3, interrupted=True),
        caller("tonight", 3.2, 4, 4.3),
        agent("Tonight.", 4.8, 5),
        spoken=[line],
    )
    assert first.cut_off and first.last_syllable == 2, "its own last syllable came before the pause"
    assert not second.cut_off and second.last_syllable == 4


def test_a_turn_committed_in_a_pause_and_never_answered_is_visible_on_the_next():
    (row,) = turns(
        caller("At seven", 1, 2, 2.3), caller("tonight", 3, 4, 4.3), agent("Tonight.", 4.8, 5),
        spoken=[Said("At seven tonight", 1, 4)],
        trace=committed(2.3),
    )
    assert row.text == "tonight" and row.cut_off


def test_barging_in_is_not_being_cut_off():
    rows = turns(
        caller("Tell me", 1, 2, 2.3), agent("Once", 3, 5.2, interrupted=True),
        caller("Stop", 5, 6, 6.3), agent("Yes.", 6.8, 7),
        spoken=[Said("Tell me", 1, 2), Said("Stop", 5, 6)],
    )
    assert [row.cut_off for row in rows] == [False, False] and [row.interrupted for row in rows] == [True, False]


def test_a_turn_that_was_not_answered_has_no_row():
    rows = turns(caller("Hello?", 1, 2, 2.3), caller("Anyone?", 3, 4, 4.3), agent("Yes.", 5, 6))
    assert [row.text for row in rows] == ["Anyone?"]


def test_what_nobody_recorded_stays_empty():
    (row,) = turns(caller("Hi.", 1, 2), agent("Hello.", 3, 4))
    assert [value for value in row.stages().values() if value is not None] == [row.first_sample] == [1000]
    assert set(row.stages("turn_commit").values()) == {None}


def test_the_recording_decides_when_the_first_sample_was_heard():
    (row,) = turns(caller("Hi.", 1, 2, 2.3), agent("Hello.", 3, 4), first_sound=lambda after, before: 3.2)
    assert row.first_sample == pytest.approx(1200)


def test_medians_are_taken_over_the_turns_that_know_a_stage():
    rows = turns(
        *(caller("a", 1, 2, 2.2), agent("A", 3, 4)),
        *(caller("b", 5, 6, 6.4), agent("B", 6.5, 7)),
        *(caller("c", 8, 9), agent("C", 9.7, 10)),
    )
    assert rows.medians()["turn_commit"] == pytest.approx(300) and rows.medians()["first_sample"] == pytest.approx(700)
    assert rows.medians("turn_commit")["first_sample"] == pytest.approx((800 + 100) / 2)


def test_a_transcript_is_in_order_of_speaking_whatever_order_it_came_in():
    said = Transcript.of([agent("Hello.", 3, 4), caller("Hi.", 1, 2)], origin=1.0)
    assert [(u.who, u.started_at) for u in said] == [("caller", 0), ("agent", 2)]
    assert "nothing was said" in repr(Transcript()) and "Hello." in said._repr_html_()


def committed(at: float):
    """A trace with one user turn that was committed at `at`."""
    from lkcook.report.spans import Span, Trace

    turn = Span("user_turn", at - 1.3, at, 1, None, {})
    return Trace([turn, Span("eou_wait", at - 0.3, at, 2, 1, {"lk.eou.outcome": "committed"})])
