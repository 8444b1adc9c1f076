"""Deepgram Flux: a recogniser that hears whether the turn is over, where the others count the silence."""

from __future__ import annotations

import base64
from typing import Any

import aiohttp
import numpy as np
import pytest

from tests.speech import say

THINKING = ("I would like a table for, um,", 0.8, "seven people, please.")
FINISHED = ("Can I book a table for two?",)


async def _finals(http: aiohttp.ClientSession, model: str, parts: tuple[str | float, ...], **extra: Any) -> int:
    """As how many utterances `parts` are understood."""
    async with http.ws_connect("/v1/stt") as ws:
        await _speak(ws, model, parts, extra)
        await ws.send_json({"type": "session.finalize"})
        finals = 0
        while (message := await ws.receive_json(timeout=30))["type"] != "session.finalized":
            finals += message["type"] == "final_transcript"
    return finals


async def _speak(
    ws: aiohttp.ClientWebSocketResponse, model: str, parts: tuple[str | float, ...], extra: dict[str, Any]
) -> None:
    """`parts`, and a second of silence."""
    settings = {"sample_rate": "16000", "extra": extra}
    await ws.send_json({"type": "session.create", "model": model, "settings": settings})
    samples = np.concatenate([say(*parts), np.zeros(16_000, np.int16)])
    for at in range(0, len(samples), 800):
        sound = base64.b64encode(samples[at : at + 800].tobytes()).decode()
        await ws.send_json({"type": "input_audio", "audio": sound})


async def test_a_caller_who_thinks_aloud_is_heard_out_where_silence_alone_cuts_him_off(
    http: aiohttp.ClientSession,
) -> None:
    assert await _finals(http, "deepgram/flux-general", THINKING) == 1
    assert await _finals(http, "deepgram/nova-3", THINKING) == 2


async def test_the_longest_wait_ends_what_does_not_sound_finished(http: aiohttp.ClientSession) -> None:
    assert await _finals(http, "deepgram/flux-general", THINKING, eot_timeout_ms=500) == 2


async def test_what_sounds_finished_ends_without_the_longest_wait(http: aiohttp.ClientSession) -> None:
    async with http.ws_connect("/v1/stt") as ws:
        await _speak(ws, "deepgram/flux-general", FINISHED, {"eot_timeout_ms": 60_000})
        while (message := await ws.receive_json(timeout=30))["type"] != "final_transcript":
            assert message["type"] != "error", message
    assert "two" in message["transcript"]


@pytest.mark.parametrize("extra", [{"eot_threshold": 2}, {"eot_timeout_ms": "soon"}])
async def test_options_that_cannot_be_are_refused(http: aiohttp.ClientSession, extra: dict[str, Any]) -> None:
    async with http.ws_connect("/v1/stt") as ws:
        settings = {"sample_rate": "16000", "extra": extra}
        await ws.send_json({"type": "session.create", "model": "deepgram/flux-general", "settings": settings})
        message = await ws.receive_json(timeout=40)
    assert message["type"] == "error" and next(iter(extra)) in message["message"]
