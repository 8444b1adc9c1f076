"""Whatever a client sends, it gets the protocol's error, and the next message or call works."""

from __future__ import annotations

import base64
import json
from typing import Any

import aiohttp
import pytest

from tests.malformed import NO_MESSAGE

STT = {"type": "session.create", "model": "deepgram/nova-3", "settings": {"sample_rate": "16000"}}
TTS = {"type": "session.create", "model": "cartesia/sonic-3", "sample_rate": "24000"}
SILENCE = base64.b64encode(bytes(1600)).decode()

MALFORMED = {
    **NO_MESSAGE,
    "oversize": json.dumps({"type": "input_audio", "audio": "A" * (2 << 20)}),
}


async def _next(ws: aiohttp.ClientWebSocketResponse, *kinds: str) -> dict[str, Any]:
    while True:
        message = await ws.receive_json(timeout=40)
        if message["type"] in kinds:
            return message


@pytest.mark.parametrize("path, create", [("stt", STT), ("tts", TTS)])
@pytest.mark.parametrize("bad", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_message_gets_an_error_and_the_session_goes_on(
    http: aiohttp.ClientSession, path: str, create: dict[str, Any], bad: str
) -> None:
    async with http.ws_connect(f"/v1/{path}", max_msg_size=0) as ws:
        await ws.send_str(bad)
        assert (await _next(ws, "error"))["code"] == 400
        await ws.send_json(create)
        assert (await _next(ws, "session.created", "error"))["type"] == "session.created"


@pytest.mark.parametrize("path, create", [("stt", STT), ("tts", TTS)])
async def test_a_binary_frame_gets_an_error(
    http: aiohttp.ClientSession, path: str, create: dict[str, Any]
) -> None:
    async with http.ws_connect(f"/v1/{path}") as ws:
        await ws.send_bytes(b"\x00\x01")
        assert "JSON text" in (await _next(ws, "error"))["message"]
        await ws.send_json(create)
        await _next(ws, "session.created")


@pytest.mark.parametrize(
    "audio", ["not base64!", base64.b64encode(b"odd").decode(), 7, None, {"a": 1}]
)
async def test_bad_audio_gets_an_error_and_good_audio_is_taken_afterwards(
    http: aiohttp.ClientSession, audio: Any
) -> None:
    async with http.ws_connect("/v1/stt") as ws:
        await ws.send_json(STT)
        await _next(ws, "session.created")
        await ws.send_json({"type": "input_audio", "audio": audio})
        await _next(ws, "error")
        await ws.send_json({"type": "input_audio", "audio": SILENCE})
        await ws.send_json({"type": "session.finalize"})
        assert (await _next(ws, "session.finalized", "error"))["type"] == "session.finalized"


@pytest.mark.parametrize(
    "path, early",
    [
        ("stt", {"type": "input_audio", "audio": SILENCE}),
        ("stt", {"type": "session.finalize"}),
        ("tts", {"type": "input_transcript", "transcript": "Hello."}),
        ("tts", {"type": "session.flush"}),
    ],
)
async def test_what_comes_before_session_create_gets_an_error(
    http: aiohttp.ClientSession, path: str, early: dict[str, Any]
) -> None:
    async with http.ws_connect(f"/v1/{path}") as ws:
        await ws.send_json(early)
        assert "before session.create" in (await _next(ws, "error"))["message"]


@pytest.mark.parametrize(
    "path, create, names",
    [
        ("stt", {**STT, "model": "deepgram/nova-33"}, "deepgram/nova-3"),
        ("stt", {**STT, "model": "cartesia/ink"}, "cartesia/ink-whisper"),
        ("tts", {**TTS, "model": "elevenlabs/eleven_turbo_v2_5"}, "use the plugin: elevenlabs.TTS"),
        ("tts", {**TTS, "model": "cartesia/sonic-33"}, "cartesia/sonic-3"),
        ("stt", {**STT, "settings": {"sample_rate": "many"}}, "not a number"),
        ("stt", {**STT, "settings": {"encoding": "mp3"}}, "pcm_s16le"),
        ("stt", {**STT, "settings": {"language": "tlh"}}, "not known"),
        ("stt", {**STT, "settings": []}, "object"),
        ("tts", {**TTS, "sample_rate": 0}, "outside"),
    ],
)
async def test_a_session_that_cannot_be_is_refused_with_the_reason(
    http: aiohttp.ClientSession, path: str, create: dict[str, Any], names: str
) -> None:
    async with http.ws_connect(f"/v1/{path}") as ws:
        await ws.send_json(create)
        assert names in (await _next(ws, "error"))["message"]
        assert (await ws.receive(timeout=40)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b"{}",
        b'{"messages": []}',
        b'{"messages": [{"role": "wizard", "content": "x"}]}',
        b'{"messages": ["hello"]}',
        b'{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}',
        b'{"model": "openai/gpt-4.1-mini", "messages": [{"role": "user", "content": "x"}], "tools": [1]}',
    ],
)
async def test_a_malformed_chat_is_400(http: aiohttp.ClientSession, body: bytes) -> None:
    async with http.post("/v1/chat/completions", data=body) as response:
        assert response.status == 400
        assert (await response.json())["error"]["message"]


async def test_an_unknown_language_model_is_404_and_names_the_nearest(http: aiohttp.ClientSession) -> None:
    body = {"model": "gemini/gemini-3-flash", "messages": [{"role": "user", "content": "Hello"}]}
    async with http.post("/v1/chat/completions", json=body) as response:
        assert response.status == 404
        assert "google/gemini-3-flash" in (await response.json())["error"]["message"]


async def test_a_prompt_beyond_the_context_is_400(http: aiohttp.ClientSession) -> None:
    messages = [{"role": "user", "content": "word " * 6000}]
    body = {"model": "openai/gpt-4.1-mini", "messages": messages, "stream": True}
    async with http.post("/v1/chat/completions", json=body) as response:
        assert response.status == 400
        assert "context" in (await response.json())["error"]["message"]
