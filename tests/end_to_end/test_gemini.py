"""LiveKit's own Gemini Live plugin in a call, on the real models."""

from __future__ import annotations

import os

from livekit.agents import Agent, AgentSession
from livekit.plugins import google

from lkcook import talk
from lkcook.terminal import ava
from tests.end_to_end.conftest import spoken_part, words_in
from tests.speech import word_error_rate


async def test_a_caller_is_answered_by_gemini_as_the_reference_writes_it() -> None:
    assert os.environ["GOOGLE_GEMINI_BASE_URL"].startswith("https://127.0.0.1:")
    session = AgentSession(llm=google.realtime.RealtimeModel(voice="Puck"))
    agent = Agent(instructions=ava().instructions)  # without her greeting: the caller begins
    lines = ["What are your opening hours?"]
    call = await talk(session, agent, lines, caller="script")
    [answer] = call.transcript.by("agent")
    heard = words_in(spoken_part(call.recording.channel("agent")))
    assert word_error_rate(lines, call.transcript.by("caller")) == 0
    assert word_error_rate(answer, heard) <= 0.10, (answer, heard)
    assert not call.errors
    setup = next(request for request in call.requests if "setup" in request.message)
    assert setup.stage == "realtime model" and setup.model == "google/gemini-2.5-flash-native-audio-preview-12-2025"
