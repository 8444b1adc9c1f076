"""mistralai.STT and mistralai.TTS: nearly OpenAI's requests, and answers of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import APIStatusError
from livekit.plugins import mistralai
from mistralai.client import Mistral

from lkcook import plugin_models, voices
from tests.gateway.realtime.conftest import Gateway
from tests.once import ONCE

RATE = 24_000
SILENCE = [rtc.AudioFrame(bytes(2 * RATE), RATE, 1, RATE)]


def _client(gateway: Gateway, key: str) -> Mistral:
    return Mistral(api_key=key, server_url=str(gateway.server.make_url("/mistral")))


@pytest.fixture
def client(gateway: Gateway, key: str) -> Mistral:
    return _client(gateway, key)


async def _said(model: mistralai.TTS) -> list[rtc.AudioFrame]:
    async with model.synthesize("We are open until ten.", conn_options=ONCE) as stream:
        return [event.frame async for event in stream]


@pytest.mark.parametrize("options", [{"language": "es", "context_bias": ["Ana", "Lima"]}, {}])
async def test_a_whole_sound_is_heard(client: Mistral, gateway: Gateway, options: dict[str, Any]) -> None:
    event = await mistralai.STT(client=client, **options).recognize(SILENCE, conn_options=ONCE)
    heard = event.alternatives[0]
    assert heard.text == "Good morning." and [str(segment) for segment in heard.words or ()] == ["Good morning."]
    assert gateway.models.ear.asked[-1].language == options.get("language")


@pytest.mark.parametrize("kind", ["mp3", "wav", "pcm", "opus", "flac"])
async def test_each_format_is_played(client: Mistral, kind: Any) -> None:
    said = await _said(mistralai.TTS(client=client, response_format=kind))
    assert sum(frame.duration for frame in said) == pytest.approx(22 * 0.05, abs=0.15)
    loudest = max(np.abs(np.frombuffer(frame.data, np.int16)).max() for frame in said)
    assert 400 < loudest < 2000, "the scripted voice has an amplitude of 1000"


async def test_a_voice_has_a_mood(client: Mistral, gateway: Gateway) -> None:
    for voice in ("gb_oliver_neutral", "gb_oliver_excited"):
        await _said(mistralai.TTS(client=client, voice=voice))
    (_, calm, usual), (_, lively, faster) = gateway.models.voice.said
    assert calm == lively == "george" and faster > usual


async def test_all_sound_at_once_is_one_object(client: Mistral) -> None:
    model, words = "voxtral-mini-tts-latest", "We are open until ten."
    reply = await client.audio.speech.complete_async(model=model, input=words, voice_id="en_paul_sad")
    assert len(reply.audio_data) > 1000


def test_the_voices_here_are_the_plugins_that_speak_english() -> None:
    names = plugin_models.literal("mistralai", "TTSVoices")
    assert {voice.id for voice in voices.of_provider("mistral")} == {name for name in names if name[:2] != "fr"}


async def test_what_is_not_here_is_refused_with_the_nearest(client: Mistral) -> None:
    with pytest.raises(APIStatusError) as refused:
        await mistralai.STT(client=client, model="voxtral-mini").recognize(SILENCE, conn_options=ONCE)
    assert refused.value.status_code == 404 and "did you mean 'voxtral-mini-" in str(refused.value)
    with pytest.raises(APIStatusError) as refused:
        await _said(mistralai.TTS(client=client, model="voxtral-tts"))
    assert refused.value.status_code == 404
    with pytest.raises(APIStatusError) as refused:
        await _said(mistralai.TTS(client=client, voice="fr_marie_happy"))
    assert refused.value.status_code == 400 and "unknown voice 'fr_marie_happy'" in str(refused.value)


async def test_another_key_is_401(gateway: Gateway) -> None:
    client = _client(gateway, "another")
    heard = mistralai.STT(client=client).recognize(SILENCE, conn_options=ONCE)
    for call in (heard, _said(mistralai.TTS(client=client))):
        with pytest.raises(APIStatusError) as refused:
            await call
        assert refused.value.status_code == 401
