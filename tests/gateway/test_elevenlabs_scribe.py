"""Scribe through LiveKit's plugin, and forms that are none."""

from __future__ import annotations

import io
import wave
from typing import Any

import aiohttp
import numpy as np
import pytest
from livekit import rtc
from livekit.agents import APIStatusError
from livekit.plugins import elevenlabs

from lkcook.gateway.address import Address
from tests.gateway.elevenlabs_clients import ONCE, heard
from tests.speech import human, word_error_rate

pytestmark = pytest.mark.usefixtures("livekit_http")


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
        await heard(address, [rtc.AudioFrame(bytes(32_000), 16_000, 1, 16_000)], model=model)
    assert refused.value.status_code == 404


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
async def test_a_malformed_form_gets_an_error(eleven: aiohttp.ClientSession, form: Any, headers: dict[str, str]) -> None:
    async with eleven.post("/v1/speech-to-text", data=form, headers=headers) as response:
        assert 400 <= response.status < 500
        assert (await response.json())["detail"]["message"]
