"""Whole calls through `talk()`: pipeline, caller and listener are real, only the models follow a script."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from livekit.agents import Agent

from lkcook.audio.caller import ScriptedCaller
from lkcook.audio.line import Line
from lkcook.audio.listener import RecordedListener
from lkcook.call import last_call, talk
from tests.call.conftest import CALLER_HZ, Beep, BeepingCaller, Clock
from tests.scripted_models import RATE, ScriptedSTT, ToolCall, tone

STORY = "Once upon a time there was a king who had three sons and a very long story to tell."


def loudest_hz(samples: np.ndarray, started_at: float, ended_at: float) -> float:
    """The frequency that dominates this stretch (seconds) of a mono clip at RATE."""
    stretch = samples[round(started_at * RATE) : round(ended_at * RATE)].astype(float)
    spectrum = np.abs(np.fft.rfft(stretch * np.hanning(len(stretch))))
    return float(np.argmax(spectrum) * RATE / len(stretch))


async def test_a_conversation_of_two_lines_is_written_down(pipeline, agent):
    session = pipeline(["Hello there.", "What time is it?"], ["Good morning to you.", "It is nine o'clock."])
    call = await talk(session, agent, caller=BeepingCaller([0.4, 0.5]))

    assert [(u.who, u.text.strip()) for u in call.transcript] == [
        ("caller", "Hello there."),
        ("agent", "Good morning to you."),
        ("caller", "What time is it?"),
        ("agent", "It is nine o'clock."),
    ]
    times = [moment for u in call.transcript for moment in (u.started_at, u.ended_at)]
    assert times == sorted(times) and 0 < times[0] and times[-1] <= call.duration
    assert not any(u.interrupted for u in call.transcript)
    session.llm.assert_complete()


async def test_every_turn_has_its_stages_in_order(pipeline, agent):
    session = pipeline(["Hello there.", "What time is it?"], ["Good morning to you.", "It is nine o'clock."])
    call = await talk(session, agent, caller=BeepingCaller([0.4, 0.5]))

    assert [turn.text for turn in call.turns] == ["Hello there.", "What time is it?"]
    for turn, line in zip(call.turns, call.caller.spoken):
        assert turn.last_syllable == pytest.approx(line.ended_at - call.started_at)
        stages = list(turn.stages().values())
        assert None not in stages and stages == sorted(stages) and stages[0] > 0
        assert turn.stages("turn_commit")["first_sample"] == turn.first_sample - turn.turn_commit
        assert turn.lines == (line.text,) and not turn.cut_off


async def test_the_recording_has_the_caller_left_and_the_agent_right_when_they_spoke(pipeline, agent):
    call = await talk(pipeline(), agent, caller=BeepingCaller([0.5]))

    recording = call.recording
    assert recording.sample_rate == RATE and recording.samples.dtype == np.int16 and recording.samples.shape[1] == 2
    left, right = recording.samples.T
    (line,), reply = call.caller.spoken, call.transcript[-1]
    beep = (line.started_at - call.started_at + 0.1, line.ended_at - call.started_at - 0.1)
    assert loudest_hz(left, *beep) == pytest.approx(CALLER_HZ, abs=10)
    assert loudest_hz(right, reply.started_at + 0.1, reply.ended_at - 0.15) == pytest.approx(440, abs=10)
    assert not right[: round(beep[1] * RATE)].any(), "the agent was silent while the caller spoke"


async def test_an_interrupted_reply_keeps_only_what_was_heard(pipeline, agent):
    session = pipeline(["Tell me a story.", "Stop."], [STORY, "All right."])
    events: list[tuple[str, object]] = []
    caller = BeepingCaller([0.4, Beep(0.9, barge_in=0.6)])
    call = await talk(session, agent, caller=caller, on_event=lambda *event: events.append(event))

    told = next(u for u in call.transcript if u.who == "agent")
    cut = events.index(("interrupted", told.text))
    assert events[cut - 1] == ("agent", told.text), "whoever follows live learns that it was cut short"
    assert told.interrupted and STORY.startswith(told.text.strip()) and len(told.text.split()) < len(STORY.split())
    assert call.transcript[-1].text.strip() == "All right."
    _, right = call.recording.samples.T
    silent = right[round((told.ended_at + 0.1) * RATE) : round((call.transcript[-1].started_at - 0.1) * RATE)]
    assert len(silent) and not silent.any(), "what was interrupted is not in the recording"
    assert [turn.interrupted for turn in call.turns] == [True, False]


async def test_an_agent_that_greets_is_heard_before_the_caller_speaks(pipeline):
    class Greeter(Agent):
        async def on_enter(self) -> None:
            self.session.say("Welcome to the museum.")

    call = await talk(pipeline(), Greeter(instructions="Greet."), caller=BeepingCaller([0.4]))

    assert [u.who for u in call.transcript] == ["agent", "caller", "agent"]
    greeting, question, _ = call.transcript
    assert greeting.text == "Welcome to the museum." and greeting.ended_at <= question.started_at
    assert len(call.turns) == 1, "a greeting answers nobody"


async def test_a_tool_call_is_part_of_the_turn(pipeline):
    session = pipeline(["What time is it?"], [ToolCall("look_at_the_clock"), "It is nine."])
    call = await talk(session, Clock(instructions="Tell the time."), caller=BeepingCaller([0.4]))

    (turn,) = call.turns
    assert turn.tools == ("look_at_the_clock",) and turn.reply.strip() == "It is nine."
    assert turn.turn_commit < turn.first_token < turn.first_audio_byte < turn.first_sample
    session.llm.assert_complete()


async def test_a_preemptive_generation_shows_its_first_token_before_the_turn_commit(pipeline, agent):
    hearing = ScriptedSTT(["Hello there."], silence=0.3, preflight=True)
    call = await talk(pipeline(hearing, min_delay=0.4), agent, caller=BeepingCaller([0.4]))

    (turn,) = call.turns
    assert 0 < turn.first_token < turn.turn_commit < turn.first_audio_byte
    assert turn.stages("turn_commit")["first_token"] < 0


async def test_a_discarded_preemptive_generation_is_not_taken_for_the_answer(pipeline):
    class Editor(Agent):
        async def on_user_turn_completed(self, turn_ctx, new_message) -> None:
            turn_ctx.add_message(role="system", content="The context changed: what was generated early is void.")

    hearing = ScriptedSTT(["Hello there."], silence=0.3, preflight=True)
    session = pipeline(hearing, min_delay=0.4)
    call = await talk(session, Editor(instructions="Be brief."), caller=BeepingCaller([0.4]))

    (turn,) = call.turns
    assert len(session.llm.calls) == 2 and turn.first_token > turn.turn_commit


async def test_a_line_answered_in_its_pause_is_flagged_as_cut_off_once(pipeline, agent):
    session = pipeline(["At seven", "tonight, please."], ["Seven in the morning it is.", "Tonight at seven, then."])
    call = await talk(session, agent, caller=BeepingCaller([Beep(2.0, gap=(0.4, 0.8)), 0.4]))

    assert [turn.cut_off for turn in call.turns].count(True) == 1
    assert call.turns[0].cut_off and call.turns[0].text == "At seven"


async def test_two_calls_in_a_row_have_nothing_in_common(pipeline, agent):
    first = await talk(pipeline(), agent, caller=BeepingCaller([0.4]))
    second = await talk(pipeline(["And again."]), Agent(instructions="Anew."), caller=BeepingCaller([0.4]))

    assert last_call() is second is not first
    assert first.transcript.by("caller") == ["Hello there."] and second.transcript.by("caller") == ["And again."]
    assert len(first.turns) == len(second.turns) == 1 and second.turns[0].first_token > 0


async def test_two_calls_at_the_same_time_do_not_mix(pipeline):
    calls = await asyncio.gather(
        talk(pipeline(["One."], ["Uno."]), Agent(instructions="a"), caller=BeepingCaller([0.3])),
        talk(pipeline(["Two."], ["Dos."]), Agent(instructions="b"), caller=BeepingCaller([0.5])),
    )

    assert [call.transcript.by("caller") for call in calls] == [["One."], ["Two."]]
    assert [len(call.trace.named("user_turn")) for call in calls] == [1, 1]


async def test_listeners_to_a_running_call_hear_both_sides_and_the_states(pipeline, agent):
    told = []
    await talk(pipeline(), agent, caller=BeepingCaller([0.4]), on_event=lambda *event: told.append(event))

    assert ("interim", "Hello") in told and ("user", "Hello there.") in told
    assert [payload.strip() for kind, payload in told if kind == "agent"] == ["Good morning to you."]
    assert [payload for kind, payload in told if kind == "state" and payload[0] == "agent"] == [
        ("agent", state) for state in ("listening", "thinking", "speaking", "listening")
    ]


async def test_what_the_devices_tell_reaches_the_reader_until_the_call_is_over(pipeline, agent):
    class Replaced(RecordedListener):
        async def start(self) -> None:
            await super().start()
            self.on_note("The speaker 'usb' was lost.")

        async def aclose(self) -> None:
            await super().aclose()
            self.on_note("3 blocks were lost.")

    listener, notes = Replaced(), []
    await talk(
        pipeline(),
        agent,
        caller=BeepingCaller([0.4]),
        listener=listener,
        on_event=lambda kind, payload: notes.append(payload) if kind == "note" else None,
    )
    assert notes == ["The speaker 'usb' was lost.", "3 blocks were lost."] and listener.on_note is None


async def test_an_agent_that_hangs_up_ends_the_call(pipeline):
    class Brief(Agent):
        async def on_enter(self) -> None:
            await self.session.say("I have no time. Goodbye.")
            self.session.shutdown()

    caller = BeepingCaller([], hang_up=False)
    call = await talk(pipeline(), Brief(instructions="Leave."), caller=caller)

    assert call.transcript.by("agent") == ["I have no time. Goodbye."] and caller.closed


async def test_a_scripted_callers_words_stand_next_to_what_was_understood(pipeline, agent):
    class Voice:
        def synthesize(self, text, *, voice):
            return tone(0.05 * len(text), CALLER_HZ)

    script = ["Hello there.", Line("Tonight,", 0.1, "please.")]
    session = pipeline(["Hello there.", "To nine please."], ["Good day.", "Very well."])
    call = await talk(session, agent, caller=ScriptedCaller(script, engine=Voice))

    assert [turn.lines for turn in call.turns] == [("Hello there.",), ("Tonight, please.",)]
    assert [turn.text for turn in call.turns] == ["Hello there.", "To nine please."]


async def test_the_session_keeps_its_options(pipeline, agent):
    session = pipeline()
    before = dict(vars(session.options))
    await talk(session, agent, caller=BeepingCaller([0.4]))
    assert vars(session.options) == before


async def test_a_call_reads_well_in_a_notebook_and_in_a_terminal(pipeline, agent):
    call = await talk(pipeline(["<b>Hello</b> & welcome."]), agent, caller=BeepingCaller([0.4]))

    page, text = call._repr_html_(), repr(call)
    assert "&lt;b&gt;Hello&lt;/b&gt; &amp; welcome." in page and "<audio" in page and page.count("<table") == 3
    assert "Good morning to you." in text and "turn commit" in text


def test_nobody_called_yet_is_none(monkeypatch):
    monkeypatch.setattr("lkcook.call.last", None)
    assert last_call() is None
