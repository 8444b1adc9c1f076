"""Whatever is wrong with a message of Gemini Live closes the connection, with a sentence; the next one works."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gateway.realtime.conftest import Gateway
from tests.gateway.realtime.gemini_client import MANUAL, connect, reach
from tests.gateway.realtime.test_gemini import notes

MODEL = "models/gemini-live"


def _voice(name: Any) -> dict[str, Any]:
    return {"speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": name}}}}


SETUPS: dict[str, tuple[dict[str, Any], int, str]] = {
    "no model": ({}, 1008, "is not found for API version v1beta; served are"),
    "an unknown model": ({"model": "models/gemini-3.9-live"}, 1008, "served are gemini-3.8-live"),
    "a model of another API": ({"model": "models/gpt-realtime"}, 1008, "models/gpt-realtime is not found"),
    "an unknown field": ({"model": MODEL, "wings": 2}, 1007, "Unknown name \"wings\" at 'setup': Cannot find field."),
    "an unknown field within": ({"model": MODEL, "generationConfig": {"wings": 2}}, 1007, "at 'setup.generation_config'"),
    "an unknown voice": ({"model": MODEL, "generationConfig": _voice("Bob")}, 1007, "'Bob' is not available; available are Puck"),
    "a voice that is none": ({"model": MODEL, "generationConfig": _voice(7)}, 1007, "it is a string"),
    "a language nobody speaks": (
        {"model": MODEL, "generationConfig": {"speechConfig": {"languageCode": "fr-FR"}}}, 1007, "no voice here speaks 'fr'",
    ),
    "two modalities": ({"model": MODEL, "generationConfig": {"responseModalities": ["AUDIO", "TEXT"]}}, 1007, "At most one"),
    "an unknown modality": ({"model": MODEL, "generationConfig": {"responseModalities": ["SMELL"]}}, 1007, "AUDIO, TEXT"),
    "too hot": ({"model": MODEL, "generationConfig": {"temperature": 3}}, 1007, "no number from 0 to 2"),
    "tools that are none": ({"model": MODEL, "tools": ["book"]}, 1007, "setup.tools"),
    "a function without a name": ({"model": MODEL, "tools": [{"functionDeclarations": [{}]}]}, 1007, "name"),
    "an unknown handle": ({"model": MODEL, "sessionResumption": {"handle": "x"}}, 1008, "session not found"),
    "a setup that is none": ([], 1007, "it is an object"),  # type: ignore[dict-item]
}  # fmt: skip

MESSAGES: dict[str, tuple[str | bytes, str]] = {
    "not JSON": ("hello?", "not JSON"),
    "bytes that are no JSON": (b"\x00\xff", "not JSON"),
    "no object": ("[1]", "JSON object"),
    "deep nesting": ("[" * 100_000, "not JSON"),
    "nothing in it": ("{}", "a message has one of"),
    "an unknown message": ('{"dance": {}}', 'Unknown name "dance"'),
    "two at once": ('{"realtimeInput": {}, "clientContent": {}}', "a message has one of"),
    "a second setup": ('{"setup": {"model": "models/gemini-live"}}', "only the first"),
    "sound that is no base64": ('{"realtimeInput": {"audio": {"data": "!!", "mimeType": "audio/pcm"}}}', "Base64"),
    "half a sample": ('{"realtimeInput": {"audio": {"data": "AAAA", "mimeType": "audio/pcm"}}}', "odd number"),
    "another codec": ('{"realtimeInput": {"audio": {"data": "", "mimeType": "audio/mp3"}}}', "Unsupported mime_type"),
    "a mad rate": ('{"realtimeInput": {"audio": {"data": "", "mimeType": "audio/pcm;rate=1"}}}', "8000 to 48000"),
    "an activity while they are found here": ('{"realtimeInput": {"activityStart": {}}}', "Explicit activity control"),
    "an unknown role": ('{"clientContent": {"turns": [{"role": "wizard", "parts": []}]}}', "USER, MODEL"),
    "text that is none": ('{"clientContent": {"turns": [{"parts": [{"text": 7}]}]}}', "it is a string"),
    "half a surrogate pair": ('{"realtimeInput": {"text": "\\ud800"}}', "surrogate"),
    "a response without a call": (
        '{"toolResponse": {"functionResponses": [{"id": "x", "name": "y", "response": {}}]}}', "was called with the id",
    ),
}  # fmt: skip


@pytest.mark.parametrize("setup, code, told", SETUPS.values(), ids=SETUPS)
async def test_a_setup_that_cannot_be_is_refused_with_the_reason(
    gateway: Gateway, setup: dict[str, Any], code: int, told: str
) -> None:
    client = await reach(gateway)
    await client.send(setup=setup)
    closed, reason = await client.closed()
    assert closed == code and told in reason and len(reason.encode()) <= 123
    assert client.names() == []
    await connect(gateway)


@pytest.mark.parametrize("message, told", MESSAGES.values(), ids=MESSAGES)
async def test_a_malformed_message_ends_the_connection_with_the_reason(
    gateway: Gateway, message: str | bytes, told: str
) -> None:
    client = await connect(gateway)
    await (client.ws.send_bytes(message) if isinstance(message, bytes) else client.ws.send_str(message))
    code, reason = await client.closed()
    assert code == 1007 and told in reason
    other = await connect(gateway)
    await other.write("Hello.")
    await other.next("turnComplete")


async def test_the_log_has_the_whole_sentence(gateway: Gateway) -> None:
    client = await reach(gateway)
    await client.send(setup={"model": MODEL, "generationConfig": _voice("Bob")})
    await client.closed()
    assert any("Zubenelgenubi" in note for note in await notes(gateway))


async def test_whatever_comes_before_the_setup_is_refused(gateway: Gateway) -> None:
    for early in ({"realtimeInput": {}}, {"clientContent": {}}, {"toolResponse": {}}):
        client = await reach(gateway)
        await client.send(**early)
        assert await client.closed() == (1007, "setup must be the first message and only the first")


async def test_nulls_empty_messages_and_messages_in_bytes_do_no_harm(gateway: Gateway) -> None:
    client = await reach(gateway)
    setup = {"model": MODEL, "tools": None, "generationConfig": {"speechConfig": None}, "sessionResumption": {"handle": None}}
    await client.ws.send_bytes(json.dumps({"setup": setup}).encode())
    await client.next("setupComplete")
    for harmless in ({"realtimeInput": {}}, {"clientContent": {}}, {"toolResponse": {}}, {"realtimeInput": {"audio": {}}}):
        await client.ws.send_bytes(json.dumps(harmless).encode())
    await client.write("Hello.")
    await client.next("turnComplete")


async def test_the_end_of_an_activity_that_never_began_does_no_harm(gateway: Gateway) -> None:
    client = await connect(gateway, **MANUAL)
    await client.send(realtimeInput={"activityEnd": {}})
    await client.write("Hello.")
    await client.next("turnComplete")
