"""session.update: what a client changes in the middle of a connection counts from then on."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import aiohttp
import numpy as np
import pytest
from livekit import rtc
from livekit.agents import APIConnectOptions, inference, stt

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
            assert (await ws.receive_json(timeout=10))["type"] == "error", update


@pytest.mark.usefixtures("livekit_http")
async def test_keyterms_given_in_mid_stream_are_heard_from_then_on() -> None:
    client = inference.STT("deepgram/nova-3", language="en")
    stream = client.stream(conn_options=APIConnectOptions(max_retry=0))
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def listen() -> None:
        async for event in stream:
            if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT:
                heard.put_nowait(event.alternatives[0].text)

    listening = asyncio.create_task(listen())
    sentence = np.concatenate([say("Please book a table for Siobhan Nguyen."), np.zeros(16_000, np.int16)])
    await _push(stream, sentence)
    guessed = await asyncio.wait_for(heard.get(), 20)
    client.update_options(extra_kwargs={"keyterm": ["Siobhan Nguyen"]})
    await _push(stream, sentence)
    told = await asyncio.wait_for(heard.get(), 20)
    stream.end_input()
    await listening
    await stream.aclose()
    assert "Siobhan Nguyen" in told and "Siobhan Nguyen" not in guessed


async def _push(stream: stt.RecognizeStream, samples: np.ndarray) -> None:
    for at in range(0, len(samples) - 319, 320):
        stream.push_frame(rtc.AudioFrame(samples[at : at + 320].tobytes(), 16_000, 1, 320))
        await asyncio.sleep(0.01)  # a microphone's pace, twice as fast
