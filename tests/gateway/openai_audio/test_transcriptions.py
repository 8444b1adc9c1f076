"""POST /v1/audio/transcriptions through OpenAI's own client."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import openai
import pytest

from lkcook.engines.transcript import Transcript, Word
from tests.gateway.openai_audio.conftest import WRITTEN, written
from tests.gateway.realtime.conftest import Gateway
from tests.gateway.realtime.scripted import Ear

TONE = (np.sin(np.arange(48_000) / 20) * 8000).astype(np.int16)  # 2 s at 24 kHz
WAV = ("tone.wav", written(TONE, "wav"))
WORDS = (Word("Good", 0.1, 0.4, 0.9), Word("morning.", 0.4, 0.9, 0.9), Word("Bye.", 1.2, 1.6, 0.8))


class TimedEar(Ear):
    """Hears WORDS in everything."""

    def transcribe(self, samples: np.ndarray, **options: Any) -> Transcript:
        super().transcribe(samples, **options)
        return Transcript("Good morning. Bye.", options["language"] or "en", 0.9, WORDS)


@pytest.fixture
async def timed(gateway: Gateway) -> TimedEar:
    gateway.models.ear = ear = TimedEar()
    gateway.models.start_loading()
    return ear


@pytest.mark.parametrize("kind", WRITTEN)
async def test_a_sound_file_of_every_kind_is_heard_in_full(
    client: openai.AsyncOpenAI, gateway: Gateway, kind: str
) -> None:
    file = (f"tone.{kind}", written(TONE, kind, 48_000 if kind in ("ogg", "webm") else 24_000))
    heard = await client.audio.transcriptions.create(file=file, model="whisper-1")
    assert heard.text == "Good morning."
    expected = len(TONE) / (48_000 if kind in ("ogg", "webm") else 24_000)
    assert gateway.models.ear.asked[-1].seconds == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("language, asked", [("es", "es"), ("en-US", "en"), (openai.omit, None)])
async def test_the_language_is_heeded_or_detected(
    client: openai.AsyncOpenAI, gateway: Gateway, language: Any, asked: str | None
) -> None:
    await client.audio.transcriptions.create(file=WAV, model="gpt-4o-transcribe", language=language)
    assert gateway.models.ear.asked[-1].language == asked


@pytest.mark.usefixtures("timed")
@pytest.mark.parametrize(
    "written_as, expected",
    [
        ("text", "Good morning. Bye.\n"),
        ("srt", "1\n00:00:00,100 --> 00:00:00,900\nGood morning.\n\n2\n00:00:01,200 --> 00:00:01,600\nBye.\n\n"),
        ("vtt", "WEBVTT\n\n00:00:00.100 --> 00:00:00.900\nGood morning.\n\n00:00:01.200 --> 00:00:01.600\nBye.\n\n"),
    ],
)
async def test_text_and_subtitles(client: openai.AsyncOpenAI, written_as: Any, expected: str) -> None:
    heard = await client.audio.transcriptions.create(file=WAV, model="whisper-1", response_format=written_as)
    assert heard == expected


@pytest.mark.usefixtures("timed")
async def test_verbose_json_times_segments_and_when_asked_words(client: openai.AsyncOpenAI) -> None:
    create = client.audio.transcriptions.create
    heard = await create(file=WAV, model="whisper-1", response_format="verbose_json")
    assert (heard.language, round(heard.duration, 1), heard.words) == ("english", 2.0, None)
    assert [(part.text, part.start, part.end) for part in heard.segments or []] == [
        (" Good morning.", 0.1, 0.9), (" Bye.", 1.2, 1.6)
    ]  # fmt: skip
    heard = await create(
        file=WAV, model="whisper-1", response_format="verbose_json", timestamp_granularities=["word"]
    )
    assert [(word.word, word.start) for word in heard.words or []] == [(word.text, word.start) for word in WORDS]


async def test_what_is_expected_reaches_the_recogniser(client: openai.AsyncOpenAI, gateway: Gateway) -> None:
    asked: list[Any] = []
    before = gateway.models.ear.transcribe
    gateway.models.ear.transcribe = lambda samples, **options: asked.append(options) or before(samples, **options)
    await client.audio.transcriptions.create(
        file=WAV, model="gpt-transcribe", prompt="At the dentist's", keywords=["Zwiebach"]
    )
    assert asked[0]["keyterms"] == ("Zwiebach", "At the dentist's")


async def test_a_long_sound_is_streamed_while_it_is_heard(client: openai.AsyncOpenAI, gateway: Gateway) -> None:
    """The first words are there before the second window is decoded."""
    ear = gateway.models.ear
    ear.hold = True
    file = ("long.wav", written(np.tile(TONE, 8), "wav"))  # 16 s: two windows
    calling = client.audio.transcriptions.create(file=file, model="gpt-4o-mini-transcribe", stream=True)


    opening = asyncio.ensure_future(calling)
    while not ear.held:
        await asyncio.sleep(0.01)
    ear.held[0].released.set()
    events = await opening
    first = await anext(aiter(events))
    assert (first.type, first.delta) == ("transcript.text.delta", "Good")
    while not ear.held:  # the second window, which nobody has decoded yet
        await asyncio.sleep(0.01)
    ear.hold = False
    ear.held[0].released.set()
    rest = [event async for event in events]
    deltas = [first.delta, *(event.delta for event in rest[:-1])]
    assert "".join(deltas) == rest[-1].text == "Good morning. Good morning."
    assert rest[-1].type == "transcript.text.done" and rest[-1].usage.total_tokens > 160


async def test_an_unknown_model_is_404_and_names_the_nearest(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="did you mean 'gpt-4o-transcribe'"):
        await client.audio.transcriptions.create(file=WAV, model="gpt-4o-transcribed")


async def test_a_wrong_key_is_401(base: str) -> None:
    async with openai.AsyncOpenAI(api_key="sk-lkcook-tests-no", base_url=base, max_retries=0) as stranger:
        with pytest.raises(openai.AuthenticationError):
            await stranger.audio.transcriptions.create(file=WAV, model="whisper-1")


@pytest.mark.parametrize(
    "fields, told",
    [
        ({"file": ("a.wav", b"noise" * 100)}, "no sound that can be read"),
        ({"file": ("a.wav", b"")}, "."),
        ({"file": ("a.m3u8", b"#EXTM3U\n#EXTINF:9,\n/etc/hostname\n#EXT-X-ENDLIST\n")}, "no sound that can be read"),
        ({"file": ("a.flac", written(np.zeros(1600 * 1000, np.int16), "flac", 1000))}, "at most 1500 s"),
        ({"language": "tlh"}, "language 'tlh' is not known"),
        ({"response_format": "docx"}, "none of json, text"),
        ({"response_format": "srt", "model": "gpt-4o-transcribe"}, "whisper-1 alone"),
        ({"response_format": "diarized_json"}, "speakers apart"),
        ({"timestamp_granularities": ["word"]}, "need the response_format verbose_json"),
        ({"timestamp_granularities": ["letter"], "response_format": "verbose_json"}, "word and segment"),
        ({"temperature": 7}, "temperature is a number"),
        ({"model": "gpt-live-transcribe"}, "realtime API alone"),
    ],
)
async def test_what_cannot_be_heard_is_400_with_the_reason(
    client: openai.AsyncOpenAI, fields: dict[str, Any], told: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=told):
        await client.audio.transcriptions.create(**{"file": WAV, "model": "whisper-1", **fields})


async def test_uploads_beyond_25_MB_are_413_and_those_of_20_MB_are_taken(
    client: openai.AsyncOpenAI, gateway: Gateway
) -> None:
    large = written(np.tile(TONE, 220), "wav")  # 21 MB, 440 s
    await client.audio.transcriptions.create(file=("large.wav", large), model="whisper-1")
    assert sum(asked.seconds for asked in gateway.models.ear.asked) == pytest.approx(440, abs=1)
    with pytest.raises((openai.APIStatusError, openai.APIConnectionError)) as refused:
        await client.audio.transcriptions.create(file=("huge.wav", large + large), model="whisper-1")
    assert getattr(refused.value, "status_code", 413) == 413


FORM = "multipart/form-data; boundary=x"
FIELD = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n--x--\r\n'


@pytest.mark.parametrize(
    "kind, body",
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"nothing"),
        (FORM, b"nothing"),
        (FORM, b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n"),
        (FORM, FIELD % (b"model", b"whisper-1")),
        (FORM, FIELD % (b"file", b"wav")),
    ],
    ids=range(6),
)
async def test_a_malformed_form_is_400(gateway: Gateway, kind: str, body: bytes) -> None:
    url = gateway.server.make_url("/v1/audio/transcriptions")
    async with gateway.http().post(url, data=body, headers={"Content-Type": kind}) as response:
        assert response.status == 400
        assert (await response.json())["error"]["message"]
