"""/v1/listen as the plugin uses it."""

from __future__ import annotations

from typing import Any

import aiohttp
import numpy as np
import pytest

from tests.gateway.deepgram.conftest import LISTEN, Deepgram
from tests.gateway.openai_audio.conftest import written
from tests.gateway.realtime.conftest import Gateway

WAV = written(np.full(32_000, 3000, np.int16), "wav", 16_000)


async def test_a_turn_is_heard_with_timed_words_and_ends(deepgram: Deepgram) -> None:
    await deepgram.connect("/v1/listen", LISTEN)
    await deepgram.send("KeepAlive")
    await deepgram.hear("Good morning to you.", 1.0)
    assert (await deepgram.next("SpeechStarted", "Results"))["type"] == "SpeechStarted"
    while not (result := await deepgram.next("Results"))["is_final"]:
        assert result["speech_final"] is False
    (found,) = result["channel"]["alternatives"]
    assert (found["transcript"], result["speech_final"], result["from_finalize"]) == ("Good morning.", True, False)
    assert [(word["word"], word["punctuated_word"]) for word in found["words"]] == [
        ("good", "Good"), ("morning", "morning.")
    ]  # fmt: skip
    times = [result["start"], *(time for word in found["words"] for time in (word["start"], word["end"]))]
    assert times == sorted(times) and times[-1] <= result["start"] + result["duration"] + 0.001


async def test_finalize_ends_what_is_being_said_and_close_tells_how_long_it_was(deepgram: Deepgram) -> None:
    await deepgram.connect("/v1/listen", LISTEN)
    await deepgram.hear("Good morning to you.")
    await deepgram.send("Finalize")
    while not (result := await deepgram.next("Results"))["is_final"]:
        continue
    assert (result["speech_final"], result["from_finalize"]) == (True, True)
    await deepgram.send("CloseStream")
    assert (await deepgram.next("Metadata"))["duration"] > 0.8
    assert await deepgram.next("") is None


async def test_an_utterance_end_follows_the_silence_asked_for_once(deepgram: Deepgram) -> None:
    await deepgram.connect("/v1/listen", {**LISTEN, "utterance_end_ms": "1000"})
    await deepgram.hear("Good morning to you.", 3.0)
    end = await deepgram.next("UtteranceEnd")
    await deepgram.send("CloseStream")
    await deepgram.next("Metadata")
    (final,) = [result for result in deepgram.all("Results") if result["is_final"]]
    assert end["last_word_end"] == pytest.approx(final["start"] + final["duration"], abs=0.01)
    assert len(deepgram.all("UtteranceEnd")) == 1


async def test_what_is_switched_off_is_not_told(deepgram: Deepgram) -> None:
    quiet = {"interim_results": "false", "vad_events": "false", "punctuate": "false", "endpointing": "false"}
    await deepgram.connect("/v1/listen", {**LISTEN, **quiet})
    await deepgram.hear("Good morning to you.", 1.0)
    result = await deepgram.next("Results", "SpeechStarted")
    assert (result["type"], result["is_final"], result["speech_final"]) == ("Results", True, False)
    (found,) = result["channel"]["alternatives"]
    assert found["transcript"] == "good morning" and "punctuated_word" not in found["words"][0]


@pytest.mark.parametrize("language, asked", [("es", "es"), ("en-GB", "en"), ("multi", None)])
async def test_language_and_keyterms_reach_the_recogniser(
    deepgram: Deepgram, gateway: Gateway, language: str, asked: str | None
) -> None:
    seen: list[Any] = []
    before = gateway.models.ear.transcribe
    gateway.models.ear.transcribe = lambda samples, **options: seen.append(options) or before(samples, **options)
    query = {**LISTEN, "language": language, "keyterm": ["Zwiebach", "Skat"], "keywords": "Doppelkopf:1.5"}
    await deepgram.connect("/v1/listen", query)
    await deepgram.hear("Good morning to you.", 1.0)
    await deepgram.next("Results")
    assert (seen[0]["language"], seen[0]["keyterms"]) == (asked, ("Zwiebach", "Skat", "Doppelkopf"))


@pytest.mark.parametrize("query, language", [({"language": "es"}, None), ({"detect_language": "true"}, "en")])
async def test_a_file_is_heard(deepgram: Deepgram, query: dict[str, str], language: str | None) -> None:
    body = {"model": "nova-2-general", "smart_format": "true", **query}
    async with deepgram.post("/v1/listen", body, data=WAV, headers={"Content-Type": "audio/wav"}) as response:
        assert response.status == 200, await response.text()
        answer = await response.json()
    (channel,) = answer["results"]["channels"]
    assert channel["alternatives"][0]["transcript"] == "Good morning." and channel.get("detected_language") == language
    assert answer["metadata"]["duration"] == 2.0


@pytest.mark.parametrize(
    "query, told",
    [
        ({"model": "nova-33"}, "did you mean 'nova-3'"),
        ({"model": "flux-general-en"}, "/v2/listen"),
        ({"model": ""}, "unknown model"),
        ({"language": "tlh"}, "not known"),
        ({"encoding": "opus"}, "linear16, mulaw or alaw"),
        ({"sample_rate": "many"}, "not a number"),
        ({"channels": "2"}, "channels is 1"),
        ({"punctuate": "perhaps"}, "true or false"),
        ({"endpointing": "soon"}, "endpointing is a number"),
        ({"utterance_end_ms": "10"}, "from 1000"),
    ],
)
async def test_what_cannot_be_is_refused_with_the_reason(deepgram: Deepgram, query: dict[str, str], told: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await deepgram.connect("/v1/listen", {**LISTEN, **query})
    assert refused.value.status == 400 and told in (refused.value.headers or {})["dg-error"]


@pytest.mark.parametrize("body", [b"", b"noise" * 100, b'{"url": "https://example.com/a.wav"}'])
async def test_a_body_that_is_no_sound_is_400(deepgram: Deepgram, body: bytes) -> None:
    async with deepgram.post("/v1/listen", {"model": "nova-3"}, data=body) as response:
        assert response.status == 400 and (await response.json())["err_msg"]


async def test_malformed_messages_are_errors_and_the_next_sound_is_heard(deepgram: Deepgram) -> None:
    await deepgram.connect("/v1/listen", LISTEN)
    for bad in ("hello?", "[1]", "{}", '{"type": "Dance"}'):
        await deepgram.ws.send_str(bad)
        assert (await deepgram.next("Error"))["description"]
    await deepgram.ws.send_bytes(b"odd")
    assert "odd number" in (await deepgram.next("Error"))["description"]
    await deepgram.hear("Good morning to you.", 1.0)
    assert (await deepgram.next("Results"))["channel"]["alternatives"][0]["transcript"] == "Good morning."


async def test_a_wrong_key_is_401(deepgram: Deepgram) -> None:
    deepgram.headers = {"Authorization": "Token sk-lkcook-tests-no"}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await deepgram.connect("/v1/listen", LISTEN)
    assert refused.value.status == 401
