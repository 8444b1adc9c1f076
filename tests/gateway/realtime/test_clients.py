"""Realtime models by the clients people use, with the real models: LiveKit's, through a call, and OpenAI's own."""

from __future__ import annotations

import asyncio
import base64
import time
from typing import Any

import numpy as np
import openai as official
import pytest
from livekit.agents import Agent, AgentSession, function_tool, inference
from livekit.plugins import openai, xai

from lkcook import talk
from lkcook.audio.clip import Clip
from lkcook.gateway import process
from lkcook.gateway.process import Address
from tests.end_to_end.conftest import words_in
from tests.gateway.realtime.conftest import encoded
from tests.speech import say, word_error_rate

pytestmark = pytest.mark.usefixtures("embedded")

AVA = (
    "You are Ava, who answers the phone of the restaurant Bella. Bella serves Italian food, every day but Monday. "
    "Answer in one short sentence."
)
PATIENCE = 120  # seconds: the models share two cores with whatever else runs there
QUESTION = "Do you serve Italian food?"


@pytest.fixture(autouse=True)
def _no_task_is_left_behind() -> None:
    """These tests use the gateway of the run, whose tasks are its own."""


async def test_a_question_is_answered_in_sound_that_says_what_the_transcript_says() -> None:
    session = AgentSession(llm=openai.realtime.RealtimeModel(voice="marin"))
    call = await talk(session, Agent(instructions=AVA), [QUESTION], caller="script", patience=PATIENCE)
    assert word_error_rate(QUESTION, call.transcript.by("caller")[0]) == 0
    answer = call.transcript.by("agent")[-1]
    assert "italian" in answer.lower()
    assert word_error_rate(answer, _words_of(call)) <= 0.10
    assert not call.errors


def _words_of(call: Any) -> str:
    """The agent's, without the silence around them, in which Whisper hears things."""
    spoken = call.recording.channel("agent")
    loud = np.flatnonzero(np.abs(spoken.samples) > 300)
    return words_in(Clip(spoken.samples[loud[0] : loud[-1] + 4800], spoken.sample_rate))


@pytest.mark.parametrize("model", ["openai/gpt-realtime", "xai/grok-voice-latest"])
async def test_livekit_inference_needs_only_the_models_string(model: str) -> None:
    call = await talk(AgentSession(llm=inference.RealtimeModel(model)), Agent(instructions=AVA), [QUESTION], caller="script", patience=PATIENCE)
    assert "italian" in call.transcript.by("agent")[-1].lower() and not call.errors


async def test_xais_plugin_calls_a_function_by_voice_and_says_a_given_text(address: Address) -> None:
    bookings: list[int] = []

    class Booking(Agent):
        def __init__(self) -> None:
            super().__init__(instructions="You book tables. Book at once when asked, then confirm in one sentence.")

        async def on_enter(self) -> None:
            await self.session.say("Welcome to Ava's restaurant.")

        @function_tool
        async def book_table(self, people: int) -> str:
            """Book a table as soon as you know for how many people."""
            bookings.append(people)
            return "The table is booked."

    url = process.environment(address)["XAI_BASE_URL"]
    session = AgentSession(llm=xai.realtime.RealtimeModel(voice="eve", base_url=url))
    call = await talk(session, Booking(), ["Please book a table for four people."], caller="script", patience=PATIENCE)
    assert bookings == [4] and not call.errors
    assert call.transcript.by("agent")[0] == "Welcome to Ava's restaurant."


class Official:
    """OpenAI's own client, and all it was told."""

    def __init__(self, connection: Any) -> None:
        self.connection, self.told = connection, []

    async def until(self, kind: str) -> Any:
        async with asyncio.timeout(PATIENCE):
            while True:
                event = await self.connection.recv()
                self.told.append(event)
                assert event.type != "error", event
                if event.type == kind:
                    return event

    async def hear(self, *parts: str | float) -> None:
        samples = say(*parts, rate=24_000)
        begun = time.monotonic()
        for at in range(0, len(samples), 2400):
            await self.connection.input_audio_buffer.append(audio=encoded(samples[at : at + 2400]))
            await asyncio.sleep(max(0.0, begun + at / 24_000 - time.monotonic()))

    def heard(self) -> str:
        sound = b"".join(base64.b64decode(e.delta) for e in self.told if e.type == "response.output_audio.delta")
        return words_in(Clip(np.frombuffer(sound, "<i2"), 24_000))


async def test_openais_own_client_completes_a_spoken_turn_a_tool_call_and_a_cancellation() -> None:
    tool = {
        "type": "function",
        "name": "book_table",
        "description": "Book a table.",
        "parameters": {"type": "object", "properties": {"people": {"type": "integer"}}, "required": ["people"]},
    }
    async with official.AsyncOpenAI() as client, client.realtime.connect(model="gpt-realtime") as connection:
        it = Official(connection)
        transcription = {"model": "gpt-4o-mini-transcribe"}
        audio = {"input": {"transcription": transcription, "turn_detection": {"type": "semantic_vad"}}}
        await connection.session.update(session={"type": "realtime", "instructions": AVA, "audio": audio})  # type: ignore[typeddict-item]
        await it.until("session.updated")

        await it.hear(QUESTION, 3.0)
        done = await it.until("response.done")
        said = done.response.output[0].content[0].transcript
        assert word_error_rate(said, it.heard()) <= 0.10 and done.response.usage.output_token_details.audio_tokens > 10

        await connection.session.update(session={"type": "realtime", "tools": [tool], "tool_choice": "required"})  # type: ignore[typeddict-item]
        await it.hear("Please book a table for four people.", 3.0)
        [call] = (await it.until("response.done")).response.output
        assert (call.name, call.arguments) == ("book_table", '{"people": 4}')
        output = {"type": "function_call_output", "call_id": call.call_id, "output": "booked"}
        await connection.conversation.item.create(item=output)  # type: ignore[arg-type]
        await connection.response.create(response={"tool_choice": "none"})
        await it.until("response.done")

        await connection.response.create(response={"instructions": "Tell a long story.", "tool_choice": "none"})
        await it.until("response.created")
        await connection.response.cancel()
        cancelled = (await it.until("response.done")).response
        assert cancelled.status == "cancelled" and cancelled.status_details.reason == "client_cancelled"
