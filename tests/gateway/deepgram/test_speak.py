"""/v1/speak as the plugin uses it: a POST for a text, a socket for words that come one by one."""

from __future__ import annotations

import io
import wave
from typing import Any

import aiohttp
import pytest

from tests.gateway.deepgram.conftest import SPEAK, Deepgram
from tests.gateway.openai_audio.conftest import seconds_of
from tests.gateway.realtime.conftest import Gateway

TEXT = "We are open until ten."
SECONDS = len(TEXT) * 0.05


async def test_a_text_is_said(deepgram: Deepgram) -> None:
    async with deepgram.post("/v1/speak", {**SPEAK, "container": "none"}, json={"text": TEXT}) as response:
        assert (response.status, response.content_type) == (200, "audio/pcm")
        assert len(await response.read()) == round(SECONDS * 24_000) * 2


@pytest.mark.parametrize("encoding", ["mp3", "opus", "flac", "aac"])
async def test_each_encoding_is_really_one(deepgram: Deepgram, encoding: str) -> None:
    query = {"model": "aura-2-apollo-en", "encoding": encoding, "bit_rate": "48000"}
    async with deepgram.post("/v1/speak", query, json={"text": TEXT}) as response:
        assert seconds_of(await response.read()) == pytest.approx(SECONDS, abs=0.1)


async def test_a_wav_and_the_telephones_codes(deepgram: Deepgram) -> None:
    query = {"model": "aura-2-apollo-en", "encoding": "linear16", "container": "wav", "sample_rate": "16000"}
    async with deepgram.post("/v1/speak", query, json={"text": TEXT}) as response:
        with wave.open(io.BytesIO(await response.read())) as file:
            assert file.getframerate() == 16_000
    for encoding in ("mulaw", "alaw"):
        query = {"model": "aura-2-apollo-en", "encoding": encoding, "sample_rate": "8000"}
        async with deepgram.post("/v1/speak", query, json={"text": TEXT}) as response:
            assert len(await response.read()) == pytest.approx(SECONDS * 8_000, rel=0.02)


async def test_words_are_said_sentence_by_sentence_and_flushed(deepgram: Deepgram, gateway: Gateway) -> None:
    await deepgram.connect("/v1/speak", {**SPEAK, "speed": "1.25"})
    assert (await deepgram.next("Metadata"))["model_name"] == "aura-2-andromeda-en"
    for word in "Good morning. We are open until".split():
        await deepgram.send("Speak", text=f"{word} ")
    await deepgram.send("Flush")
    assert (await deepgram.next("Flushed"))["sequence_id"] == 0
    said = [(text.rstrip(". "), speed) for text, _, speed in gateway.models.voice.said if text]
    assert said == [("Good morning", 1.25), ("We are open until", 1.25)]
    assert deepgram.sound()
    await deepgram.send("Speak", text="ten.")
    await deepgram.send("Flush")
    assert (await deepgram.next("Flushed"))["sequence_id"] == 1


async def test_what_was_cleared_is_not_said(deepgram: Deepgram, gateway: Gateway) -> None:
    await deepgram.connect("/v1/speak", SPEAK)
    await deepgram.send("Speak", text="Nobody should")
    await deepgram.send("Clear")
    await deepgram.next("Cleared")
    await deepgram.send("Speak", text="Good morning.")
    await deepgram.send("Close")
    assert await deepgram.next("") is None
    assert [text for text, *_ in gateway.models.voice.said] == ["Good morning."] and deepgram.sound()


async def test_a_voice_that_fails_is_told_and_ends_the_connection(deepgram: Deepgram, gateway: Gateway) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no breath")

    gateway.models.voice.stream = broken
    await deepgram.connect("/v1/speak", SPEAK)
    await deepgram.send("Speak", text="Good morning. ")
    await deepgram.send("Close")
    assert "no breath" in (await deepgram.next("Error"))["description"]
    assert await deepgram.next("") is None


async def test_malformed_messages_are_errors_and_the_next_text_is_said(deepgram: Deepgram) -> None:
    await deepgram.connect("/v1/speak", SPEAK)
    for bad in ("hello?", "{}", '{"type": "Sing"}', '{"type": "Speak"}', '{"type": "Speak", "text": 7}',
                '{"type": "Speak", "text": "\\ud83d"}', '{"type": "Speak", "text": "' + "a" * 5001 + '"}'):  # fmt: skip
        await deepgram.ws.send_str(bad)
        assert (await deepgram.next("Error"))["description"]
    await deepgram.ws.send_bytes(b"sound")
    await deepgram.next("Error")
    await deepgram.send("Speak", text="Good morning.")
    await deepgram.send("Flush")
    await deepgram.next("Flushed")
    assert deepgram.sound()


WRONG = [
    ({"model": "aura-2-apolo-en"}, "did you mean 'aura-2-apollo-en'"),
    ({"model": ""}, "unknown model"),
    ({"encoding": "midi"}, "none of linear16"),
    ({"sample_rate": "1"}, "outside"),
    ({"speed": "3"}, "speed is a number"),
]


@pytest.mark.parametrize("query, told", WRONG)
async def test_what_cannot_be_is_refused_with_the_reason(deepgram: Deepgram, query: dict[str, str], told: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await deepgram.connect("/v1/speak", {**SPEAK, **query})
    assert refused.value.status == 400 and told in (refused.value.headers or {})["dg-error"]
    async with deepgram.post("/v1/speak", {**SPEAK, **query}, json={"text": TEXT}) as response:
        assert response.status == 400 and told in (await response.json())["err_msg"] and told in str(response.reason)


@pytest.mark.parametrize(
    "query", [{"encoding": "opus", "bit_rate": "650000"}, {"encoding": "aac", "sample_rate": "11111"}], ids=str
)
async def test_a_rate_that_the_codec_does_not_know_is_400(deepgram: Deepgram, query: dict[str, str]) -> None:
    async with deepgram.post("/v1/speak", {"model": SPEAK["model"], **query}, json={"text": TEXT}) as response:
        assert response.status == 400 and "knows no" in (await response.json())["err_msg"]


@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b"[]", b"{}", b'{"text": 7}', b'{"text": " "}', b'{"text": "\\ud83d"}']
)
async def test_a_body_that_says_nothing_is_400(deepgram: Deepgram, body: bytes) -> None:
    async with deepgram.post("/v1/speak", SPEAK, data=body) as response:
        assert response.status == 400 and (await response.json())["err_msg"]
