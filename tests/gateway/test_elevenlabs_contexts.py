"""ElevenLabs' HTTP and socket as a client sees them that only knows the protocol: nonsense, limits, leaving."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer

from lkcook.gateway.auth import Credentials, provider_key
from lkcook.gateway.models import Models
from lkcook.gateway.server import build
from tests.gateway.conftest import ELEVENLABS_OWNER
from tests.gateway.elevenlabs_clients import PATH

pytestmark = pytest.mark.usefixtures("livekit_http")


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b"[" * 100_000,
        b"\xff\xfe\xfa",
        b"{}",
        b'{"text": 7}',
        b'{"text": "  "}',
        b'{"text": "\\ud800"}',
        b'{"text": "Hi", "voice_settings": 7}',
        b'{"text": "Hi", "voice_settings": {"speed": 2}}',
        b'{"text": "Hi", "voice_settings": {"speed": "fast"}}',
        b'{"text": "Hi", "model_id": ["eleven_turbo_v2_5"]}',
        b'{"text": "Hi", "language_code": {"a": 1}}',
        json.dumps({"text": "word " * 1001}).encode(),
    ],
    ids=range(14),
)
async def test_a_malformed_body_gets_an_error(eleven: aiohttp.ClientSession, body: bytes) -> None:
    headers = {"Content-Type": "application/json; charset=x"}
    async with eleven.post(f"{PATH}/stream", data=body, headers=headers) as response:
        assert 400 <= response.status < 500
        assert (await response.json())["detail"]["message"]


SOCKET = f"{PATH}/multi-stream-input?model_id=eleven_flash_v2_5&output_format=pcm_16000"


async def _reply(ws: aiohttp.ClientWebSocketResponse, name: str) -> bytes:
    sound = b""
    while True:
        message = await ws.receive_json(timeout=40)
        assert "error" not in message, message
        if message["contextId"] == name:
            sound += base64.b64decode(message.get("audio", ""))
            if message.get("isFinal"):
                return sound


@pytest.mark.parametrize(
    "bad",
    [
        "hello?",
        "[1, 2]",
        "[" * 100_000,
        "{}",
        '{"text": 7, "context_id": "a"}',
        '{"text": "Hi.", "context_id": 7}',
        '{"text": " ", "context_id": "a", "voice_settings": {"speed": 9}}',
        '{"text": " ", "context_id": "a", "voice_settings": []}',
        json.dumps({"text": "x" * 5_001, "context_id": "a"}),
        json.dumps({"text": "x" * (2 << 20), "context_id": "a"}),
    ],
    ids=range(10),
)
async def test_a_malformed_message_gets_an_error_and_the_next_reply_is_spoken(
    eleven: aiohttp.ClientSession, bad: str
) -> None:
    async with eleven.ws_connect(SOCKET, max_msg_size=0) as ws:
        await ws.send_str(bad)
        assert (await ws.receive_json(timeout=40))["error"]
        await ws.send_bytes(b"\0\1")
        assert "JSON text" in (await ws.receive_json(timeout=40))["error"]
        await ws.send_json({"text": "Hello.", "context_id": "a", "voice_settings": {}, "flush": True})
        await ws.send_json({"context_id": "a", "close_context": True})
        assert len(await _reply(ws, "a")) > 5_000


async def test_contexts_and_nonsense_have_limits(eleven: aiohttp.ClientSession) -> None:
    async with eleven.ws_connect(SOCKET) as ws:
        for i in range(17):
            await ws.send_json({"text": " ", "context_id": str(i), "voice_settings": {}})
        refused = await ws.receive_json(timeout=40)
        assert refused["contextId"] == "16" and "16 contexts" in refused["error"]
        for _ in range(19):
            await ws.send_str("nonsense")
        assert [message.type async for message in ws] == [aiohttp.WSMsgType.TEXT] * 19


async def test_close_socket_first_says_what_is_left(eleven: aiohttp.ClientSession) -> None:
    async with eleven.ws_connect(SOCKET) as ws:
        await ws.send_json({"text": "Hello", "context_id": "a"})
        await ws.send_json({"close_socket": True})
        assert len(await _reply(ws, "a")) > 5_000
        assert (await ws.receive(timeout=15)).type is aiohttp.WSMsgType.CLOSE


async def test_a_client_that_says_nothing_for_long_is_sent_away(eleven: aiohttp.ClientSession) -> None:
    async with eleven.ws_connect(f"{SOCKET}&inactivity_timeout=1") as ws:
        assert (await ws.receive(timeout=15)).type is aiohttp.WSMsgType.CLOSE


class _Slow(Models):
    """One voice that never ends: 0.1 s of sound every 20 ms."""

    spoken = 0

    def start_loading(self) -> None:
        return

    async def text_to_speech(self) -> Any:
        return self

    def stream(self, text: str, **_manner: Any) -> Iterator[np.ndarray]:
        while True:
            time.sleep(0.02)
            self.spoken += 1
            yield np.full(2_400, 100, np.int16)


@pytest.mark.parametrize("way", ["socket", "request"])
async def test_who_leaves_in_mid_sentence_is_not_spoken_to_any_longer(way: str) -> None:
    models, credentials = _Slow(), Credentials()
    headers = {"xi-api-key": provider_key(credentials.api_secret, ELEVENLABS_OWNER)}
    async with TestClient(TestServer(build(credentials, models)), headers=headers) as client:
        if way == "socket":
            async with client.ws_connect(SOCKET) as ws:
                await ws.send_json({"text": "Hello.", "context_id": "a", "flush": True})
                await ws.receive_json(timeout=40)
        else:
            async with client.post(f"{PATH}/stream", json={"text": "Hello."}) as response:
                await response.content.readany()
                response.close()
        await asyncio.sleep(0.2)
        spoken = models.spoken
        await asyncio.sleep(0.2)
        assert 0 < models.spoken == spoken
        assert not [task for task in asyncio.all_tasks() if "elevenlabs" in str(task.get_coro())]
