"""A gateway with scripted models, in this process, and a client that knows only OpenAI's documentation."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import numpy as np
import pytest
from aiohttp.test_utils import TestServer

from lkcook.gateway.auth import Credentials, provider_key
from lkcook.gateway.server import build
from tests.gateway.realtime.scripted import ScriptedLanguageModel, ScriptedModels
from tests.speech import say

TRANSCRIBED = {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}}
MANUAL = {"input": {"turn_detection": None, "transcription": {"model": "whisper-1"}}}
BOOK = {"type": "function", "name": "book", "description": "Book a table.", "parameters": {"type": "object"}}


class Client:
    """One connection: sends events, and waits for those of the server; all of them are kept."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws, self.told = ws, []
        self._at = 0

    async def send(self, kind: str, **fields: Any) -> None:
        await self.ws.send_json({"type": kind, **fields})

    async def hear(self, *parts: str | float) -> None:
        """Words in a caller's voice, numbers as seconds of silence, 0.1 s at a time."""
        samples = say(*parts, rate=24_000)
        for at in range(0, len(samples), 2400):
            await self.send("input_audio_buffer.append", audio=encoded(samples[at : at + 2400]))
            await asyncio.sleep(0.003)

    async def next(self, *kinds: str, within: float = 10.0) -> dict[str, Any]:
        """The next event of these kinds; those in between are kept, too."""
        async with asyncio.timeout(within):
            while True:
                message = await self.ws.receive_json()
                self.told.append(message)
                if message["type"] in kinds:
                    return message

    async def update(self, **session: Any) -> dict[str, Any]:
        """session.update; the answer to it."""
        await self.send("session.update", session={"type": "realtime", **session}, event_id="mine")
        return await self.next("session.updated", "error")

    async def say(self, text: str, **item: Any) -> None:
        """A written message of the user."""
        content = [{"type": "input_text", "text": text}]
        await self.send("conversation.item.create", item={"type": "message", "role": "user", "content": content, **item})
        await self.next("conversation.item.done")

    def kinds(self) -> list[str]:
        """The types of all events so far, repeated ones once."""
        names = [message["type"] for message in self.told]
        return [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.told if message["type"] == kind]

    def sound(self) -> np.ndarray:
        """All that was said, int16 at 24 kHz."""
        pieces = [base64.b64decode(message["delta"]) for message in self.all("response.output_audio.delta")]
        return np.frombuffer(b"".join(pieces), "<i2")


class Gateway:
    """Scripted models behind the real routes."""

    def __init__(self, server: TestServer, credentials: Credentials, models: ScriptedModels) -> None:
        self.server, self.credentials, self.models = server, credentials, models
        self.llm = models.llm
        self._sessions: list[aiohttp.ClientSession] = []

    async def connect(self, model: str = "gpt-realtime", query: str = "") -> Client:
        """A client past session.created."""
        client = Client(await self.socket(f"/v1/realtime?model={model}{query}"))
        await client.next("session.created")
        return client

    async def socket(self, path: str) -> aiohttp.ClientWebSocketResponse:
        return await self.http().ws_connect(self.server.make_url(path), max_msg_size=0)

    async def requests(self) -> list[dict[str, Any]]:
        """What the gateway has kept of this client's requests."""
        async with self.http().get(self.server.make_url("/requests")) as response:
            return (await response.json())["requests"]  # type: ignore[no-any-return]

    def http(self) -> aiohttp.ClientSession:
        headers = {"Authorization": f"Bearer {provider_key(self.credentials.api_secret, 'tests')}"}
        session = aiohttp.ClientSession(headers=headers)
        self._sessions.append(session)
        return session

    async def aclose(self) -> None:
        for session in self._sessions:
            await session.close()
        await self.server.close()


def encoded(samples: np.ndarray) -> str:
    return base64.b64encode(samples.astype("<i2").tobytes()).decode()


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    credentials = Credentials()
    models = ScriptedModels(ScriptedLanguageModel("Of course. We are open until ten."))
    server = TestServer(build(credentials, models), host="127.0.0.1")
    await server.start_server()
    made = Gateway(server, credentials, models)
    yield made
    await made.aclose()


@pytest.fixture(autouse=True)
async def _no_task_is_left_behind(gateway: Gateway) -> AsyncIterator[None]:
    """Whatever a client does, when it has gone nothing of its conversation goes on."""
    yield
    await gateway.aclose()
    for _ in range(150):
        left = [task for task in asyncio.all_tasks() if "lkcook/gateway/realtime" in _file(task)]
        if not left:
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"left behind: {left}")


def _file(task: asyncio.Task[Any]) -> str:
    code = getattr(task.get_coro(), "cr_code", None)
    return code.co_filename if code is not None else ""
