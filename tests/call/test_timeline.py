"""The timeline and the latency of whole calls: evidence of real sessions, in the order in which it must come."""

from __future__ import annotations

import pytest

from lkcook.call import talk
from lkcook.report.latency import segments
from tests.call.conftest import Beep, BeepingCaller, Clock
from tests.scripted_models import ScriptedSTT, ToolCall


def times(timeline, lane, kind):
    return [mark.at for mark in timeline.lanes[lane].marks if mark.kind == kind]


async def test_every_lane_of_a_real_call_is_filled_and_words_precede_sound_precedes_the_agent(pipeline, agent):
    call = await talk(pipeline(), agent, caller=BeepingCaller([0.4]))
    timeline, (turn,) = call.timeline(), call.turns

    for name, lane in timeline.lanes.items():
        assert lane.stretches or lane.marks or lane.wave.any(), name
    heard = turn.last_syllable + turn.first_sample / 1000
    (token,), (byte,) = times(timeline, "LLM", "first token"), times(timeline, "TTS", "first byte")
    words, arrivals = times(timeline, "LLM", "words"), times(timeline, "TTS", "sound arrived")
    assert token <= words[0] < arrivals[0] < heard and token < byte <= arrivals[0] < heard
    assert times(timeline, "transcript", "interim transcript")[0] < times(timeline, "transcript", "final transcript")[0]
    commit = turn.last_syllable + turn.turn_commit / 1000
    assert times(timeline, "end of turn", "turn commit") == pytest.approx([commit])
    assert timeline.png and timeline.interactive().document and "Hello there." in repr(timeline)


async def test_segments_of_a_real_turn_add_up(pipeline, agent):
    call = await talk(pipeline(["One.", "Two."], ["Uno.", "Dos."]), agent, caller=BeepingCaller([0.4, 0.4]))

    for turn in call.turns:
        parts = segments(turn)
        assert len(parts) == 5 and min(parts.values()) >= 0 and sum(parts.values()) == pytest.approx(turn.first_sample)
    assert call.latency().totals == pytest.approx([turn.first_sample for turn in call.turns])
    assert call.timeline(-1).start > call.turns[0].last_syllable, "the second turn alone"


async def test_a_preemptive_generation_begins_before_the_commit_in_its_lane(pipeline, agent):
    hearing = ScriptedSTT(["Hello there."], silence=0.3, preflight=True)
    call = await talk(pipeline(hearing, min_delay=0.4), agent, caller=BeepingCaller([0.4]))

    timeline = call.timeline()
    (commit,) = times(timeline, "end of turn", "turn commit")
    assert timeline.lanes["LLM"].stretches[0].started_at < times(timeline, "LLM", "first token")[0] < commit
    assert segments(call.turns[0])["first_token"] == 0


async def test_an_interrupted_answer_is_marked_where_its_sound_ends(pipeline, agent):
    story = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    session = pipeline(["Tell me.", "Stop."], [story, "All right."])
    call = await talk(session, agent, caller=BeepingCaller([0.4, Beep(0.9, barge_in=0.6)]))

    told = next(u for u in call.transcript if u.who == "agent")
    cuts = [moment.at for moment in call.timeline().moments if moment.kind == "interruption"]
    assert cuts == [told.ended_at]


async def test_a_function_stands_in_the_language_models_lane(pipeline):
    session = pipeline(["What time is it?"], [ToolCall("look_at_the_clock"), "It is nine."])
    call = await talk(session, Clock(instructions="Tell the time."), caller=BeepingCaller([0.4]))

    assert ("function", "look_at_the_clock") in [(s.kind, s.text) for s in call.timeline().lanes["LLM"].stretches]
