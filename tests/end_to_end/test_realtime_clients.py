"""The providers' own clients of realtime models, used directly: spoken turns, calls by voice and cancellations, for real."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from google import genai
from google.genai import types
from openai import AsyncOpenAI

from lkcook.audio.clip import Clip
from tests.end_to_end.conftest import spoken_part, words_in
from tests.speech import plain, say, word_error_rate

AVA = (
    "You are Ava, who answers the phone of the restaurant Bella. Bella serves Italian food, every day but Monday. "
    "Answer in one short sentence."
)
BOOKING = "You book tables. Book at once when asked. Then tell the caller the booking number, in one short sentence."
QUESTION, REQUEST = "Do you serve Italian food?", "Please book a table for four people."
BOOKED = "The table is booked. The booking number is 42."
STORY = "Tell me a long story about a dog, in ten sentences."
SCHEMA = {"type": "object", "properties": {"people": {"type": "integer"}}, "required": ["people"]}
BOOK = {"name": "book_table", "description": "Book a table."}
PATIENCE = 120  # seconds: the models share two cores with whatever else runs there


async def speak(send: Callable[[np.ndarray], Awaitable[None]], rate: int, *parts: str | float) -> None:
    """As a microphone does: 0.1 s at a time, as long as it takes."""
    samples, begun = say(*parts, rate=rate), time.monotonic()
    for at in range(0, len(samples), rate // 10):
        await send(samples[at : at + rate // 10])
        await asyncio.sleep(max(0.0, begun + at / rate - time.monotonic()))


def heard(sound: bytes) -> str:
    """What is said in the model's 16-bit sound."""
    return words_in(spoken_part(Clip(np.frombuffer(sound, "<i2"), 24_000)))


class OpenAIs:
    """A caller with OpenAI's own client, and all that the client was told."""

    def __init__(self, connection: Any) -> None:
        self.connection, self.told = connection, []

    async def update(self, **session: Any) -> None:
        await self.connection.session.update(session={"type": "realtime", **session})
        await self.until("session.updated")

    async def until(self, kind: str) -> Any:
        """The next event of that kind."""
        async with asyncio.timeout(PATIENCE):
            while True:
                event = await self.connection.recv()
                self.told.append(event)
                assert event.type != "error", event
                if event.type == kind:
                    return event

    async def say(self, *parts: str | float) -> None:
        async def send(samples: np.ndarray) -> None:
            await self.connection.input_audio_buffer.append(audio=base64.b64encode(samples.tobytes()).decode())

        await speak(send, 24_000, *parts)

    def sound(self, response_id: str) -> bytes:
        deltas = [event for event in self.told if event.type == "response.output_audio.delta"]
        return b"".join(base64.b64decode(event.delta) for event in deltas if event.response_id == response_id)

    async def answer(self) -> tuple[str, str]:
        """The transcript of the next answer, and what is heard of it."""
        response = (await self.until("response.done")).response
        assert response.usage.output_token_details.audio_tokens > 10
        return response.output[0].content[0].transcript, heard(self.sound(response.id))


async def test_openais_client_completes_a_spoken_turn_and_a_cancellation() -> None:
    async with AsyncOpenAI() as client, client.realtime.connect(model="gpt-realtime") as connection:
        it = OpenAIs(connection)
        transcription = {"model": "gpt-4o-mini-transcribe"}
        detection = {"type": "semantic_vad"}
        await it.update(instructions=AVA, audio={"input": {"transcription": transcription, "turn_detection": detection}})
        await it.say(QUESTION, 1.5)
        said, sounding = await it.answer()
        assert "italian" in said.lower() and word_error_rate(said, sounding) <= 0.10, (said, sounding)
        understood = [e for e in it.told if e.type == "conversation.item.input_audio_transcription.completed"]
        assert word_error_rate(QUESTION, understood[0].transcript) == 0

        await connection.response.create(response={"instructions": STORY})
        first = await it.until("response.output_audio.delta")
        await connection.response.cancel(response_id=first.response_id)
        cancelled = (await it.until("response.done")).response
        assert (cancelled.id, cancelled.status) == (first.response_id, "cancelled")
        assert cancelled.status_details.reason == "client_cancelled"


async def test_openais_client_completes_a_tool_call_by_voice_and_hears_the_result() -> None:
    async with AsyncOpenAI() as client, client.realtime.connect(model="gpt-realtime") as connection:
        it = OpenAIs(connection)
        await it.update(instructions=BOOKING, tools=[{"type": "function", **BOOK, "parameters": SCHEMA}])
        await it.say(REQUEST, 1.0)
        [call] = (await it.until("response.done")).response.output
        assert (call.name, call.arguments) == ("book_table", '{"people": 4}')
        output = {"type": "function_call_output", "call_id": call.call_id, "output": BOOKED}
        await connection.conversation.item.create(item=output)
        await connection.response.create()
        said, sounding = await it.answer()
        assert "42" in said and "42" in plain(sounding), (said, sounding)


class Googles:
    """A caller with Google's own client."""

    def __init__(self, session: Any) -> None:
        self.session = session

    async def say(self, *parts: str | float) -> None:
        async def send(samples: np.ndarray) -> None:
            await self.session.send_realtime_input(audio=types.Blob(data=samples.tobytes(), mime_type="audio/pcm;rate=16000"))

        await speak(send, 16_000, *parts)

    async def turn(self, called: Callable[[Any], str] | None = None) -> list[types.LiveServerMessage]:
        """The messages of one turn. called: returns what the function does."""
        messages = []
        async with asyncio.timeout(PATIENCE):
            async for message in self.session.receive():
                messages.append(message)
                for call in message.tool_call.function_calls if message.tool_call else ():
                    assert called is not None, call
                    result = types.FunctionResponse(id=call.id, name=call.name, response={"output": called(call)})
                    await self.session.send_tool_response(function_responses=[result])
        return messages

    async def speak_over(self) -> None:
        """Say something as soon as the model is heard; returns when the model has noticed."""
        async with asyncio.TaskGroup() as tasks:
            speaking = None
            while True:
                async for message in self.session.receive():
                    if message.server_content and message.server_content.interrupted:
                        return
                    if message.data and speaking is None:
                        speaking = tasks.create_task(self.say("Stop, please. That is enough.", 0.2))


def connect(instructions: str, **config: Any) -> Any:
    """A session of Gemini Live."""
    voice = {"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}}
    wanted = {
        "response_modalities": ["AUDIO"], "input_audio_transcription": {}, "output_audio_transcription": {},
        "system_instruction": instructions, "speech_config": voice, **config,
    }  # fmt: skip
    return genai.Client().aio.live.connect(model="gemini-3.8-live", config=wanted)  # type: ignore[arg-type]


def written(messages: list[types.LiveServerMessage], which: str = "output_transcription") -> str:
    found = [getattr(message.server_content, which) for message in messages if message.server_content]
    return "".join(transcription.text for transcription in found if transcription)


def answer(messages: list[types.LiveServerMessage]) -> tuple[str, str]:
    """The transcript of a turn's answer, and what is heard of it."""
    return written(messages), heard(b"".join(message.data for message in messages if message.data))


async def test_googles_client_completes_a_spoken_turn_and_an_interruption_by_voice() -> None:
    async with connect(AVA) as session:
        it = Googles(session)
        _, messages = await asyncio.gather(it.say(QUESTION, 1.5), it.turn())
        said, sounding = answer(messages)
        assert "italian" in said.lower() and word_error_rate(said, sounding) <= 0.10, (said, sounding)
        assert word_error_rate(QUESTION, written(messages, "input_transcription")) == 0

        story = types.Content(role="user", parts=[types.Part(text=STORY)])
        await session.send_client_content(turns=story)
        async with asyncio.timeout(PATIENCE):
            await it.speak_over()


async def test_googles_client_completes_a_tool_call_by_voice_and_hears_the_result() -> None:
    declared = {"function_declarations": [{**BOOK, "parameters_json_schema": SCHEMA}]}
    booked: list[Any] = []

    def book(call: Any) -> str:
        booked.append((call.name, call.args))
        return BOOKED

    async with connect(BOOKING, tools=[declared]) as session:
        it = Googles(session)
        _, messages = await asyncio.gather(it.say(REQUEST, 1.0), it.turn(book))
        assert booked == [("book_table", {"people": 4})]
        said, sounding = answer(messages)
        assert "42" in said and "42" in plain(sounding), (said, sounding)
