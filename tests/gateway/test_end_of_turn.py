"""LiveKit's turn detector v1 on Smart Turn: asked by LiveKit's own client, and by one that only knows the protocol."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import numpy as np
import pytest
from livekit import rtc
from livekit.agents import LanguageCode, inference
from livekit.agents.metrics import EOTInferenceMetrics

import lkcook
from lkcook.gateway.end_of_turn import LANGUAGES, THRESHOLD
from lkcook.report.requests import Requests
from tests.speech import human, say

FINISHED, UNFINISHED = "What are your opening hours?", "And then, um,"
PAUSE = 0.33  # seconds of silence when LiveKit's client asks

Stream = inference.eot.base._BaseStreamingTurnDetectorStream
Connect = Callable[..., Awaitable[Stream]]


async def until(condition: Callable[[], Awaitable[bool]] | Callable[[], bool]) -> None:
    """The client says nothing when it is connected."""
    async with asyncio.timeout(40):
        while not (said if isinstance(said := condition(), bool) else await said):
            await asyncio.sleep(0.01)


@pytest.fixture
async def listening(livekit_http: None) -> AsyncIterator[Connect]:
    """Streams of LiveKit's client, connected or fallen back; closed at the end."""
    streams: list[Stream] = []

    async def connect(detector: inference.TurnDetector | None = None) -> Stream:
        stream = (detector or inference.TurnDetector(version="v1")).stream()
        streams.append(stream)

        async def settled() -> bool:
            return stream.is_fallback or await stream.unlikely_threshold(LanguageCode("en")) is not None

        await until(settled)
        return stream

    yield connect
    for stream in streams:
        await stream.aclose()


async def hear(stream: Stream, samples: np.ndarray, rate: int = 16_000) -> None:
    """10 ms at a time, until all has left the client."""
    step = rate // 100
    for at in range(0, len(samples) - step + 1, step):
        stream.push_audio(rtc.AudioFrame(samples[at : at + step].tobytes(), rate, 1, step))
    await until(stream._audio_ch.empty)


async def judged(stream: Stream, said: str | np.ndarray, pause: float, *, rate: int = 16_000) -> float:
    """How finished it sounds, as a turn of its own."""
    words = say(said, rate=rate) if isinstance(said, str) else said
    await hear(stream, np.concatenate([words, np.zeros(int(pause * rate), np.int16)]), rate)
    event = await asyncio.wait_for(stream.predict(), 40)
    stream.flush(reason="turn committed")
    return event.end_of_turn_probability


async def test_a_finished_turn_sounds_more_finished_than_one_that_stops(listening: Connect) -> None:
    stream = await listening()
    stopped, over = await judged(stream, UNFINISHED, PAUSE), await judged(stream, f"{UNFINISHED} I left.", PAUSE)
    assert stopped < THRESHOLD <= over and not stream.is_fallback and stream.model == "turn-detector-v1"


async def test_a_person_sounds_more_finished_at_the_end_of_a_sentence_than_in_its_middle(listening: Connect) -> None:
    stream, sentence = await listening(), human()[3][0]
    stopped, over = await judged(stream, sentence[: len(sentence) // 2], PAUSE), await judged(stream, sentence, PAUSE)
    assert stopped < 0.5 < THRESHOLD <= over


async def test_every_language_of_the_model_has_a_threshold_and_no_backchannels_are_promised(listening: Connect) -> None:
    stream = await listening()
    assert len(LANGUAGES) == 23 and set(inference.eot.languages.LOCAL_LANGUAGES) <= set(LANGUAGES)
    for tag in (*LANGUAGES, "pt-BR", "zh-Hans-CN"):
        assert await stream.supports_language(LanguageCode(tag))
        assert await stream.unlikely_threshold(LanguageCode(tag)) == THRESHOLD
        assert await stream.backchannel_threshold(LanguageCode(tag)) is None


async def test_the_rate_of_the_sound_changes_little(listening: Connect) -> None:
    for words in (FINISHED, UNFINISHED):
        answers = {}
        for rate in (8_000, 16_000, 24_000, 48_000):
            stream = await listening(inference.TurnDetector(version="v1", sample_rate=rate))
            answers[rate] = await judged(stream, words, PAUSE, rate=rate)
        wide = [answers[rate] for rate in (16_000, 24_000, 48_000)]
        assert max(wide) - min(wide) < 0.2, answers
        assert (answers[8_000] >= THRESHOLD) == (answers[16_000] >= THRESHOLD), answers  # a telephone's sound


async def test_what_the_client_measures_is_plausible(listening: Connect) -> None:
    detector, told = inference.TurnDetector(version="v1"), []
    detector.on("metrics_collected", told.append)
    stream = await listening(detector)
    await judged(stream, FINISHED, PAUSE)
    metrics: EOTInferenceMetrics = told[0]
    assert 0 < metrics.prediction_duration <= metrics.detection_delay + 0.01  # it counts whole milliseconds
    assert metrics.total_duration > 0 and metrics.metadata.model_name == "turn-detector-v1"


@pytest.mark.usefixtures("embedded")
async def test_the_log_of_requests_shows_that_it_was_asked_and_what_it_said(listening: Connect) -> None:
    since = time.time()
    probability = await judged(await listening(), FINISHED, PAUSE)
    opening, question = Requests.of(lkcook.backend.requests(since), since).to("turn detector")
    assert opening.message == {"sample_rate": 16_000} and opening.answered_by == "turn-detector-v1"
    assert question.answer == f"probability {probability:.2f}" and question.message["seconds"] > 1
    assert question.notes == () and question.answer in repr(Requests([question]))


@pytest.mark.usefixtures("embedded")
async def test_when_it_fails_as_it_was_told_to_the_client_falls_back_to_its_own_model(
    listening: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    healthy = await listening()
    since = time.time()
    with lkcook.failing("turn-detector-v1"):
        refused = await listening()
        await hear(healthy, say(FINISHED, PAUSE))
        asyncio.ensure_future(healthy.predict())
        await until(lambda: healthy.is_fallback)
    assert refused.is_fallback and "fails as it was told to" in caplog.text
    assert any("fails as it was told to" in note for note in Requests.of(lkcook.backend.requests(since), since).notes)


async def test_a_wrong_key_makes_the_client_fall_back(
    listening: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    detector = inference.TurnDetector(version="v1", api_secret="not the secret of this gateway, though as long as one")
    assert (await listening(detector)).is_fallback
    assert "falling back to local mini model" in caplog.text


async def test_a_key_is_needed(http: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect("/v1/eot", headers={"Authorization": "Bearer nonsense"})
    assert refused.value.status == 401
