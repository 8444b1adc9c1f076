"""With the real voice and the real recogniser: what is spoken is understood."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from lkcook.gateway.address import Address
from lkcook.gateway.auth import provider_key
from tests.gateway.openai_audio.conftest import seconds_of
from tests.speech import word_error_rate

TEXT = "Your table for two is booked. We look forward to seeing you tonight at eight."


@pytest.mark.parametrize("written, model", [("mp3", "gpt-4o-mini-transcribe"), ("wav", "whisper-1")])
async def test_what_is_spoken_is_understood(address: Address, written: Any, model: str) -> None:
    key = provider_key(address.api_secret, "round-trip")
    async with openai.AsyncOpenAI(api_key=key, base_url=address.url, max_retries=0) as client:
        said = await client.audio.speech.create(
            input=TEXT, model="gpt-4o-mini-tts", voice="coral", response_format=written
        )
        heard = await client.audio.transcriptions.create(file=(f"said.{written}", said.content), model=model)
    assert word_error_rate(TEXT, heard.text) <= 0.1, heard.text


async def test_the_real_voice_is_faster_and_slower(address: Address) -> None:
    key = provider_key(address.api_secret, "round-trip")
    async with openai.AsyncOpenAI(api_key=key, base_url=address.url, max_retries=0) as client:
        create = client.audio.speech.create
        said = [await create(input=TEXT, model="tts-1", voice="nova", speed=speed) for speed in (0.5, 1.0, 3.0)]
    slow, usual, fast = (seconds_of(sound.content) for sound in said)
    assert slow / usual == pytest.approx(2, rel=0.2) and usual / fast == pytest.approx(3, rel=0.2)
