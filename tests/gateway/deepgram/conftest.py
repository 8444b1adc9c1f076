"""A client that sends what livekit-plugins-deepgram 1.8.9 sends, and a gateway with scripted models for it."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from lkcook.gateway.auth import provider_key
from tests.gateway.openai_audio.conftest import PacedVoice
from tests.gateway.realtime import conftest
from tests.gateway.realtime.conftest import Gateway
from tests.speech import say

gateway = conftest.gateway

# stt.py: _connect_ws, stt_v2.py: _live_config, tts.py: _connect_ws, each with its defaults
LISTEN = {
    **dict.fromkeys(["punctuate", "no_delay", "interim_results", "vad_events", "filler_words"], "true"),
    **dict.fromkeys(["smart_format", "profanity_filter", "numerals", "mip_opt_out"], "false"),
    **{"model": "nova-3", "language": "en-US", "encoding": "linear16", "sample_rate": "16000", "channels": "1"},
    "endpointing": "25",
}
FLUX = {"model": "flux-general-en", "sample_rate": "16000", "encoding": "linear16", "mip_opt_out": "false"}
SPEAK = {"model": "aura-2-andromeda-en", "encoding": "linear16", "sample_rate": "24000", "mip_opt_out": "false"}


class Deepgram:
    """One client; `told` are all messages of its socket, sound as bytes."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway, self.told = gateway, list[Any]()
        self.headers = {"Authorization": f"Token {provider_key(gateway.credentials.api_secret, 'tests')}"}
        self._http = gateway.http()

    async def connect(self, path: str, query: dict[str, Any]) -> None:
        url = self._gateway.server.make_url(path).with_query(query)
        self.ws = await self._http.ws_connect(url, headers=self.headers)

    def post(self, path: str, query: dict[str, Any], **body: Any) -> Any:
        url = self._gateway.server.make_url(path).with_query(query)
        return self._http.post(url, **{**body, "headers": {**self.headers, **body.get("headers", {})}})

    async def hear(self, *parts: str | float) -> None:
        """Words in a caller's voice, numbers as seconds of silence, 50 ms at a time."""
        samples = say(*parts)
        for at in range(0, len(samples), 800):
            await self.ws.send_bytes(samples[at : at + 800].astype("<i2").tobytes())
            await asyncio.sleep(0.003)

    async def send(self, kind: str, **fields: Any) -> None:
        await self.ws.send_json({"type": kind, **fields})

    async def next(self, *kinds: str) -> Any:
        """The next message of these types or, of Flux, events; "" is the end of the connection."""
        async with asyncio.timeout(40):
            while True:
                message = await self.ws.receive()
                if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
                    assert "" in kinds, f"closed before {kinds}"
                    return None
                self.told.append(message.data if message.type is aiohttp.WSMsgType.BINARY else message.json())
                if any(message is self.told[-1] for kind in kinds for message in self.all(kind)):
                    return self.told[-1]

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [m for m in self.told if not isinstance(m, bytes) and kind in (m["type"], m.get("event"))]

    def sound(self) -> bytes:
        return b"".join(message for message in self.told if isinstance(message, bytes))


@pytest.fixture
async def deepgram(gateway: Gateway) -> Deepgram:
    gateway.models.voice = PacedVoice()
    gateway.models.start_loading()
    return Deepgram(gateway)
