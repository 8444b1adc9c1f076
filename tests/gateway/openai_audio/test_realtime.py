"""Realtime transcription as its documentation has it: what LiveKit's plugin relies on, and what it must not meet."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.gateway.realtime.conftest import Client, Gateway

DELTA = "conversation.item.input_audio_transcription.delta"
COMPLETED = "conversation.item.input_audio_transcription.completed"


async def _listening(gateway: Gateway, model: str) -> Client:
    return await gateway.connect(model, "&intent=transcription")


async def _configured(client: Client, model: str, **heard: Any) -> dict[str, Any]:
    session = {"type": "transcription", "audio": {"input": {"transcription": {"model": model}, **heard}}}
    return await client.update(**session)


async def test_a_model_without_turn_detection_finds_no_turns_and_tells_what_it_hears(gateway: Gateway) -> None:
    gateway.models.ear._hears = lambda asked: "Good morning to all of you."
    client = await _listening(gateway, "gpt-live-transcribe")
    updated = await _configured(client, "gpt-live-transcribe")
    assert updated["session"]["audio"]["input"]["turn_detection"] is None
    await client.hear("Good morning to all of you and to those at home.", 1.0)
    delta = await client.next(DELTA)
    await client.send("input_audio_buffer.commit")
    completed = await client.next(COMPLETED)
    assert delta["item_id"] == completed["item_id"]
    assert "".join(told["delta"] for told in client.all(DELTA)) == completed["transcript"]
    assert completed["transcript"] == "Good morning to all of you."
    assert "input_audio_buffer.speech_started" not in client.kinds()


async def test_turn_detection_for_such_a_model_is_refused(gateway: Gateway) -> None:
    client = await _listening(gateway, "gpt-realtime-whisper")
    refused = await _configured(client, "gpt-realtime-whisper", turn_detection={"type": "server_vad"})
    assert refused["error"]["param"] == "session.audio.input.turn_detection"


async def test_an_unknown_model_in_the_session_is_an_error_that_names_the_nearest(gateway: Gateway) -> None:
    client = await _listening(gateway, "whisper-1")
    refused = await _configured(client, "gpt-4o-mini-transcriber")
    assert refused["error"]["param"] == "session.audio.input.transcription.model"
    assert "did you mean 'gpt-4o-mini-transcribe'" in refused["error"]["message"]


async def test_an_unknown_model_in_the_address_is_404_and_names_the_nearest(gateway: Gateway) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await gateway.socket("/v1/realtime?intent=transcription&model=whisper-2")
    assert refused.value.status == 404 and "did you mean 'whisper-1'" in (refused.value.headers or {})["x-refused"]


async def test_a_buffer_that_was_cleared_is_not_transcribed(gateway: Gateway) -> None:
    client = await _listening(gateway, "gpt-4o-transcribe")
    await _configured(client, "gpt-4o-transcribe", turn_detection=None)
    await client.hear("Nobody should hear this.")
    await client.send("input_audio_buffer.clear")
    await client.next("input_audio_buffer.cleared")
    await client.send("input_audio_buffer.commit")
    assert (await client.next("error"))["error"]["code"] == "input_audio_buffer_commit_empty"
