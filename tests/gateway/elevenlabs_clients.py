"""LiveKit's plugin for ElevenLabs as these tests use it, and a client that only knows the protocol."""

from __future__ import annotations

from typing import Any

import aiohttp
from livekit import rtc
from livekit.plugins import elevenlabs

from lkcook.gateway.address import Address
from tests.once import ONCE

JESSICA, ERIC = "cgSgspJ2msm6clMCkdW9", "cjVigY5qzO86Huf0OWal"
BOOKED = "Your table for two is booked. We look forward to seeing you tonight."


def tts(address: Address, **options: Any) -> elevenlabs.TTS:
    return elevenlabs.TTS(base_url=address.url, **{"voice_id": JESSICA, "model": "eleven_turbo_v2_5", **options})


async def synthesized(client: elevenlabs.TTS, text: str) -> list[rtc.AudioFrame]:
    async with client.synthesize(text, conn_options=ONCE) as stream:
        return [event.frame async for event in stream]


async def streamed(client: elevenlabs.TTS, *texts: str) -> list[rtc.AudioFrame]:
    async with client.stream(conn_options=ONCE) as stream:
        for text in texts:
            stream.push_text(text)
        stream.end_input()
        return [event.frame async for event in stream]


async def heard(address: Address, frames: list[rtc.AudioFrame], **options: Any) -> str:
    event = await elevenlabs.STT(base_url=address.url, **options).recognize(frames, conn_options=ONCE)
    return event.alternatives[0].text


def seconds_of(frames: list[rtc.AudioFrame]) -> float:
    return sum(frame.duration for frame in frames)


async def records(http: aiohttp.ClientSession, since: float) -> list[dict[str, Any]]:
    async with http.get("/requests", params={"since": since}) as response:
        return (await response.json())["requests"]


PATH = f"/v1/text-to-speech/{JESSICA}"
