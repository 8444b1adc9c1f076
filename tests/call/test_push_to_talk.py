"""Push-to-talk: the caller decides when its turn begins and ends, and the agent hears nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from livekit.agents import Agent, AgentSession

from lkcook.audio.caller import ClipCaller, Conversation
from lkcook.audio.clip import Clip
from lkcook.audio.line import Prepared
from lkcook.call import Call, last_call, talk
from lkcook.errors import CallError, CookError
from tests.call.conftest import CALLER_HZ, Beep, BeepingCaller
from tests.scripted_models import RATE, ScriptedLLM, ScriptedSTT, ScriptedTTS, tone

STORY = "Once upon a time there was a king who had three sons and a very long story to tell."


class Radio:
    """A session whose turns are ended by hand, and the two functions of the button as LiveKit's example has them."""

    def __init__(self, session: AgentSession) -> None:
        self.session = session
        self.events: list[tuple[str, Any]] = []

    def start_turn(self) -> None:
        self.session.interrupt()
        self.session.clear_user_turn()
        self.session.input.set_audio_enabled(True)

    def end_turn(self) -> None:
        self.session.input.set_audio_enabled(False)
        self.session.commit_user_turn(transcript_timeout=1.0)

    async def call(self, agent: Agent, caller: Any, **options: Any) -> Call:
        options = {"push_to_talk": (self.start_turn, self.end_turn)} | options
        return await talk(
            self.session, agent, caller=caller, on_event=lambda *event: self.events.append(event), **options
        )


@pytest.fixture
def radio() -> Callable[..., Radio]:
    """Build one on scripted models; `hears` and `replies` as for `pipeline`."""

    def build(hears: Any = ("Hello there.",), replies: Any = ("Good morning to you.",), **options: Any) -> Radio:
        turns = {"turn_detection": "manual", "endpointing": {"min_delay": 0.1, "max_delay": 0.2}}
        session = AgentSession(
            stt=ScriptedSTT(hears),
            llm=ScriptedLLM(replies),
            tts=ScriptedTTS(),
            turn_handling=turns,
            session_close_transcript_timeout=0.0,
            **{"vad": None, **options},
        )
        return Radio(session)

    return build


async def failing(radio: Radio, agent: Agent, caller: Any, **options: Any) -> CallError:
    with pytest.raises(CallError) as caught:
        await radio.call(agent, caller, **options)
    assert caught.value.call is last_call() is not None
    return caught.value


async def test_two_turns_are_answered_after_the_button_is_released(radio, agent):
    set_up = radio(["Hello there.", "What time is it?"], ["Good morning to you.", "It is nine o'clock."])
    call = await set_up.call(agent, BeepingCaller([0.4, 0.5]))

    assert [(u.who, u.text.strip()) for u in call.transcript] == [
        ("caller", "Hello there."),
        ("agent", "Good morning to you."),
        ("caller", "What time is it?"),
        ("agent", "It is nine o'clock."),
    ]
    assert [event for kind, event in set_up.events if kind == "button"] == ["ready", *["pressed", "released"] * 2]
    releases = [at for at, event in call.journal.presses if event == "released"]
    answers = [u.started_at + call.started_at for u in call.transcript if u.who == "agent"]
    assert all(released < answered for released, answered in zip(releases, answers, strict=True))
    assert not set_up.session.input.audio_enabled


async def test_a_pause_in_the_line_does_not_end_the_turn(radio, agent):
    set_up = radio(["At seven", "tonight, please."], ["Tonight at seven, then."])
    call = await set_up.call(agent, BeepingCaller([Beep(1.8, gap=(0.4, 1.0))]))

    assert [u.text.strip() for u in call.transcript] == ["At seven tonight, please.", "Tonight at seven, then."]
    (turn,) = call.turns
    assert not turn.cut_off and len(set_up.session.llm.calls) == 1


async def test_the_stages_of_a_turn_by_hand_follow_the_last_syllable(radio, agent):
    set_up = radio(["Hello there.", "And?"], ["Good morning.", "Good night."])
    call = await set_up.call(agent, BeepingCaller([0.4, 0.6]))

    assert [turn.text for turn in call.turns] == ["Hello there.", "And?"]
    for turn, line in zip(call.turns, call.caller.spoken):
        assert turn.last_syllable == pytest.approx(line.ended_at - call.started_at)
        assert turn.started_at == pytest.approx(line.started_at - call.started_at, abs=0.03)
        stages = list(turn.stages().values())
        assert None not in stages and stages == sorted(stages) and stages[0] > 0
        assert turn.lines == (line.text,)
    (first, *_), waits = call.timeline().lanes["end of turn"].marks, call.timeline(-1).lanes["end of turn"]
    assert first.kind == "button pressed"
    kinds = [mark.kind for mark in waits.marks]
    assert kinds.index("button released") < kinds.index("turn commit")


async def test_a_press_while_the_agent_speaks_cuts_it_off_before_the_caller_says_a_word(radio, agent):
    set_up = radio(["Tell me a story.", "Stop."], [STORY, "All right."])
    call = await set_up.call(agent, BeepingCaller([0.4, Beep(0.9, barge_in=0.6)]))

    told = next(u for u in call.transcript if u.who == "agent")
    assert told.interrupted and len(told.text.split()) < len(STORY.split())
    (_, second) = (at - call.started_at for at, event in call.journal.presses if event == "pressed")
    right = call.recording.samples[:, 1]
    answer = call.transcript[-1]
    assert answer.text.strip() == "All right."
    assert not right[round((second + 0.15) * RATE) : round((answer.started_at - 0.1) * RATE)].any()
    assert [turn.interrupted for turn in call.turns] == [True, False]


async def test_what_is_said_without_the_button_is_neither_heard_nor_kept(radio, agent):
    class Mumbling(BeepingCaller):
        async def converse(self, conversation: Conversation) -> None:
            await self.say(Prepared("to itself", tone(0.5, CALLER_HZ)))
            await super().converse(conversation)
            await self.say(Prepared("to itself", tone(0.5, CALLER_HZ)))

    set_up = radio()
    call = await set_up.call(agent, Mumbling([0.4]))

    assert len(set_up.session.stt.calls) == 1, "the model heard one burst of sound"
    loud = np.flatnonzero(call.recording.samples[:, 0]) / RATE
    line = call.caller.spoken[1]
    assert loud[0] == pytest.approx(line.started_at - call.started_at, abs=0.06)
    assert loud[-1] == pytest.approx(line.ended_at - call.started_at, abs=0.06), "on the clock of the call"


async def test_a_recording_holds_the_button_while_it_plays(radio, agent):
    call = await radio().call(agent, ClipCaller(Clip(tone(0.6, CALLER_HZ), RATE)))
    assert [event for _, event in call.journal.presses] == ["pressed", "released"] and len(call.turns) == 1


async def test_coroutines_are_awaited_one_after_another(radio, agent):
    set_up, steps = radio(), []

    async def start_turn() -> None:
        steps.append("starting")
        await set_up.session.interrupt()
        set_up.start_turn()
        steps.append("started")

    async def end_turn() -> None:
        set_up.session.input.set_audio_enabled(False)
        steps.append(await set_up.session.commit_user_turn())

    call = await set_up.call(agent, BeepingCaller([0.4]), push_to_talk=(start_turn, end_turn))
    assert steps == ["starting", "started", "Hello there."] and len(call.turns) == 1


async def test_a_reply_that_the_caller_waits_out_with_the_button_up_still_counts(radio, agent):
    set_up = radio()

    async def end_turn() -> None:
        set_up.end_turn()
        await set_up.session.wait_for_idle()

    call = await set_up.call(agent, BeepingCaller([0.4]), push_to_talk=(set_up.start_turn, end_turn))
    assert len(call.turns) == 1


async def test_a_function_that_fails_is_named_and_what_was_said_is_kept(radio, agent):
    set_up, turns = radio(), iter([None, ValueError("no such room")])

    def start_turn() -> None:
        if error := next(turns):
            raise error
        set_up.start_turn()

    error = await failing(set_up, agent, BeepingCaller([0.4, 0.4]), push_to_talk=(start_turn, set_up.end_turn))
    assert error.stage == "push-to-talk" and isinstance(error.__cause__, ValueError)
    assert "start_turn()" in error.cause and "ValueError: no such room" in error.cause and "first" in error.remedy
    assert error.call.transcript.by("caller") == ["Hello there."] and error.call.recording.samples.any(axis=0).all()


async def test_a_coroutine_that_fails_is_named(radio, agent):
    async def end_turn() -> None:
        raise RuntimeError("not today")

    set_up = radio()
    error = await failing(set_up, agent, BeepingCaller([0.4]), push_to_talk=(set_up.start_turn, end_turn))
    assert "end_turn(), called when the button was released" in error.cause and "second" in error.remedy


@pytest.mark.parametrize("wrong", [(print,), (print, None), "ab"])
async def test_anything_but_two_functions_is_refused_with_an_example(radio, agent, wrong):
    with pytest.raises(CookError, match="session.commit_user_turn"):
        await radio().call(agent, BeepingCaller([0.4]), push_to_talk=wrong)


async def test_a_button_that_commits_nothing_is_explained(radio, agent):
    set_up = radio()
    nothing = lambda: None  # noqa: E731
    error = await failing(set_up, agent, BeepingCaller([0.4]), push_to_talk=(nothing, nothing), patience=0.5)
    assert error.stage == "reply" and "session.input.set_audio_enabled(True)" in error.remedy


async def test_a_session_whose_turns_nobody_commits_leads_to_the_button(radio, agent):
    error = await failing(radio(), agent, BeepingCaller([0.4]), push_to_talk=None, patience=0.5)
    assert error.stage == "reply" and "push_to_talk=(start_turn, end_turn)" in error.remedy
    assert error.call.transcript.by("caller") == ["Hello there."], "it was heard, and is kept"


async def test_an_agent_may_be_the_one_that_asks_for_turns_by_hand(pipeline):
    by_hand = Agent(instructions="Wait.", turn_detection="manual")
    with pytest.raises(CallError, match="push_to_talk"):
        await talk(pipeline(), by_hand, caller=BeepingCaller([0.4]), patience=0.5)


async def test_a_turn_that_was_committed_and_not_answered_is_no_fault_of_the_button(radio, agent):
    set_up = radio()
    set_up.session.llm.seconds_per_word = 1000
    error = await failing(set_up, agent, BeepingCaller([0.4]), patience=1.0)
    assert error.stage == "reply" and "push_to_talk" not in error.remedy and "patience" in error.remedy


async def test_a_reader_who_commits_without_a_button_is_answered(radio, agent):
    set_up = radio()

    def on_event(kind: str, payload: Any) -> None:
        if kind == "user":
            set_up.session.commit_user_turn()

    call = await talk(set_up.session, agent, caller=BeepingCaller([0.4]), on_event=on_event)
    assert [u.who for u in call.transcript] == ["caller", "agent"] and len(call.turns) == 1


async def test_a_call_that_ends_while_the_button_is_held_releases_it_and_keeps_the_words(radio, agent):
    class HangsUp(BeepingCaller):
        async def converse(self, conversation: Conversation) -> None:
            await super().converse(conversation)
            await self.button.press()
            await self.say(Prepared("and", tone(0.4, CALLER_HZ)))

    call = await radio(["Hello there.", "And one more thing."]).call(agent, HangsUp([0.4]))
    assert [event for _, event in call.journal.presses] == ["pressed", "released"] * 2
    assert call.transcript.by("caller") == ["Hello there.", "And one more thing."]


async def test_an_agent_that_hangs_up_while_the_button_is_held_ends_the_call_in_peace(radio):
    class Brief(Agent):
        async def on_enter(self) -> None:
            await asyncio.sleep(0.3)
            self.session.say("Goodbye.")
            self.session.shutdown()

    class Holding(BeepingCaller):
        async def converse(self, conversation: Conversation) -> None:
            await self.button.press()
            await conversation.ended()

    await radio().call(Brief(instructions="Leave."), Holding([]))


async def test_a_person_without_a_panel_is_told_where_the_button_is(radio, agent):
    person = BeepingCaller([0.4])
    person.person = True
    with pytest.raises(CookError, match="JupyterLab"):
        await radio().call(agent, person)
