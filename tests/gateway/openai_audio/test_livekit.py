"""openai.STT and openai.TTS of LiveKit's plugin, as a recipe writes them."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import APIStatusError, stt
from livekit.plugins import openai

from tests.gateway.realtime.conftest import Gateway
from tests.once import ONCE
from tests.speech import say

pytestmark = pytest.mark.usefixtures("livekit_http")
RATE = 24_000


@pytest.fixture
def keys(base: str, key: str) -> dict[str, str]:
    return {"base_url": base, "api_key": key}


def _frames(samples: np.ndarray) -> list[rtc.AudioFrame]:
    step = RATE // 20
    whole = samples[: len(samples) // step * step].reshape(-1, step)
    return [rtc.AudioFrame(piece.tobytes(), RATE, 1, step) for piece in whole]


async def _streamed(client: openai.STT, samples: np.ndarray) -> list[stt.SpeechEvent]:
    """Everything up to the first final transcript."""
    events: list[stt.SpeechEvent] = []
    async with client.stream(conn_options=ONCE) as stream:

        async def speak() -> None:
            for frame in _frames(samples):
                stream.push_frame(frame)
                await asyncio.sleep(0.003)

        speaking = asyncio.create_task(speak())
        async with asyncio.timeout(40):
            async for event in stream:
                events.append(event)
                if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT:
                    break
        await speaking
    await client.aclose()
    return events


@pytest.mark.parametrize(
    "model, language", [("gpt-4o-mini-transcribe", ""), ("whisper-1", "en"), ("gpt-transcribe", "en")]
)
async def test_stt_recognizes(keys: dict[str, str], model: str, language: str) -> None:
    client = openai.STT(model=model, detect_language=True, **keys)
    event = await client.recognize(_frames(np.zeros(RATE, np.int16)), conn_options=ONCE)
    assert (event.alternatives[0].text, event.alternatives[0].language) == ("Good morning.", language)


async def test_stt_over_the_realtime_api_hears_a_turn(keys: dict[str, str], gateway: Gateway) -> None:
    client = openai.STT(use_realtime=True, language="es", prompt="At the baker's", **keys)
    events = await _streamed(client, say("Good morning to you.", 1.5, rate=RATE))
    kinds = [event.type for event in events]
    assert kinds[0] is stt.SpeechEventType.START_OF_SPEECH and stt.SpeechEventType.END_OF_SPEECH in kinds
    assert (events[-1].alternatives[0].text, events[-1].alternatives[0].language) == ("Good morning.", "es")
    assert {asked.language for asked in gateway.models.ear.asked} == {"es"} and not gateway.llm.asked


async def test_stt_over_the_realtime_api_detects_the_language(keys: dict[str, str], gateway: Gateway) -> None:
    await _streamed(openai.STT(use_realtime=True, detect_language=True, **keys), say("Good morning.", 1.5, rate=RATE))
    assert {asked.language for asked in gateway.models.ear.asked} == {None}


async def test_a_model_that_finds_no_turns_hears_those_that_the_plugin_commits(keys: dict[str, str]) -> None:
    client = openai.STT(model="gpt-live-transcribe", **keys)
    events = await _streamed(client, say("Good morning to you.", 2.0, rate=RATE))
    finals = [event for event in events if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT]
    assert [event.alternatives[0].text for event in finals] == ["Good morning."]


@pytest.mark.parametrize("options", [{}, {"model": "tts-1"}, {"response_format": "wav"}, {"response_format": "pcm"},
                                     {"response_format": "opus"}, {"response_format": "flac"}])  # fmt: skip
async def test_tts_speaks(keys: dict[str, str], options: dict[str, Any]) -> None:
    client = openai.TTS(voice="alloy", **keys, **options)
    async with client.synthesize("We are open until ten.", conn_options=ONCE) as stream:
        said = [event.frame async for event in stream]
    await client.aclose()
    assert sum(frame.duration for frame in said) == pytest.approx(22 * 0.05, abs=0.15)
    assert max(np.abs(np.frombuffer(frame.data, np.int16)).max() for frame in said) > 400  # a codec filters


async def test_what_cannot_be_is_told_by_name(keys: dict[str, str]) -> None:
    with pytest.raises(APIStatusError, match="did you mean 'whisper-1'"):
        await openai.STT(model="whisper-2", **keys).recognize(_frames(np.zeros(RATE, np.int16)), conn_options=ONCE)
    with pytest.raises(APIStatusError, match="did you mean 'alloy'"):
        async with openai.TTS(voice="alloi", **keys).synthesize("Hello.", conn_options=ONCE) as stream:
            await anext(aiter(stream))
