"""/v1/eot: what cannot be understood or served gets an error, and the gateway goes on."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import aiohttp
import pytest
from livekit.protocol.agent_pb import agent_inference as wire

from lkcook.gateway.socket import PATIENCE
from tests.gateway.end_of_turn.conftest import RATE, Dial

CHAT = wire.ClientMessage(eot_input_chat_context=wire.EotInputChatContext())
MALFORMED = {
    "garbage": b"\xff\xfe\xfd",
    "an empty message": b"",
    "a field nobody knows": b"\xa2\x06\x03abc",
    "half a sample": wire.ClientMessage(input_audio=wire.InputAudio(audio=b"odd")),
    "fewer samples than told": wire.ClientMessage(input_audio=wire.InputAudio(audio=bytes(320), num_samples=320)),
    "too large": wire.ClientMessage(input_audio=wire.InputAudio(audio=bytes(2 << 20))),
    "a chat": CHAT,
    "a second session": wire.ClientMessage(session_create=wire.SessionCreate()),
}


@pytest.mark.parametrize("bad", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_message_gets_an_error_and_the_session_goes_on(dial: Dial, bad: Any) -> None:
    client = await dial()
    await client.ws.send_bytes(bad if isinstance(bad, bytes) else bad.SerializeToString())
    error = (await client.next("error")).error
    assert error.code == 400 and error.message
    await client.ask("after it")
    assert (await client.next("eot_prediction")).request_id == "after it"


async def test_text_is_refused(dial: Dial) -> None:
    client = await dial(session=False)
    await client.ws.send_str('{"type": "session.create"}')
    assert "binary frames" in (await client.next("error")).error.message
    await client.create()
    await client.next("session_created")


@pytest.mark.parametrize(
    "early",
    [
        {"input_audio": wire.InputAudio(audio=bytes(320))},
        {"inference_start": wire.InferenceStart(request_id="x")},
        {"session_flush": wire.SessionFlush()},
    ],
)
async def test_what_comes_before_session_create_gets_an_error(dial: Dial, early: dict[str, Any]) -> None:
    client = await dial(session=False)
    await client.send(**early)
    assert "before session_create" in (await client.next("error")).error.message


@pytest.mark.parametrize(
    "settings, names",
    [
        ({"encoding": wire.AUDIO_ENCODING_OPUS}, "PCM_S16LE"),
        ({"encoding": 7}, "PCM_S16LE"),
        ({"sample_rate": 4_000}, "outside"),
        ({"sample_rate": 96_000}, "outside"),
    ],
)
async def test_a_session_that_cannot_be_is_refused_and_closed(
    dial: Dial, settings: dict[str, Any], names: str
) -> None:
    client = await dial(session=False)
    await client.create(**settings)
    error = (await client.next("error")).error
    assert error.code == 400 and names in error.message
    await client.closed()


async def test_a_client_that_never_learns_is_closed(dial: Dial) -> None:
    client = await dial()
    for _ in range(PATIENCE):
        await client.ws.send_bytes(b"\xff")
    for _ in range(PATIENCE):
        await client.next("error")
    await client.closed()


async def test_a_frame_beyond_the_limit_closes_the_socket(dial: Dial) -> None:
    client = await dial()
    with contextlib.suppress(ConnectionError):  # closed while it is still being sent
        await client.ws.send_bytes(bytes(5 << 20))
    assert (await client.ws.receive(timeout=40)).type is not aiohttp.WSMsgType.BINARY and client.ws.closed
    other = await dial()
    await other.ask("small")
    await other.next("eot_prediction")


async def test_damaged_messages_never_break_the_gateway(dial: Dial) -> None:
    chance = random.Random(7)
    whole = [
        wire.ClientMessage(session_create=wire.SessionCreate(settings=wire.SessionSettings(sample_rate=RATE))),
        wire.ClientMessage(input_audio=wire.InputAudio(audio=bytes(640), num_samples=320)),
        wire.ClientMessage(inference_start=wire.InferenceStart(request_id="x")),
    ]
    for _ in range(20):
        client = await dial(session=False)
        for message in whole * 3:
            damaged = bytearray(message.SerializeToString())
            damaged[chance.randrange(min(12, len(damaged)))] = chance.randrange(256)
            await client.ws.send_bytes(bytes(damaged))
        await client.ws.close()
    healthy = await dial()
    await healthy.ask("still there")
    await healthy.next("eot_prediction")
