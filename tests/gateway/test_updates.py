"""session.update: what a client changes in the middle of a connection counts from then on."""

from __future__ import annotations

import base64
from typing import Any

import aiohttp
import numpy as np
import pytest

from lkcook import Clip, median_pitch
from tests.speech import say

BLAKE = "a167e0f3-df7e-4d52-a9c3-f949145efdab"
CREATE = {"type": "session.create", "model": "cartesia/sonic-3", "sample_rate": "24000"}


async def _say(ws: aiohttp.ClientWebSocketResponse, text: str) -> Clip:
    await ws.send_json({"type": "input_transcript", "transcript": text})
    await ws.send_json({"type": "session.flush"})
    parts = []
    while (message := await _next(ws))["type"] != "done":
        parts.append(np.frombuffer(base64.b64decode(message["audio"]), np.int16))
    return Clip(np.concatenate(parts), 24_000)


async def _next(ws: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    message = await ws.receive_json(timeout=30)
    assert message["type"] != "error", message
    return message


async def test_a_voice_and_its_tempo_can_be_changed(http: aiohttp.ClientSession) -> None:
    text = "Your table for two is booked for tomorrow evening at eight."
    async with http.ws_connect("/v1/tts") as ws:
        await ws.send_json(CREATE)
        assert (await _next(ws))["type"] == "session.created"
        jacqueline = await _say(ws, text)
        await ws.send_json({"type": "session.update", "extra": {"speed": 1.5}})
        faster = await _say(ws, text)
        await ws.send_json({"type": "session.update", "voice": BLAKE})
        blake = await _say(ws, text)
    assert jacqueline.duration / faster.duration == pytest.approx(1.5, rel=0.05)
    assert median_pitch(blake) < 0.8 * median_pitch(jacqueline)


async def test_an_update_that_cannot_be_is_refused(http: aiohttp.ClientSession) -> None:
    for update in ({"voice": "nobody"}, {"extra": {"speed": 9}}, {"language": "fr"}, {"extra": []}):
        async with http.ws_connect("/v1/tts") as ws:
            await ws.send_json(CREATE)
            await _next(ws)
            await ws.send_json({"type": "session.update", **update})
            assert (await ws.receive_json(timeout=40))["type"] == "error", update


async def test_keyterms_given_in_mid_stream_are_heard_from_then_on(http: aiohttp.ClientSession) -> None:
    sentence = np.concatenate([say("Please book a table for Siobhan."), np.zeros(16_000, np.int16)])
    async with http.ws_connect("/v1/stt") as ws:
        await ws.send_json({"type": "session.create", "model": "deepgram/nova-3", "settings": {"sample_rate": "16000"}})
        guessed = await _hear(ws, sentence)
        update = {"extra": {"keyterm": ["Siobhan"]}}
        await ws.send_json({"type": "session.update", "settings": update})
        told = await _hear(ws, sentence)
    assert "Siobhan" in told and "Siobhan" not in guessed


async def _hear(ws: aiohttp.ClientWebSocketResponse, samples: np.ndarray) -> str:
    for at in range(0, len(samples), 800):
        sound = base64.b64encode(samples[at : at + 800].tobytes()).decode()
        await ws.send_json({"type": "input_audio", "audio": sound})
    await ws.send_json({"type": "session.finalize"})
    finals = []
    while (message := await _next(ws))["type"] != "session.finalized":
        if message["type"] == "final_transcript":
            finals.append(message["transcript"])
    return " ".join(finals)
