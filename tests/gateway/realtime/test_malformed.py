"""Whatever a client sends, it gets an error event and goes on, and nobody else notices."""

from __future__ import annotations

import asyncio
import base64
import json
import random
from typing import Any

import pytest

from tests.gateway.realtime.conftest import Client, Gateway
from tests.malformed import NO_MESSAGE

MALFORMED = {
    **NO_MESSAGE,
    "sound that is no base64": '{"type": "input_audio_buffer.append", "audio": "not base64!"}',
    "half a sample": json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(b"odd").decode()}),
    "no sound": '{"type": "input_audio_buffer.append"}',
    "too much sound": json.dumps({"type": "input_audio_buffer.append", "audio": "A" * (21 << 20)}),
}
_KINDS = (
    "session.update input_audio_buffer.append input_audio_buffer.commit input_audio_buffer.clear conversation.item.create "
    "conversation.item.retrieve conversation.item.delete conversation.item.truncate response.create response.cancel nonsense"
).split()
_FIELDS = (
    "session audio input output item item_id content_index audio_end_ms response response_id previous_item_id type model "
    "instructions tools tool_choice turn_detection transcription format rate voice speed role content text call_id "
    "threshold eagerness metadata conversation output_modalities max_output_tokens event_id id language temperature"
).split()
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, 0.5, float("1e308"), "", "x", "auto", "none", "required", "root", "function",
    "message", "user", "assistant", "realtime", "audio", "server_vad", "semantic_vad", "audio/pcm", "input_text", "AAAA",
    [], {}, [[]], [{}], ["text"], "\ud83d", "é" * 300,
)  # fmt: skip


@pytest.mark.parametrize("bad", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_message_gets_an_error_event_and_the_conversation_goes_on(gateway: Gateway, bad: str) -> None:
    client = await gateway.connect()
    await client.ws.send_str(bad)
    error = await client.next("error")
    assert error["error"]["type"] == "invalid_request_error" and error["error"]["message"]
    await client.send("response.create")
    assert (await client.next("response.done"))["response"]["status"] == "completed"


async def test_a_binary_frame_gets_an_error_event(gateway: Gateway) -> None:
    client = await gateway.connect()
    await client.ws.send_bytes(b"\x00\x01")
    assert "JSON text" in (await client.next("error"))["error"]["message"]


async def test_a_client_that_never_learns_is_closed(gateway: Gateway) -> None:
    client = await gateway.connect()
    for _ in range(30):
        await client.ws.send_str("hello?")
    with pytest.raises(TypeError, match="is not WSMsgType.TEXT"):  # aiohttp's for: not a message, but the end
        while True:
            await client.next("nothing")
    assert len(client.all("error")) == 20


@pytest.mark.parametrize("seed", range(6))
async def test_random_events_disturb_nobody(gateway: Gateway, seed: int) -> None:
    chance = random.Random(seed)
    other = await gateway.connect()
    clients = [await gateway.connect(chance.choice(["gpt-realtime", "grok-voice-latest", "openai/gpt-realtime"]))]
    for _ in range(200):
        if clients[-1].ws.closed:
            assert len(clients[-1].all("error")) >= 20, "closed for another reason than its patience"
            clients.append(await gateway.connect())
        await clients[-1].ws.send_str(json.dumps(_event(chance)))
        await _drain(clients[-1])
    await other.send("response.create")
    assert (await other.next("response.done"))["response"]["status"] == "completed"
    errors = [message["error"] for client in clients for message in client.all("error")]
    assert errors and not [error for error in errors if error["type"] == "server_error"]


async def _drain(client: Client) -> None:
    try:
        while True:
            message = await asyncio.wait_for(client.ws.receive(), 0.004)
            if message.type.name != "TEXT":
                return
            client.told.append(json.loads(message.data))
    except TimeoutError:
        return


def _event(chance: random.Random) -> dict[str, Any]:
    """Nonsense, or nonsense that begins like sense."""
    kind, field = chance.choice([("session.update", "session"), ("response.create", "response"), ("conversation.item.create", "item")])
    body = _something(chance, 3)
    if chance.random() < 0.4:
        return {**body, "type": chance.choice(_KINDS)}
    if field == "item":
        item = chance.choice(["message", "function_call", "function_call_output", "force_message"])
        body = {"role": chance.choice(["user", "assistant", "system"]), **body, "type": item}
    elif field == "session" and chance.random() < 0.7:
        name = chance.choice(["format", "voice", "speed", "turn_detection", "transcription", "noise_reduction"])
        body = {"audio": {chance.choice(["input", "output"]): {name: _value(chance, 2)}}}
    return {"type": kind, field: body}


def _something(chance: random.Random, depth: int) -> dict[str, Any]:
    fields = chance.sample(_FIELDS, chance.randint(0, 6))
    return {name: _value(chance, depth) for name in fields}


def _value(chance: random.Random, depth: int) -> Any:
    if depth and chance.random() < 0.4:
        inner = _something(chance, depth - 1)
        return [inner] if chance.random() < 0.3 else inner
    return chance.choice(_VALUES)
