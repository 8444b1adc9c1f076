"""Google's own live client, over TLS, on scripted models."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp.test_utils import TestServer
from google import genai
from google.genai import errors, types
from livekit.plugins import google

from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway import certificate
from lkcook.gateway.auth import Credentials, provider_key
from lkcook.gateway.server import build
from tests.gateway.realtime.conftest import Gateway
from tests.gateway.realtime.scripted import ScriptedLanguageModel, ScriptedModels
from tests.speech import say

CONFIG: dict[str, Any] = {
    "response_modalities": ["AUDIO"],
    "input_audio_transcription": {},
    "output_audio_transcription": {},
    "session_resumption": {},
}
BOOK = {"function_declarations": [{"name": "book", "parameters": {"type": "OBJECT", "properties": {"guests": {"type": "INTEGER"}}}}]}
LONG = "This is a sentence that takes a while. " * 12


@pytest.fixture
async def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    """As the one of conftest, with a certificate, which the environment leads to."""
    context, bundle = certificate.server_context(tmp_path)
    credentials, models = Credentials(), ScriptedModels(ScriptedLanguageModel("Of course. We are open until ten."))
    server = TestServer(build(credentials, models), host="127.0.0.1", scheme="https")
    await server.start_server(ssl=context)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", str(server.make_url("/")).rstrip("/"))
    monkeypatch.setenv("GOOGLE_API_KEY", provider_key(credentials.api_secret, "tests"))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    made = Gateway(server, credentials, models)
    yield made
    await made.aclose()


def _connect(model: str = "gemini-3.8-live", **config: Any) -> Any:
    return genai.Client().aio.live.connect(model=model, config={**CONFIG, **config})  # type: ignore[arg-type]


async def _speak(session: Any, *parts: str | float) -> None:
    samples = say(*parts)
    for at in range(0, len(samples), 800):
        blob = types.Blob(data=samples[at : at + 800].tobytes(), mime_type="audio/pcm;rate=16000")
        await session.send_realtime_input(audio=blob)
        await asyncio.sleep(0.002)


async def _turn(session: Any) -> list[types.LiveServerMessage]:
    async with asyncio.timeout(40):
        return [message async for message in session.receive()]


def _sound(messages: list[types.LiveServerMessage]) -> np.ndarray:
    return np.frombuffer(b"".join(message.data for message in messages if message.data), np.int16)


def _said(messages: list[types.LiveServerMessage], which: str = "output_transcription") -> str:
    found = [getattr(message.server_content, which) for message in messages if message.server_content]
    return "".join(transcription.text for transcription in found if transcription)


async def test_a_spoken_turn_is_answered_in_sound(gateway: Gateway) -> None:
    speech = {"voice_config": {"prebuilt_voice_config": {"voice_name": "Puck"}}, "language_code": "en-US"}
    async with _connect(speech_config=speech, system_instruction="Be kind.", temperature=0.2) as session:
        await _speak(session, "Good morning, can you hear me?", 1.0)
        messages = await _turn(session)
    assert _said(messages, "input_transcription") == "Good morning."
    assert _said(messages) == "Of course. We are open until ten."
    assert len(_sound(messages)) == (len("Of course.") + len("We are open until ten.")) * 1200
    usage = next(message.usage_metadata for message in messages if message.usage_metadata)
    assert {detail.modality.name for detail in usage.response_tokens_details} == {"TEXT", "AUDIO"}
    assert gateway.llm.asked[-1].messages[0] == {"role": "system", "content": "Be kind."}
    assert {voice for _, voice, _ in gateway.models.voice.said} == {"michael"}


async def test_a_function_is_called_and_its_result_spoken_in_the_same_turn(gateway: Gateway) -> None:
    gateway.llm.replies = [ToolCall("book", '{"guests": 2}', "call_1"), "It is booked."]
    said = []
    async with _connect(tools=[BOOK]) as session:
        await session.send_client_content(turns=types.Content(role="user", parts=[types.Part(text="A table for two.")]))
        async with asyncio.timeout(40):
            async for message in session.receive():
                said.append(message)
                for call in message.tool_call.function_calls if message.tool_call else ():
                    assert (call.name, call.args) == ("book", {"guests": 2})
                    response = types.FunctionResponse(id=call.id, name=call.name, response={"output": "table 4"})
                    await session.send_tool_response(function_responses=[response])
    assert _said(said) == "It is booked."
    assert gateway.llm.asked[-1].messages[-1]["content"] == "table 4"
    parameters = gateway.llm.asked[0].tools[0]["function"]["parameters"]
    assert parameters == {"type": "object", "properties": {"guests": {"type": "integer"}}}


async def test_who_speaks_over_the_answer_interrupts_it(gateway: Gateway) -> None:
    gateway.llm.replies = [LONG, "Of course."]
    async with _connect() as session:
        gateway.llm.go.clear()
        await session.send_client_content(turns=types.Content(role="user", parts=[types.Part(text="Tell me a story.")]))
        await _speak(session, "Stop, please.")
        stopped = await _turn(session)
        assert any(message.server_content and message.server_content.interrupted for message in stopped)
        assert not any(message.server_content and message.server_content.generation_complete for message in stopped)
        gateway.llm.go.set()
        await _speak(session, 1.0)
        assert _said(await _turn(session)) == "Of course."


async def test_activities_text_and_the_end_of_the_stream_are_sent_by_the_client(gateway: Gateway) -> None:
    manual = types.RealtimeInputConfig(automatic_activity_detection=types.AutomaticActivityDetection(disabled=True))
    async with _connect(realtime_input_config=manual) as session:
        await session.send_realtime_input(activity_start=types.ActivityStart())
        await _speak(session, "Good morning, can you hear me?")
        await session.send_realtime_input(activity_end=types.ActivityEnd())
        assert _said(await _turn(session), "input_transcription") == "Good morning."
    async with _connect() as session:
        await _speak(session, "Good morning, can you hear me?")
        await session.send_realtime_input(audio_stream_end=True)
        await _turn(session)
        await session.send_realtime_input(text="And now?")
        assert _said(await _turn(session))


async def test_a_conversation_is_resumed_with_its_handle(gateway: Gateway) -> None:
    async with _connect() as session:
        await session.send_client_content(turns=types.Content(role="user", parts=[types.Part(text="I am Ada.")]))
        await _turn(session)
        update = (await session._receive()).session_resumption_update
    async with _connect(session_resumption={"handle": update.new_handle}) as session:
        await session.send_realtime_input(text="Who am I?")
        await _turn(session)
    assert [message["content"] for message in gateway.llm.asked[-1].messages][0] == "I am Ada."


async def test_what_is_refused_is_told_with_the_reason(gateway: Gateway) -> None:
    with pytest.raises(errors.APIError, match="gemini-9 is not found.*served are"):
        async with _connect("gemini-9"):
            pytest.fail("there is no such model")
    speech = {"voice_config": {"prebuilt_voice_config": {"voice_name": "Bob"}}}
    with pytest.raises(errors.APIError, match="1007.*'Bob' is not available; available are Puck, Charon"):
        async with _connect(speech_config=speech):
            pytest.fail("there is no such voice")


async def test_a_client_that_does_not_know_the_certificate_refuses_the_gateway(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ssl.SSLCertVerificationError):
        async with _connect():
            pytest.fail("nobody trusts it")


async def test_livekits_plugin_is_answered_by_what_it_is_told_to_say(gateway: Gateway) -> None:
    session = google.realtime.RealtimeModel(voice="Puck", instructions="You are Ava.").session()
    try:
        generation = await asyncio.wait_for(session.generate_reply(instructions="Greet the caller."), 40)
        async for message in generation.message_stream:
            assert "".join([text async for text in message.text_stream]) == "Of course. We are open until ten."
            assert sum([frame.duration async for frame in message.audio_stream]) > 1
    finally:
        await session.aclose()
    told = [{"role": "system", "content": words} for words in ("You are Ava.", "Greet the caller.")]
    assert gateway.llm.asked[-1].messages == told
