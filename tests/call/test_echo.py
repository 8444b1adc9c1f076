"""A call in a room: the agent's own voice comes back through the caller's microphone."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from lkcook import Acoustics, talk, turn_recordings
from lkcook.audio.caller import Conversation
from lkcook.audio.line import Prepared
from tests.call.conftest import Beep, BeepingCaller
from tests.scripted_models import RATE, ScriptedSTT, ScriptedTTS

STORY = " ".join(["word"] * 30)
WARMUP = 1.0  # seconds: LiveKit's time for the echo canceller to learn, for shorter replies than people hear


class HumanVoice(ScriptedTTS):
    """A person's voice without pauses, as long as the text: an echo canceller is made for speech, not for tones."""

    def samples(self, text: str) -> np.ndarray:
        (read,) = [each for each in turn_recordings() if each.name == "human-in-one-go"]
        return np.resize(read.spoken.mono(RATE), round(self.seconds_per_word * len(text.split()) * RATE))


class LeavesWhenInterrupted(BeepingCaller):
    """Says one thing, never interrupts, and hangs up once the agent was interrupted all the same."""

    def __init__(self) -> None:
        super().__init__([0.4])
        self.interrupted = asyncio.Event()

    def follow(self, kind: str, payload: object) -> None:
        if kind == "interrupted":
            self.interrupted.set()

    async def converse(self, conversation: Conversation) -> None:
        await conversation.agent_quiet()
        await self.say(Prepared("beep", Beep(0.4).samples))
        await self.interrupted.wait()


@pytest.fixture
def session(pipeline):
    """An agent with a human voice that tells a story of 3.6 s, and then something short."""
    hearing = ScriptedSTT(["Tell me a story.", "Stop.", "Once upon a time"], silence=0.3)
    return pipeline(hearing, [STORY, "All right."], HumanVoice(), aec_warmup_duration=WARMUP)


async def test_without_a_canceller_the_agent_takes_its_own_words_for_the_callers(session, agent):
    caller = LeavesWhenInterrupted()
    room = {"acoustics": Acoustics.laptop(), "echo_canceller": False}
    async with asyncio.timeout(30):
        call = await talk(session, agent, caller=caller, on_event=caller.follow, **room)

    assert len(call.caller.spoken) == 1 and len(session.stt.calls) > 1, "it heard more than was said"
    told = next(each for each in call.transcript if each.who == "agent")
    assert told.interrupted and len(told.text.split()) < len(STORY.split()), "and interrupted itself"


@pytest.mark.parametrize(
    ("acoustics", "echo_canceller"),
    [(Acoustics.laptop(), True), (Acoustics.headphones(), False)],
    ids=["laptop with canceller", "headphones"],
)
async def test_an_agent_that_does_not_hear_itself_ends_its_story(session, agent, acoustics, echo_canceller):
    call = await talk(session, agent, caller=BeepingCaller([0.4]), acoustics=acoustics, echo_canceller=echo_canceller)

    assert session.stt.calls == ["Tell me a story."]
    assert [(each.who, each.interrupted) for each in call.transcript] == [("caller", False), ("agent", False)]
    assert call.transcript[-1].text.split() == STORY.split()


async def test_through_the_canceller_the_caller_can_still_interrupt(session, agent):
    caller = BeepingCaller([0.4, Beep(0.9, barge_in=1.8)])
    call = await talk(session, agent, caller=caller, acoustics=Acoustics.laptop())

    assert session.stt.calls == ["Tell me a story.", "Stop."]
    story, reply = [each for each in call.transcript if each.who == "agent"]
    assert story.interrupted and not reply.interrupted and reply.text.strip() == "All right."


async def test_what_the_agent_heard_is_without_the_echo(session, agent):
    call = await talk(session, agent, caller=BeepingCaller([0.4]), acoustics=Acoustics.laptop())

    heard, right = call.cleaned.samples.astype(float), call.recording.samples[:, 1].astype(float)
    reply = call.transcript[-1]
    while_it_spoke = slice(round((reply.started_at + 2.0) * RATE), round((reply.ended_at - 0.2) * RATE))
    loudness = [np.sqrt(np.mean(side[while_it_spoke] ** 2)) for side in (heard, right)]
    assert loudness[0] > 0, "a microphone is never quite silent"
    assert 20 * np.log10(loudness[1] / loudness[0]) > 15, "the echo would be 6 dB softer than the agent"
