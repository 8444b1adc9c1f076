"""The gateway through LiveKit's plugin for ElevenLabs, and through a client that only knows the protocol."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import time
import wave
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer
from livekit import rtc
from livekit.agents import APIConnectOptions, APIError, APIStatusError
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT
from livekit.plugins import elevenlabs

from lkcook import voices
from lkcook.engines.speech_to_text import Word
from lkcook.gateway.auth import Credentials, provider_key
from lkcook.gateway.elevenlabs_speech import alignment
from lkcook.gateway.models import Models
from lkcook.gateway.process import Address
from lkcook.gateway.server import build
from tests.speech import human, say, word_error_rate

pytestmark = pytest.mark.usefixtures("livekit_http")
ONCE = APIConnectOptions(max_retry=0)
JESSICA, ERIC = "cgSgspJ2msm6clMCkdW9", "cjVigY5qzO86Huf0OWal"
BOOKED = "Your table for two is booked. We look forward to seeing you tonight."
OWNER = "tests"


def _tts(address: Address, **options: Any) -> elevenlabs.TTS:
    return elevenlabs.TTS(base_url=address.url, **{"voice_id": JESSICA, "model": "eleven_turbo_v2_5", **options})


async def _synthesized(client: elevenlabs.TTS, text: str) -> list[rtc.AudioFrame]:
    async with client.synthesize(text, conn_options=ONCE) as stream:
        return [event.frame async for event in stream]


async def _streamed(client: elevenlabs.TTS, *texts: str) -> list[rtc.AudioFrame]:
    async with client.stream(conn_options=ONCE) as stream:
        for text in texts:
            stream.push_text(text)
        stream.end_input()
        return [event.frame async for event in stream]


async def _heard(address: Address, frames: list[rtc.AudioFrame], **options: Any) -> str:
    event = await elevenlabs.STT(base_url=address.url, **options).recognize(frames, conn_options=ONCE)
    return event.alternatives[0].text


def _seconds(frames: list[rtc.AudioFrame]) -> float:
    return sum(frame.duration for frame in frames)


@pytest.fixture
async def http(address: Address) -> AsyncIterator[aiohttp.ClientSession]:
    """A client with a key, and without the plugin."""
    headers = {"xi-api-key": provider_key(address.api_secret, OWNER)}
    async with aiohttp.ClientSession(address.url.removesuffix("/v1"), headers=headers) as session:
        yield session


async def _records(http: aiohttp.ClientSession, since: float) -> list[dict[str, Any]]:
    async with http.get("/requests", params={"since": since}) as response:
        return (await response.json())["requests"]


@pytest.mark.parametrize("encoding", ["mp3_22050_32", "mp3_44100", "pcm_24000", "pcm_8000"])
async def test_a_synthesized_text_is_understood_in_every_encoding(address: Address, encoding: Any) -> None:
    frames = await _synthesized(_tts(address, encoding=encoding), BOOKED)
    assert {frame.sample_rate for frame in frames} == {int(encoding.split("_")[1])}
    assert word_error_rate(BOOKED, await _heard(address, frames)) <= 0.10
    assert 3.0 < _seconds(frames) < 7.0


async def test_a_streamed_reply_is_understood_and_its_words_are_timed(address: Address) -> None:
    client = _tts(address)
    frames = await _streamed(client, "Your table for two ", "is booked. We look ", "forward to seeing you tonight.")
    await client.aclose()
    assert word_error_rate(BOOKED, await _heard(address, frames)) <= 0.10
    words = [word for frame in frames for word in frame.userdata.get(USERDATA_TIMED_TRANSCRIPT, [])]
    assert "".join(words).strip() == BOOKED
    starts = [word.start_time for word in words]
    assert starts == sorted(starts) and 0.0 <= starts[0] < 0.3
    assert all(word.end_time <= _seconds(frames) for word in words)
    second_sentence = next(word for word in words if word.startswith("We"))
    assert 1.0 < second_sentence.start_time < _seconds(frames) - 1.0


async def test_words_are_timed_where_they_are_heard(address: Address) -> None:
    client = _tts(address, encoding="pcm_24000")
    frames = await _streamed(client, BOOKED)
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
    client = _tts(address)
    texts = ("One.", "Two and three.", "Four, five, six and seven.")
    lengths = [_seconds(await _streamed(client, text)) for text in texts]
    await client.aclose()
    assert lengths == sorted(lengths) and lengths[0] > 0.2 and len(connects) == 1


async def test_two_replies_at_once_are_not_mixed_up(address: Address) -> None:
    client = _tts(address)
    said = ["The kitchen closes at ten. Please order soon.", "Dogs are welcome here. Bring yours along."]
    frames = await asyncio.gather(*[_streamed(client, text) for text in said])
    await client.aclose()
    assert word_error_rate(said, [await _heard(address, each) for each in frames]) <= 0.10


async def test_text_that_comes_word_by_word_is_spoken_whole(address: Address) -> None:
    client = _tts(address, auto_mode=False)
    frames = await _streamed(client, *[f"{word} " for word in BOOKED.split()])
    await client.aclose()
    assert word_error_rate(BOOKED, await _heard(address, frames)) <= 0.10


async def test_an_interrupted_reply_leaves_the_connection_to_the_next_one(address: Address) -> None:
    client = _tts(address)
    async with client.stream(conn_options=ONCE) as stream:
        stream.push_text("I will now tell you a long story about a table. It stood in a room. Nobody knew why.")
        stream.flush()
        await anext(stream)
    frames = await _streamed(client, "What can I do for you?")
    await client.aclose()
    assert word_error_rate("What can I do for you?", await _heard(address, frames)) == 0


async def test_a_voice_speaks_spanish_when_told_to(address: Address) -> None:
    said = "Buenos días. ¿Quiere usted una mesa para esta noche?"
    frames = await _synthesized(_tts(address, language="es"), said)
    event = await elevenlabs.STT(base_url=address.url).recognize(frames, conn_options=ONCE)
    assert event.alternatives[0].language == "es"
    assert word_error_rate(said, event.alternatives[0].text) <= 0.10


async def test_the_speed_sets_how_long_it_takes(address: Address) -> None:
    def settings(speed: float) -> elevenlabs.VoiceSettings:
        return elevenlabs.VoiceSettings(stability=0.5, similarity_boost=0.5, speed=speed)

    usual, fast, slow = [
        _seconds(await _synthesized(_tts(address, encoding="pcm_24000", voice_settings=settings(speed)), BOOKED))
        for speed in (1.0, 1.2, 0.8)
    ]
    assert usual / fast == pytest.approx(1.2, rel=0.05)
    assert usual / slow == pytest.approx(0.8, rel=0.05)


async def test_the_voices_are_listed_and_the_default_one_speaks(address: Address) -> None:
    listed = await _tts(address).list_voices()
    assert [voice.id for voice in listed] == [voice.id for voice in voices.of_provider("elevenlabs")]
    default = elevenlabs.TTS(base_url=address.url)
    assert _seconds(await _synthesized(default, "Hello there.")) > 0.4


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
    for speak in (_synthesized, _streamed):
        client = _tts(address, **options)
        with pytest.raises(APIStatusError, match=named) as refused:
            await speak(client, "Hello.")
        await client.aclose()
        assert refused.value.status_code in (400, 404) and not refused.value.retryable


async def test_a_refusal_has_the_shape_of_elevenlabs(http: aiohttp.ClientSession) -> None:
    async with http.post("/v1/text-to-speech/nobody/stream", json={"text": "Hello."}) as response:
        detail = (await response.json())["detail"]
        assert response.status == 404 and detail["status"] == "voice_not_found"
        assert ERIC in detail["message"] and ERIC in (response.reason or "")


async def test_a_wrong_key_is_401(address: Address) -> None:
    client = _tts(address, api_key="sk-lkcook-1-0000")
    for speak in (_synthesized, _streamed):
        with pytest.raises(APIStatusError) as refused:
            await speak(client, "Hello.")
        assert refused.value.status_code == 401
    await client.aclose()
    with pytest.raises(APIStatusError) as refused:
        await _heard(address, [rtc.AudioFrame(bytes(32_000), 16_000, 1, 16_000)], api_key="sk-lkcook-1-0000")
    assert refused.value.status_code == 401


async def test_scribe_hears_all_of_a_long_sound_with_words_in_order(address: Address) -> None:
    pause = np.zeros(9_600, np.int16)
    spoken = [*human(), human()[0]]  # 35 s
    samples = np.concatenate([part for sound, _ in spoken for part in (sound, pause)])
    frame = rtc.AudioFrame(samples.tobytes(), 16_000, 1, len(samples))
    event = await elevenlabs.STT(base_url=address.url, language_code="en").recognize(frame, conn_options=ONCE)
    heard = event.alternatives[0]
    assert word_error_rate(" ".join(text for _, text in spoken), heard.text) <= 0.10, heard.text
    starts = [word.start_time for word in heard.words or []]
    assert starts == sorted(starts) and heard.end_time == pytest.approx(len(samples) / 16_000 - 0.6, abs=0.8)
    assert 0.5 < heard.confidence <= 1.0


@pytest.mark.parametrize("model, named", [("scribe_v9", "scribe_v1"), ("eleven_turbo_v2_5", "scribe_v2")])
async def test_an_unknown_recogniser_is_refused_with_the_known_ones(address: Address, model: str, named: str) -> None:
    with pytest.raises(APIStatusError, match=named) as refused:
        await _heard(address, [rtc.AudioFrame(bytes(32_000), 16_000, 1, 16_000)], model=model)
    assert refused.value.status_code == 404


async def test_a_failing_voice_is_refused_also_on_an_open_connection(address: Address) -> None:
    client = _tts(address)
    await _streamed(client, "Hello.")
    address.ask("PUT", "/failing", {"models": ["elevenlabs/eleven_turbo_v2_5", "elevenlabs/scribe_v1"]})
    try:
        with pytest.raises(APIError) as refused:
            await _streamed(client, "Hello.")
        assert "fails as it was told to" in str(refused.value.__cause__)
        for speak in (_synthesized, _streamed):
            with pytest.raises(APIStatusError) as refused:
                await speak(_tts(address), "Hello.")
            assert refused.value.status_code == 503  # type: ignore[attr-defined]
        with pytest.raises(APIStatusError, match="fails as it was told to"):
            await _heard(address, [rtc.AudioFrame(bytes(32_000), 16_000, 1, 16_000)])
    finally:
        address.ask("PUT", "/failing", {"models": []})
    assert _seconds(await _streamed(client, "Hello.")) > 0.2
    await client.aclose()


async def test_what_was_sent_is_kept_with_notes_on_what_changes_nothing_here(http: aiohttp.ClientSession) -> None:
    since = time.time()
    body = {"text": "Hello.", "voice_settings": {"stability": 0.3, "speed": 1.1}, "apply_text_normalization": "auto"}
    async with http.post(f"/v1/text-to-speech/{JESSICA}/stream?output_format=pcm_16000", json=body) as response:
        assert response.status == 200 and len(await response.read()) > 10_000
    [record] = await _records(http, since)
    assert record["model"] == record["answered_by"] == "elevenlabs/eleven_multilingual_v2"
    assert record["message"]["text"] == "Hello." and record["notes"] == ["stability: only the cloud honours it"]


PATH = f"/v1/text-to-speech/{JESSICA}"


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b"[" * 100_000,
        b"\xff\xfe\xfa",
        b"{}",
        b'{"text": 7}',
        b'{"text": "  "}',
        b'{"text": "\\ud800"}',
        b'{"text": "Hi", "voice_settings": 7}',
        b'{"text": "Hi", "voice_settings": {"speed": 2}}',
        b'{"text": "Hi", "voice_settings": {"speed": "fast"}}',
        b'{"text": "Hi", "model_id": ["eleven_turbo_v2_5"]}',
        b'{"text": "Hi", "language_code": {"a": 1}}',
        json.dumps({"text": "word " * 1001}).encode(),
    ],
    ids=range(14),
)
async def test_a_malformed_body_gets_an_error(http: aiohttp.ClientSession, body: bytes) -> None:
    headers = {"Content-Type": "application/json; charset=x"}
    async with http.post(f"{PATH}/stream", data=body, headers=headers) as response:
        assert 400 <= response.status < 500
        assert (await response.json())["detail"]["message"]


def _form(*fields: tuple[str, Any], sound: bytes | None = None) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for name, value in fields:
        form.add_field(name, value)
    if sound is not None:
        form.add_field("file", sound, filename="audio.wav", content_type="audio/x-wav")
    return form


def _wav(seconds: float) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(1_000)
        file.writeframes(bytes(int(seconds * 2_000)))
    return out.getvalue()


MODEL = ("model_id", "scribe_v1")
BOUNDARY = {"Content-Type": "multipart/form-data; boundary=x"}


@pytest.mark.parametrize(
    "form, headers",
    [
        (b"{}", {"Content-Type": "application/json"}),
        (b"nothing", {"Content-Type": "multipart/form-data"}),
        (b"nothing", BOUNDARY),
        (b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n", BOUNDARY),
        (_form(MODEL, ("file", "no file")), {}),
        (_form(MODEL, sound=b""), {}),
        (_form(MODEL, sound=b"noise" * 100), {}),
        (_form(MODEL, sound=b"#EXTM3U\n#EXTINF:9,\n/etc/hostname\n#EXT-X-ENDLIST\n"), {}),
        (_form(MODEL, sound=_wav(0)), {}),
        (_form(MODEL, sound=_wav(400)), {}),
        (_form(sound=_wav(1)), {}),
        (_form(MODEL, ("language_code", "tlh"), sound=_wav(1)), {}),
    ],
    ids=range(12),
)
async def test_a_malformed_form_gets_an_error(http: aiohttp.ClientSession, form: Any, headers: dict[str, str]) -> None:
    async with http.post("/v1/speech-to-text", data=form, headers=headers) as response:
        assert 400 <= response.status < 500
        assert (await response.json())["detail"]["message"]


SOCKET = f"{PATH}/multi-stream-input?model_id=eleven_flash_v2_5&output_format=pcm_16000"


async def _reply(ws: aiohttp.ClientWebSocketResponse, name: str) -> bytes:
    sound = b""
    while True:
        message = await ws.receive_json(timeout=20)
        assert "error" not in message, message
        if message["contextId"] == name:
            sound += base64.b64decode(message.get("audio", ""))
            if message.get("isFinal"):
                return sound


@pytest.mark.parametrize(
    "bad",
    [
        "hello?",
        "[1, 2]",
        "[" * 100_000,
        "{}",
        '{"text": 7, "context_id": "a"}',
        '{"text": "Hi.", "context_id": 7}',
        '{"text": " ", "context_id": "a", "voice_settings": {"speed": 9}}',
        '{"text": " ", "context_id": "a", "voice_settings": []}',
        json.dumps({"text": "x" * 5_001, "context_id": "a"}),
        json.dumps({"text": "x" * (2 << 20), "context_id": "a"}),
    ],
    ids=range(10),
)
async def test_a_malformed_message_gets_an_error_and_the_next_reply_is_spoken(
    http: aiohttp.ClientSession, bad: str
) -> None:
    async with http.ws_connect(SOCKET, max_msg_size=0) as ws:
        await ws.send_str(bad)
        assert (await ws.receive_json(timeout=5))["error"]
        await ws.send_bytes(b"\0\1")
        assert "JSON text" in (await ws.receive_json(timeout=5))["error"]
        await ws.send_json({"text": "Hello.", "context_id": "a", "voice_settings": {}, "flush": True})
        await ws.send_json({"context_id": "a", "close_context": True})
        assert len(await _reply(ws, "a")) > 5_000


async def test_contexts_and_nonsense_have_limits(http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(SOCKET) as ws:
        for i in range(17):
            await ws.send_json({"text": " ", "context_id": str(i), "voice_settings": {}})
        refused = await ws.receive_json(timeout=5)
        assert refused["contextId"] == "16" and "16 contexts" in refused["error"]
        for _ in range(19):
            await ws.send_str("nonsense")
        assert [message.type async for message in ws] == [aiohttp.WSMsgType.TEXT] * 19


async def test_close_socket_first_says_what_is_left(http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(SOCKET) as ws:
        await ws.send_json({"text": "Hello", "context_id": "a"})
        await ws.send_json({"close_socket": True})
        assert len(await _reply(ws, "a")) > 5_000
        assert (await ws.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE


async def test_a_client_that_says_nothing_for_long_is_sent_away(http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(f"{SOCKET}&inactivity_timeout=1") as ws:
        assert (await ws.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE


class _Slow(Models):
    """One voice that never ends: 0.1 s of sound every 20 ms."""

    spoken = 0

    def start_loading(self) -> None:
        return

    async def text_to_speech(self) -> Any:
        return self

    def stream(self, text: str, **_manner: Any) -> Iterator[np.ndarray]:
        while True:
            time.sleep(0.02)
            self.spoken += 1
            yield np.full(2_400, 100, np.int16)


@pytest.mark.parametrize("way", ["socket", "request"])
async def test_who_leaves_in_mid_sentence_is_not_spoken_to_any_longer(way: str) -> None:
    models, credentials = _Slow(), Credentials()
    headers = {"xi-api-key": provider_key(credentials.api_secret, OWNER)}
    async with TestClient(TestServer(build(credentials, models)), headers=headers) as client:
        if way == "socket":
            async with client.ws_connect(SOCKET) as ws:
                await ws.send_json({"text": "Hello.", "context_id": "a", "flush": True})
                await ws.receive_json(timeout=5)
        else:
            async with client.post(f"{PATH}/stream", json={"text": "Hello."}) as response:
                await response.content.readany()
                response.close()
        await asyncio.sleep(0.2)
        spoken = models.spoken
        await asyncio.sleep(0.2)
        assert 0 < models.spoken == spoken
        assert not [task for task in asyncio.all_tasks() if "elevenlabs" in str(task.get_coro())]


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
