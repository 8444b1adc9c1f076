"""A client of Gemini Live that knows only Google's documentation."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import aiohttp
import numpy as np

from lkcook.gateway.auth import provider_key
from tests.gateway.realtime.conftest import Gateway
from tests.speech import say

SERVICE = "/ws/google.ai.generativelanguage.{}.GenerativeService.BidiGenerateContent"
TRANSCRIBED = {"inputAudioTranscription": {}, "outputAudioTranscription": {}}
MANUAL = {"realtimeInputConfig": {"automaticActivityDetection": {"disabled": True}}}
BOOK = {"functionDeclarations": [{"name": "book", "description": "Book a table.", "parameters": {"type": "OBJECT"}}]}


class Gemini:
    """One connection. Messages are kept by name: what stands in serverContent counts as a message of its own."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.told: list[tuple[str, Any]] = []
        self.binary: list[bool] = []
        self.raw: list[bytes] = []
        self._at = 0

    async def send(self, **message: Any) -> None:
        await self.ws.send_json(message)

    async def hear(self, *parts: str | float, rate: int = 16_000) -> None:
        """Words in a caller's voice, numbers as seconds of silence, 0.1 s at a time."""
        samples = say(*parts, rate=rate)
        for at in range(0, len(samples), rate // 10):
            data = base64.urlsafe_b64encode(samples[at : at + rate // 10].astype("<i2").tobytes()).decode()
            await self.send(realtimeInput={"audio": {"mimeType": f"audio/pcm;rate={rate}", "data": data}})
            await asyncio.sleep(0.003)

    async def write(self, *texts: str, complete: bool = True) -> None:
        """Turns of the user."""
        turns = [{"role": "user", "parts": [{"text": text}]} for text in texts]
        await self.send(clientContent={"turns": turns, "turnComplete": complete})

    async def next(self, *names: str, within: float = 10.0) -> Any:
        """The value of the next message with one of these names; those in between are kept, too."""
        async with asyncio.timeout(within):
            while True:
                while self._at < len(self.told):
                    name, value = self.told[self._at]
                    self._at += 1
                    if name in names:
                        return value
                self._take(await self.ws.receive())

    async def closed(self, within: float = 10.0) -> tuple[int | None, str]:
        """The code and the reason with which the server ends the connection."""
        async with asyncio.timeout(within):
            while (frame := await self.ws.receive()).type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
                self._take(frame)
        return self.ws.close_code, frame.extra or ""

    def _take(self, frame: aiohttp.WSMessage) -> None:
        assert frame.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), (frame, frame.extra, self.names())
        self.binary.append(frame.type is aiohttp.WSMsgType.BINARY)
        self.raw.append(frame.data)
        for name, value in json.loads(frame.data).items():
            self.told += value.items() if name == "serverContent" else [(name, value)]

    def names(self) -> list[str]:
        """What was told so far, repeated ones once."""
        names = [name for name, _ in self.told]
        return [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]

    def all(self, name: str) -> list[Any]:
        return [value for told, value in self.told if told == name]

    def sound(self) -> np.ndarray:
        """All that was said, int16 at 24 kHz."""
        parts = [part for turn in self.all("modelTurn") for part in turn["parts"]]
        return np.frombuffer(b"".join(base64.b64decode(part["inlineData"]["data"]) for part in parts), "<i2")

    def text(self, name: str = "outputTranscription") -> str:
        return "".join(value["text"] for value in self.all(name))


async def reach(gateway: Gateway, version: str = "v1beta", owner: str = "tests") -> Gemini:
    """A client before its setup."""
    session = gateway.http()
    key = provider_key(gateway.credentials.api_secret, owner)
    url = gateway.server.make_url(SERVICE.format(version))
    return Gemini(await session.ws_connect(url, headers={"x-goog-api-key": key, "Authorization": ""}, max_msg_size=0))


async def connect(gateway: Gateway, *, modality: str = "AUDIO", owner: str = "tests", **setup: Any) -> Gemini:
    """A client past setupComplete."""
    client = await reach(gateway, owner=owner)
    generation = {"responseModalities": [modality], **setup.pop("generationConfig", {})}
    await client.send(setup={"model": "models/gemini-live", "generationConfig": generation, **setup})
    await client.next("setupComplete")
    return client
