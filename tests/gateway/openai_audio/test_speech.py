"""POST /v1/audio/speech through OpenAI's own client."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import threading
import wave
from collections.abc import Iterator
from typing import Any

import numpy as np
import openai
import pytest

from lkcook.gateway.openai_models import speech_voices
from tests.gateway.openai_audio.conftest import PacedVoice, seconds_of
from tests.gateway.realtime.conftest import Gateway

TEXT = "We are open until ten. Come and see us"
SECONDS = (len(TEXT) - 2) * 0.05  # 50 ms a letter; the full stop and its space say nothing
ELEVEN = "/v1/text-to-speech/cgSgspJ2msm6clMCkdW9/stream"
MIME = {"mp3": "audio/mpeg", "wav": "audio/wav", "flac": "audio/flac", "opus": "audio/ogg", "aac": "audio/aac"}


class HeldVoice(PacedVoice):
    """The second sentence waits for `go`."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def stream(self, text: str, **options: Any) -> Iterator[np.ndarray]:
        for number, samples in enumerate(super().stream(text, **options)):
            if number:
                self.go.wait(30)
            yield samples


@pytest.fixture(autouse=True)
async def voice(gateway: Gateway) -> PacedVoice:
    return _speaking(gateway, PacedVoice())


def _speaking(gateway: Gateway, voice: PacedVoice) -> Any:
    gateway.models.voice = voice
    gateway.models.start_loading()
    return voice


class SilentVoice(PacedVoice):
    """As a voice that cannot read what it is given."""

    def stream(self, text: str, **options: Any) -> Iterator[np.ndarray]:
        return iter(())


@pytest.mark.parametrize("path", ["/v1/audio/speech", "/v1/speak?model=aura-2-andromeda-en", ELEVEN])
async def test_a_text_of_which_nothing_can_be_said_is_400(gateway: Gateway, path: str) -> None:
    """A sound without a sample would be an answer that no client understands."""
    _speaking(gateway, SilentVoice())
    for options in ({}, {"stream_format": "sse"}):
        body = {"model": "eleven_turbo_v2_5" if path == ELEVEN else "gpt-4o-mini-tts", "voice": "alloy", **options}
        url = gateway.server.make_url(path)
        async with gateway.http().post(url, json={**body, "input": "🎉", "text": "🎉"}) as response:
            assert response.status == 400 and "can be said" in await response.text()


@pytest.mark.parametrize("written", MIME)
async def test_every_format_is_really_encoded(client: openai.AsyncOpenAI, written: Any) -> None:
    said = await client.audio.speech.create(input=TEXT, model="tts-1", voice="alloy", response_format=written)
    assert said.response.headers["content-type"] == MIME[written]
    assert seconds_of(said.content) == pytest.approx(SECONDS, abs=0.1)


async def test_pcm_is_24_kHz_and_a_wav_is_read_by_the_standard_library(client: openai.AsyncOpenAI) -> None:
    create = client.audio.speech.create
    bare = (await create(input=TEXT, model="gpt-4o-mini-tts", voice="nova", response_format="pcm")).content
    assert len(bare) == round(SECONDS * 24_000) * 2 and np.frombuffer(bare, "<i2").max() == 1000
    said = (await create(input=TEXT, model="gpt-4o-mini-tts", voice="nova", response_format="wav")).content
    with wave.open(io.BytesIO(said)) as file:
        assert (file.getframerate(), file.getnchannels(), file.readframes(1 << 30)) == (24_000, 1, bare)


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.8, 1.5, 2.0, 4.0])
async def test_the_speed_changes_how_long_it_takes(client: openai.AsyncOpenAI, speed: float) -> None:
    said = await client.audio.speech.create(
        input=TEXT, model="tts-1-hd", voice="alloy", response_format="flac", speed=speed
    )
    assert seconds_of(said.content) == pytest.approx(SECONDS / speed, rel=0.06)


@pytest.mark.parametrize(
    "name", "alloy ash ballad coral echo fable onyx nova sage shimmer verse marin cedar".split()
)
async def test_each_of_openais_voices_is_a_voice_here(client: openai.AsyncOpenAI, voice: PacedVoice, name: str) -> None:
    assert name in speech_voices()
    await client.audio.speech.create(input="Hello", model="tts-1", voice=name, response_format="pcm")
    assert voice.said[-1][1]


async def test_server_sent_events_carry_the_format_asked_for_and_end_with_the_usage(
    client: openai.AsyncOpenAI,
) -> None:
    create = client.audio.speech.with_streaming_response.create
    async with create(input=TEXT, model="gpt-4o-mini-tts", voice="coral", stream_format="sse") as said:
        assert said.headers["content-type"] == "text/event-stream"
        events = [json.loads(line.removeprefix("data: ")) async for line in said.iter_lines() if line]
    *deltas, done = events
    assert {event["type"] for event in deltas} == {"speech.audio.delta"} and len(deltas) > 5
    sound = b"".join(base64.b64decode(event["audio"]) for event in deltas)
    assert seconds_of(sound) == pytest.approx(SECONDS, abs=0.1)
    usage = {"input_tokens": 10, "output_tokens": 36, "total_tokens": 46}
    assert done == {"type": "speech.audio.done", "usage": usage}


@pytest.mark.parametrize("form", ["sse", "audio"])
async def test_the_first_sentence_sounds_before_the_second_is_made(
    client: openai.AsyncOpenAI, gateway: Gateway, form: Any
) -> None:
    held = _speaking(gateway, HeldVoice())
    create = client.audio.speech.with_streaming_response.create
    async with create(input=TEXT, model="gpt-4o-mini-tts", voice="ash", stream_format=form) as said:
        pieces = said.iter_bytes()
        async with asyncio.timeout(40):
            first = await anext(pieces)
        assert first and not held.go.is_set()
        held.go.set()
        assert len([piece async for piece in pieces])


async def test_instructions_that_name_an_emotion_change_how_it_is_said(
    client: openai.AsyncOpenAI, gateway: Gateway, voice: PacedVoice
) -> None:
    await client.audio.speech.create(
        input=TEXT, model="gpt-4o-mini-tts", voice="ash", instructions="Speak in a sad, slow tone."
    )
    assert voice.said[-1][2] == pytest.approx(0.86)
    (record,) = [kept for kept in await gateway.requests() if kept["stage"] == "text to speech"]
    assert record["answered_by"] == "openai/gpt-4o-mini-tts" and "emotion" in record["notes"][0]


async def test_an_unknown_model_is_404_and_an_unknown_voice_400_with_the_nearest(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="did you mean 'tts-1-hd'"):
        await client.audio.speech.create(input=TEXT, model="tts-1-hdd", voice="alloy")
    with pytest.raises(openai.BadRequestError, match="did you mean 'shimmer'"):
        await client.audio.speech.create(input=TEXT, model="tts-1", voice="shimmy")


async def test_a_wrong_key_is_401(base: str) -> None:
    async with openai.AsyncOpenAI(api_key="sk-lkcook-tests-no", base_url=base, max_retries=0) as stranger:
        with pytest.raises(openai.AuthenticationError):
            await stranger.audio.speech.create(input=TEXT, model="tts-1", voice="alloy")


GOOD = {"model": "gpt-4o-mini-tts", "input": TEXT, "voice": "alloy"}


@pytest.mark.parametrize(
    "body, told",
    [
        (b"not json", "not JSON"),
        (b"[]", "JSON object"),
        ({**GOOD, "input": None}, "'input'"),
        ({**GOOD, "model": None}, "'model'"),
        ({**GOOD, "voice": None}, "'voice'"),
        ({**GOOD, "input": "  "}, "not an empty one"),
        ({**GOOD, "input": 7}, "input is a text"),
        ({**GOOD, "input": "a" * 4097}, "at most 4096"),
        ({**GOOD, "input": "\ud83d"}, "surrogate"),
        ({**GOOD, "voice": {"id": "voice_1"}}, "no custom voices"),
        ({**GOOD, "voice": ["alloy"]}, "unknown voice"),
        ({**GOOD, "speed": 5}, "speed is a number"),
        ({**GOOD, "speed": "fast"}, "speed is a number"),
        ({**GOOD, "speed": float("nan")}, "NaN is none"),
        ({**GOOD, "response_format": "midi"}, "none of mp3"),
        ({**GOOD, "response_format": []}, "none of mp3"),
        ({**GOOD, "instructions": 1}, "instructions are text"),
        ({**GOOD, "stream_format": "morse"}, "none of sse"),
        ({**GOOD, "model": "tts-1", "stream_format": "sse"}, "not supported by tts-1"),
    ],
)
async def test_a_malformed_request_is_400_with_the_reason(gateway: Gateway, body: Any, told: str) -> None:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with gateway.http().post(gateway.server.make_url("/v1/audio/speech"), data=sent) as response:
        assert response.status == 400
        assert told in (await response.json())["error"]["message"]
