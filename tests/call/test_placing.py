"""Turns that a realtime model's server finds: when the caller spoke comes from the recording, the commit from the server."""

from __future__ import annotations

import numpy as np
import pytest

from lkcook.audio.caller import Spoken
from lkcook.report.placing import placed
from lkcook.report.recording import Track
from lkcook.report.evidence import Evidence
from lkcook.report.spans import Span, Trace
from lkcook.report.stages import read_turns
from lkcook.report.transcript import Message

RATE = 24_000


def recorded(*spoken: tuple[float, float], seconds: float = 12) -> Track:
    """A track in blocks of 20 ms with a loud tone where somebody spoke."""
    track = Track()
    for start in np.arange(0, seconds, 0.02):
        loud = any(begun <= start < ended for begun, ended in spoken)
        track.add(np.full(RATE // 50, 8000 if loud else 0, np.int16), RATE, float(start))
    return track


def caller(started: float, ended: float, **metrics: float) -> Message:
    return Message("caller", "Hello", started, ended, ended, metrics={"started_speaking_at": started, **metrics})


def agent(started: float, ended: float, interrupted: bool = False) -> Message:
    metrics = {"started_speaking_at": started, "playback_latency": 0.05}
    return Message("agent", "Good morning", started, ended, started, interrupted, metrics)


def test_a_server_that_tells_of_speech_only_with_its_answer_is_corrected_by_the_recording():
    first, _, second, _ = placed([caller(4, 5), agent(5, 6), caller(9, 10), agent(10, 11)], recorded((1, 2), (7, 8)))
    assert (first.started_at, first.ended_at) == pytest.approx((1, 2), abs=0.02)
    assert (second.started_at, second.ended_at) == pytest.approx((7, 8), abs=0.02)


def test_a_server_that_tells_at_once_keeps_its_turn_to_itself():
    (said,) = placed([caller(1.2, 2.5)], recorded((1, 2), (4, 5)))
    assert (said.started_at, said.ended_at) == pytest.approx((1, 2), abs=0.02)


def test_who_interrupts_is_looked_for_in_the_answer_that_was_cut_short():
    messages = [caller(1.2, 2.5), agent(3, 4.5, interrupted=True), caller(7, 8)]
    assert placed(messages, recorded((1, 2), (4, 5)))[-1].started_at == pytest.approx(4, abs=0.02)


def test_what_livekit_has_timed_and_what_nobody_recorded_stay_as_they_are():
    timed, unheard = caller(1.3, 2.2, stopped_speaking_at=2.2), caller(4, 5)
    assert placed([timed], recorded((1, 2))) == [timed]
    assert placed([unheard], recorded()) == [unheard] == placed([unheard], Track())


def test_speech_that_the_button_cut_off_lasts_as_long_as_it_was_heard():
    cut, finished = caller(1, 1.8, stopped_speaking_at=1.8), caller(4, 5, stopped_speaking_at=5)
    first, second = placed([cut, finished], recorded((1, 2), (4, 5)), releases=[2.05, 7])
    assert first.ended_at == pytest.approx(2, abs=0.02) and first.started_at == 1
    assert second == finished, "the voice activity detection heard its silence before the button was released"


def test_a_turn_that_a_button_ended_was_committed_when_it_was_released():
    evidence = Evidence([caller(1, 2), agent(3, 4)], trace=Trace([]), releases=[0.5, 2.1, 5])
    (turn,) = read_turns(evidence, 0)
    assert turn.turn_commit == pytest.approx(100) and turn.first_sample == pytest.approx(1000)


@pytest.mark.parametrize("ended, commit", [(2.4, 400), (3.4, None)], ids=["before the answer", "with the answer"])
def test_the_commit_is_when_the_server_said_that_the_caller_had_stopped(ended, commit):
    trace = Trace([Span("user_speaking", 1.2, ended, 1, None, {})])
    (said,) = placed([caller(1.2, ended)], recorded((1, 2)))
    (row,) = read_turns(Evidence([said, agent(3, 4)], trace=trace, finals=[2.6]), origin=0.0)
    assert row.turn_commit == (None if commit is None else pytest.approx(commit, abs=20))
    assert row.final_transcript == pytest.approx(600, abs=20), "it may come after the commit"


def test_a_line_that_a_server_took_for_two_turns_is_cut_off_though_the_first_was_not_answered():
    spans = [Span("user_speaking", 1.2, 2.3, 1, None, {}), Span("user_speaking", 3.2, 4.4, 2, None, {})]
    said = placed([caller(1.2, 2.3), caller(3.2, 4.4), agent(5, 6)], recorded((1, 2), (3, 4)))
    for line, cut_off in ((Spoken("all", 1, 4), True), (Spoken("the second half", 3, 4), False)):
        (row,) = read_turns(Evidence(said, spoken=[line], trace=Trace(spans)), origin=0.0)
        assert row.cut_off is cut_off
