"""The gateway through LiveKit's plugin for ElevenLabs."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import numpy as np
import pytest
from livekit import rtc
from livekit.agents import APIError, APIStatusError
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT
from livekit.plugins import elevenlabs

from lkcook import voices
from lkcook.engines.transcript import Word
from lkcook.gateway.address import Address
from lkcook.gateway.elevenlabs_speech import alignment
from tests.speech import word_error_rate
from tests.gateway.elevenlabs_clients import (
    BOOKED,
    ERIC,
    JESSICA,
    ONCE,
    heard,
    records,
    seconds_of,
    streamed,
    synthesized,
    tts,
)

pytestmark = pytest.mark.usefixtures("livekit_http")


@pytest.mark.parametrize("encoding", ["mp3_22050_32", "mp3_44100", "pcm_24000", "pcm_8000"])
async def test_a_synthesized_text_is_understood_in_every_encoding(address: Address, encoding: Any) -> None:
    frames = await synthesized(tts(address, encoding=encoding), BOOKED)
    assert {frame.sample_rate for frame in frames} == {int(encoding.split("_")[1])}
    assert word_error_rate(BOOKED, await heard(address, frames)) <= 0.10
    assert 3.0 < seconds_of(frames) < 7.0


async def test_a_streamed_reply_is_understood_and_its_words_are_timed(address: Address) -> None:
    client = tts(address)
    frames = await streamed(client, "Your table for two ", "is booked. We look ", "forward to seeing you tonight.")
    await client.aclose()
    assert word_error_rate(BOOKED, await heard(address, frames)) <= 0.10
    words = [word for frame in frames for word in frame.userdata.get(USERDATA_TIMED_TRANSCRIPT, [])]
    assert "".join(words).strip() == BOOKED
    starts = [word.start_time for word in words]
    assert starts == sorted(starts) and 0.0 <= starts[0] < 0.3
    assert all(word.end_time <= seconds_of(frames) for word in words)
    second_sentence = next(word for word in words if word.startswith("We"))
    assert 1.0 < second_sentence.start_time < seconds_of(frames) - 1.0


async def test_words_are_timed_where_they_are_heard(address: Address) -> None:
    client = tts(address, encoding="pcm_24000")
    frames = await streamed(client, BOOKED)
    await client.aclose()
    told = [word for frame in frames for word in frame.userdata.get(USERDATA_TIMED_TRANSCRIPT, [])]
    event = await elevenlabs.STT(base_url=address.url).recognize(frames, conn_options=ONCE)
    heard = [word for word in event.alternatives[0].words or [] if word.strip()]
    assert len(told) == len(heard)
    differences = [abs(a.start_time - b.start_time) for a, b in zip(told, heard, strict=True)]
    assert float(np.median(differences)) < 0.15, differences


async def test_one_connection_speaks_many_replies(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    connects = []
    connect = aiohttp.ClientSession.ws_connect
    monkeypatch.setattr(aiohttp.ClientSession, "ws_connect", lambda *a, **k: connects.append(a) or connect(*a, **k))
    client = tts(address)
    texts = ("One.", "Two and three.", "Four, five, six and seven.")
    lengths = [seconds_of(await streamed(client, text)) for text in texts]
    await client.aclose()
    assert lengths == sorted(lengths) and lengths[0] > 0.2 and len(connects) == 1


async def test_two_replies_at_once_are_not_mixed_up(address: Address) -> None:
    client = tts(address)
    said = ["The kitchen closes at ten. Please order soon.", "Dogs are welcome here. Bring yours along."]
    frames = await asyncio.gather(*[streamed(client, text) for text in said])
    await client.aclose()
    assert word_error_rate(said, [await heard(address, each) for each in frames]) <= 0.10


async def test_text_that_comes_word_by_word_is_spoken_whole(address: Address) -> None:
    client = tts(address, auto_mode=False)
    frames = await streamed(client, *[f"{word} " for word in BOOKED.split()])
    await client.aclose()
    assert word_error_rate(BOOKED, await heard(address, frames)) <= 0.10


async def test_an_interrupted_reply_leaves_the_connection_to_the_next_one(address: Address) -> None:
    client = tts(address)
    async with client.stream(conn_options=ONCE) as stream:
        stream.push_text("I will now tell you a long story about a table. It stood in a room. Nobody knew why.")
        stream.flush()
        await anext(stream)
    frames = await streamed(client, "What can I do for you?")
    await client.aclose()
    assert word_error_rate("What can I do for you?", await heard(address, frames)) == 0


async def test_a_voice_speaks_spanish_when_told_to(address: Address) -> None:
    said = "Buenos días. ¿Quiere usted una mesa para esta noche?"
    frames = await synthesized(tts(address, language="es"), said)
    event = await elevenlabs.STT(base_url=address.url).recognize(frames, conn_options=ONCE)
    assert event.alternatives[0].language == "es"
    assert word_error_rate(said, event.alternatives[0].text) <= 0.10


async def test_the_speed_sets_how_long_it_takes(address: Address) -> None:
    def settings(speed: float) -> elevenlabs.VoiceSettings:
        return elevenlabs.VoiceSettings(stability=0.5, similarity_boost=0.5, speed=speed)

    usual, fast, slow = [
        seconds_of(await synthesized(tts(address, encoding="pcm_24000", voice_settings=settings(speed)), BOOKED))
        for speed in (1.0, 1.2, 0.8)
    ]
    assert usual / fast == pytest.approx(1.2, rel=0.05)
    assert usual / slow == pytest.approx(0.8, rel=0.05)


async def test_the_voices_are_listed_and_the_default_one_speaks(address: Address) -> None:
    listed = await tts(address).list_voices()
    assert [voice.id for voice in listed] == [voice.id for voice in voices.of_provider("elevenlabs")]
    default = elevenlabs.TTS(base_url=address.url)
    assert seconds_of(await synthesized(default, "Hello there.")) > 0.4


@pytest.mark.parametrize(
    "options, named",
    [
        ({"voice_id": "nobody"}, JESSICA),
        ({"model": "eleven_turbo_v3"}, "eleven_turbo_v2_5"),
        ({"encoding": "opus_48000_32"}, "pcm_24000"),
        ({"language": "ja"}, "en and es"),
        ({"model": "eleven_v3"}, "eleven_turbo_v2_5"),
    ],
)
async def test_what_is_not_served_is_refused_at_once_with_what_is(
    address: Address, options: dict[str, Any], named: str
) -> None:
    for speak in (synthesized, streamed):
        client = tts(address, **options)
        with pytest.raises(APIStatusError, match=named) as refused:
            await speak(client, "Hello.")
        await client.aclose()
        assert refused.value.status_code in (400, 404) and not refused.value.retryable


async def test_a_refusal_has_the_shape_of_elevenlabs(eleven: aiohttp.ClientSession) -> None:
    async with eleven.post("/v1/text-to-speech/nobody/stream", json={"text": "Hello."}) as response:
        detail = (await response.json())["detail"]
        assert response.status == 404 and detail["status"] == "voice_not_found"
        assert ERIC in detail["message"] and ERIC in (response.reason or "")


async def test_a_wrong_key_is_401(address: Address) -> None:
    client = tts(address, api_key="sk-lkcook-1-0000")
    for speak in (synthesized, streamed):
        with pytest.raises(APIStatusError) as refused:
            await speak(client, "Hello.")
        assert refused.value.status_code == 401
    await client.aclose()
    with pytest.raises(APIStatusError) as refused:
        await heard(address, [rtc.AudioFrame(bytes(32_000), 16_000, 1, 16_000)], api_key="sk-lkcook-1-0000")
    assert refused.value.status_code == 401


async def test_a_failing_voice_is_refused_also_on_an_open_connection(address: Address) -> None:
    client = tts(address)
    await streamed(client, "Hello.")
    address.ask("PUT", "/failing", {"models": ["elevenlabs/eleven_turbo_v2_5", "elevenlabs/scribe_v1"]})
    try:
        with pytest.raises(APIError) as refused:
            await streamed(client, "Hello.")
        assert "fails as it was told to" in str(refused.value.__cause__)
        for speak in (synthesized, streamed):
            with pytest.raises(APIStatusError) as refused:
                await speak(tts(address), "Hello.")
            assert refused.value.status_code == 503  # type: ignore[attr-defined]
        with pytest.raises(APIStatusError, match="fails as it was told to"):
            await heard(address, [rtc.AudioFrame(bytes(32_000), 16_000, 1, 16_000)])
    finally:
        address.ask("PUT", "/failing", {"models": []})
    assert seconds_of(await streamed(client, "Hello.")) > 0.2
    await client.aclose()


async def test_what_was_sent_is_kept_with_notes_on_what_changes_nothing_here(eleven: aiohttp.ClientSession) -> None:
    since = time.time()
    body = {"text": "Hello.", "voice_settings": {"stability": 0.3, "speed": 1.1}, "apply_text_normalization": "auto"}
    async with eleven.post(f"/v1/text-to-speech/{JESSICA}/stream?output_format=pcm_16000", json=body) as response:
        assert response.status == 200 and len(await response.read()) > 10_000
    [record] = await records(eleven, since)
    assert record["model"] == record["answered_by"] == "elevenlabs/eleven_multilingual_v2"
    assert record["message"]["text"] == "Hello." and record["notes"] == ["stability: only the cloud honours it"]


def test_letters_share_a_words_time_and_spaces_fill_what_is_between() -> None:
    words = (Word("Hi,", 0.1, 0.4, 1.0), Word("you.", 0.6, 1.0, 1.0))
    assert alignment("Hi, you. ", words, 2.0) == {
        "chars": list("Hi, you. "),
        "charStartTimesMs": [2100, 2200, 2300, 2400, 2600, 2700, 2800, 2900, 3000],
        "charDurationsMs": [100, 100, 100, 200, 100, 100, 100, 100, 0],
    }


def test_letters_of_words_that_were_not_found_come_at_the_end() -> None:
    times = alignment("Hi there. ", (Word("Hi", 0.0, 0.2, 1.0),), 0.0)
    assert times["charStartTimesMs"] == [0, 100, *[200] * 8] and sum(times["charDurationsMs"]) == 200
