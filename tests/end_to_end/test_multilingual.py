"""LiveKit's turn detector that reads, as the reference recommends it, in a call on the embedded backend."""

from __future__ import annotations

from livekit.agents import Agent, AgentSession, get_job_context
from livekit.plugins import silero
from livekit.plugins.turn_detector.multilingual import MultilingualModel

import lkcook

WAITER = Agent(instructions="You answer the telephone of a restaurant. Be brief.")
PAUSING = lkcook.Line("I would like a table for, um,", 1.2, "seven people, please.")


async def test_a_caller_who_looks_for_words_is_heard_out() -> None:
    async with lkcook.job() as ctx:
        session = AgentSession(
            stt="deepgram/nova-3:en",
            llm="openai/gpt-4.1-mini",
            tts="cartesia/sonic-3:9626c31c-bec5-4cca-baa8-f8ba9e84c8bc",
            vad=silero.VAD.load(),
            turn_detection=MultilingualModel(),
        )
        call = await lkcook.talk(session, WAITER, [PAUSING], caller="script")
        assert get_job_context() is ctx
    (turn,) = call.turns
    assert not turn.cut_off and not call.errors, call
    asked = call.requests.to("turn detector")
    assert {"language": "en"} in [request.message for request in asked]
    assert all(request.message["jobId"] == ctx.job.id for request in asked if "items" in request.message)
    assert not call.requests.notes
