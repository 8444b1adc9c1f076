"""A client that knows only GPT-Live's protocol, and all that it was told."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import aiohttp
import numpy as np

from tests.gateway.realtime.conftest import Gateway, encoded
from tests.speech import say

PATH = "/v1/live/sessions?model=openai/gpt-live-1"
BACKEND = {"type": "responses", "responses": {"model": "gpt-5.6-luna"}}
BOOK = {"type": "function", "name": "book", "description": "Book.", "parameters": {"type": "object", "properties": {}}}
TOOLS = {"type": "responses", "responses": {"model": "gpt-5.6-luna", "tools": [BOOK]}}
ANSWER = "Of course. We are open until ten."
LONG = "This is a sentence that takes a while. " * 12


class Live:
    """sound: int16 at 24 kHz of every frame so far."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws, self.told, self.frames = ws, [], []

    async def send(self, kind: str, **fields: Any) -> None:
        await self.ws.send_json({"type": kind, **fields})

    async def begin(self, **session: Any) -> dict[str, Any]:
        """session.start; the answer to it."""
        await self.send("session.start", session={"model": "openai/gpt-live-1", **session}, event_id="mine")
        return await self.next("session.started", "error")

    async def append(self, content: str, kind: str = "commentary", **fields: Any) -> None:
        await self.send(f"session.{kind}.append", content=content, **{"delegation_id": None, **fields})

    async def hear(self, *parts: str | float) -> None:
        """Words in a caller's voice, numbers as seconds of silence, 0.1 s at a time, faster than anybody speaks."""
        samples = say(*parts, rate=24_000)
        for at in range(0, len(samples), 2400):
            await self.send("session.input_audio.append", audio=encoded(samples[at : at + 2400]))
            await asyncio.sleep(0.003)

    async def next(self, *kinds: str, within: float = 15.0) -> dict[str, Any]:
        """The next event of these kinds, or the next Responses event of that type."""
        async with asyncio.timeout(within):
            while True:
                message = await self.ws.receive_json()
                self._keep(message)
                inner = message["event"] if message["type"] == "response.event" else message
                if message["type"] in kinds or inner["type"] in kinds:
                    return inner if inner["type"] in kinds else message

    async def heard(self, text: str, within: float = 15.0) -> None:
        """Until the model has said so."""
        async with asyncio.timeout(within):
            while text not in self.said():
                await self.next("session.output_transcript.delta")

    async def silence(self, seconds: float) -> None:
        """Until the model has been quiet for so long."""
        count = int(seconds / 0.05)
        while len(self.frames) < count or any(frame.any() for frame in self.frames[-count:]):
            await self.next("session.output_audio.delta")

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.told if message["type"] == kind]

    def said(self, way: str = "output") -> str:
        return "".join(message["delta"] for message in self.all(f"session.{way}_transcript.delta"))

    def sound(self) -> np.ndarray:
        return np.concatenate(self.frames)

    def _keep(self, message: dict[str, Any]) -> None:
        if message["type"] == "session.output_audio.delta":
            self.frames.append(np.frombuffer(base64.b64decode(message["delta"]), "<i2"))
        else:
            self.told.append(message)


async def reach(gateway: Gateway, path: str = PATH) -> Live:
    """A client before session.start."""
    return Live(await gateway.socket(path))


async def start(gateway: Gateway, **session: Any) -> Live:
    """A client past session.started."""
    client = await reach(gateway)
    await client.begin(**{"delegation": BACKEND, **session})
    assert not client.all("error"), client.told
    return client
