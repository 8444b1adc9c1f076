"""groq.STT and groq.TTS: OpenAI's protocol at an address of its own, with models and voices of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import numpy as np
import openai
import pytest
from livekit import rtc
from livekit.agents import APIStatusError
from livekit.plugins import groq

from lkcook import plugin_models
from tests.gateway.realtime.conftest import Gateway
from tests.once import ONCE

pytestmark = pytest.mark.usefixtures("livekit_http")
RATE = 24_000
SILENCE = [rtc.AudioFrame(bytes(2 * RATE), RATE, 1, RATE)]
ENGLISH, ARABIC = "canopylabs/orpheus-v1-english", "canopylabs/orpheus-arabic-saudi"


@pytest.fixture
def keys(gateway: Gateway, key: str) -> dict[str, str]:
    return {"base_url": str(gateway.server.make_url("/groq/openai/v1")), "api_key": key}


@pytest.fixture
async def sdk(keys: dict[str, str]) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(max_retries=0, **keys) as made:
        yield made


async def _said(client: groq.TTS) -> list[rtc.AudioFrame]:
    async with client.synthesize("We are open until ten.", conn_options=ONCE) as stream:
        return [event.frame async for event in stream]


@pytest.mark.parametrize("model", plugin_models.literal("groq", "STTModels"))
async def test_groqs_whisper_hears(keys: dict[str, str], gateway: Gateway, model: str) -> None:
    event = await groq.STT(model=model, language="es", **keys).recognize(SILENCE, conn_options=ONCE)
    assert (event.alternatives[0].text, event.alternatives[0].language) == ("Good morning.", "es")
    assert gateway.models.ear.asked[-1].language == "es"


async def test_groqs_whisper_tells_what_it_heard_when(sdk: openai.AsyncOpenAI) -> None:
    file = ("file.wav", rtc.combine_audio_frames(SILENCE).to_wav_bytes())
    told = await sdk.audio.transcriptions.create(file=file, model="whisper-large-v3", response_format="verbose_json")
    assert told.text == "Good morning." and told.segments and told.duration == pytest.approx(1.0, abs=0.05)


async def test_groqs_voices_speak_each_with_one_of_this_machine(keys: dict[str, str], gateway: Gateway) -> None:
    for voice in ("autumn", "troy"):
        said = await _said(groq.TTS(model=ENGLISH, voice=voice, **keys))
        assert sum(frame.duration for frame in said) == pytest.approx(22 * 0.05, abs=0.15)
        assert max(np.abs(np.frombuffer(frame.data, np.int16)).max() for frame in said) > 400
    assert [voice for _, voice, _ in gateway.models.voice.said] == ["heart", "fenrir"]


async def test_every_english_voice_of_the_plugin_is_here(sdk: openai.AsyncOpenAI) -> None:
    names = plugin_models.literal("groq", "TTSVoices")
    with pytest.raises(openai.BadRequestError, match="did you mean 'hannah'") as refused:
        await sdk.audio.speech.create(model=ENGLISH, voice="hanna", input="Hello.")
    assert [name for name in names if name in str(refused.value)] == list(names[:6])
    with pytest.raises(openai.BadRequestError, match="unknown voice 'noura'"):
        await sdk.audio.speech.create(model=ARABIC, voice="noura", input="مرحبا")


async def test_an_unknown_model_is_404_with_the_nearest(keys: dict[str, str], sdk: openai.AsyncOpenAI) -> None:
    with pytest.raises(APIStatusError, match="did you mean 'whisper-large-v3'") as refused:
        await groq.STT(model="whisper-1", **keys).recognize(SILENCE, conn_options=ONCE)
    assert refused.value.status_code == 404
    with pytest.raises(openai.NotFoundError, match=f"did you mean '{ENGLISH}'"):
        await sdk.audio.speech.create(model="orpheus-v1-english", voice="autumn", input="Hello.")
    with pytest.raises(APIStatusError) as refused:
        await _said(groq.TTS(model="tts-1", **keys))
    assert refused.value.status_code == 404


async def test_another_key_is_401(keys: dict[str, str]) -> None:
    other = {**keys, "api_key": "gsk_another"}
    with pytest.raises(APIStatusError) as refused:
        await groq.STT(**other).recognize(SILENCE, conn_options=ONCE)
    assert refused.value.status_code == 401
    with pytest.raises(APIStatusError) as refused:
        await _said(groq.TTS(**other))
    assert refused.value.status_code == 401


@pytest.mark.parametrize("path", ["/cerebras/v1/audio/speech", "/azure/openai/audio/transcriptions"])
async def test_who_has_no_speech_has_no_such_address(gateway: Gateway, key: str, path: str) -> None:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as http:
        async with http.post(gateway.server.make_url(path), json={}) as response:
            assert response.status == 404
