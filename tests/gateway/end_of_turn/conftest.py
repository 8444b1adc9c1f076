"""The gateway with a scripted end-of-turn model, and a client of /v1/eot that only knows the protocol."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

import aiohttp
import numpy as np
import pytest
from aiohttp.test_utils import TestServer
from livekit.protocol.agent_pb import agent_inference as wire

from lkcook.gateway.auth import Credentials, provider_key
from lkcook.gateway.models import Models
from lkcook.gateway.server import build

RATE = 16_000


class Judge(Models):
    """The end-of-turn model: answers 0.7, or what `answer` says. hold(): each answer waits for `go`."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[np.ndarray] = []
        self.answer: Callable[[np.ndarray], float] = lambda _: 0.7
        self.go = threading.Event()
        self.go.set()

    def start_loading(self) -> None:
        self._loading["turns"] = asyncio.ensure_future(_ready(self.probability))

    def probability(self, samples: np.ndarray) -> float:
        self.asked.append(samples)
        self.go.wait(30)  # a failing test leaves it held: its thread must end
        return self.answer(samples)


async def _ready(engine: Any) -> Any:
    return engine


class Client:
    """One socket."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def send(self, **message: Any) -> None:
        await self.ws.send_bytes(wire.ClientMessage(**message).SerializeToString())

    async def create(self, **settings: Any) -> None:
        await self.send(session_create=wire.SessionCreate(settings=wire.SessionSettings(**settings)))

    async def hear(self, samples: np.ndarray, **fields: Any) -> None:
        sound = samples.astype("<i2").tobytes()
        await self.send(input_audio=wire.InputAudio(audio=sound, num_samples=len(samples), **fields))

    async def ask(self, request_id: str) -> None:
        await self.send(inference_start=wire.InferenceStart(request_id=request_id))

    async def next(self, kind: str) -> wire.ServerMessage:
        """The next message, "inference_started" aside, which is of this kind."""
        while True:
            frame = await self.ws.receive(timeout=40)
            assert frame.type is aiohttp.WSMsgType.BINARY, frame
            message = wire.ServerMessage.FromString(frame.data)
            if (came := message.WhichOneof("message")) != "inference_started":
                assert came == kind, message
                return message

    async def closed(self) -> int | None:
        """The close code."""
        assert (await self.ws.receive(timeout=40)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        return self.ws.close_code


class Dial(Protocol):
    """Opens a session, or only a socket."""

    async def __call__(self, *, session: bool = True, rate: int = RATE) -> Client: ...


@pytest.fixture
def judge() -> Judge:
    return Judge()


@pytest.fixture
async def dial(judge: Judge) -> AsyncIterator[Dial]:
    """When all clients have gone nothing of theirs goes on."""
    credentials = Credentials()
    server = TestServer(build(credentials, judge), host="127.0.0.1")
    await server.start_server()
    headers = {"Authorization": f"Bearer {provider_key(credentials.api_secret, 'tests')}"}

    async def connect(*, session: bool = True, rate: int = RATE) -> Client:
        client = Client(await http.ws_connect(server.make_url("/v1/eot"), max_msg_size=0))
        if session:
            await client.create(sample_rate=rate)
            await client.next("session_created")
        return client

    async with aiohttp.ClientSession(headers=headers) as http:
        yield connect
    await no_task_is_left()
    judge.go.set()
    await server.close()


async def no_task_is_left() -> None:
    async with asyncio.timeout(40):
        while any("lkcook/gateway/end_of_turn" in task.get_coro().cr_code.co_filename for task in asyncio.all_tasks()):
            await asyncio.sleep(0.01)
