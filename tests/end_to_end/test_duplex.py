"""LiveKit's own duplex model in a call, on the real models."""

from __future__ import annotations

from livekit.agents import Agent, AgentSession, inference

from lkcook import talk
from lkcook.terminal import ava
from tests.end_to_end.conftest import words_in
from tests.speech import word_error_rate


async def test_a_caller_is_answered_by_a_full_duplex_model() -> None:
    session = AgentSession(llm=inference.DuplexModel("openai/gpt-live-1", voice="marin"))
    agent = Agent(instructions=ava().instructions)  # without her greeting: the caller begins
    lines = ["Are you open on Sunday?"]
    call = await talk(session, agent, lines, caller="script")
    answer = " ".join(call.transcript.by("agent"))
    heard = words_in(call.recording.channel("agent"))
    assert word_error_rate(lines, call.transcript.by("caller")) == 0
    assert word_error_rate(answer, heard) <= 0.10, (answer, heard)
    assert not call.errors
    start = next(request for request in call.requests if request.message["type"] == "session.start")
    assert start.stage == "realtime model" and start.model == start.answered_by == "openai/gpt-live-1"
