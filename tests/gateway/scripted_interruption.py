"""A gateway whose interruption engine says what the test wants, and a client that knows the protocol alone."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import jwt
import numpy as np
from aiohttp.test_utils import TestClient, TestServer

from lkcook.engines.interruption import THRESHOLD, Judged
from lkcook.gateway.auth import Credentials
from lkcook.gateway.models import Models
from lkcook.gateway.server import build

RATE = 16_000
SETTINGS = {"sample_rate": RATE, "num_channels": 1, "min_frames": 2, "encoding": "s16le"}
CREATE = {"type": "session.create", "settings": SETTINGS}


class Scripted:
    """Judges as it is told; `held` judgements wait for `go_on`."""

    def __init__(self) -> None:
        self.judged = Judged(0.99, 0.5)
        self.asked: list[int] = []
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def judge(self, samples: np.ndarray) -> Judged:
        self.asked.append(len(samples))
        self.begun.set()
        self.go_on.wait(30)
        return self.judged


class OneModel(Models):
    """Nothing but the scripted one."""

    def __init__(self, engine: Scripted) -> None:
        super().__init__()
        self.engine = engine

    def start_loading(self) -> None:
        return

    async def interruption(self) -> Any:
        return self.engine


@asynccontextmanager
async def gateway(engine: Scripted) -> AsyncIterator[TestClient]:
    """A client of a gateway that has nothing but `engine`."""
    credentials = Credentials()
    claims = {"iss": credentials.api_key, "exp": int(time.time()) + 60, "inference": {"perform": True}}
    headers = {"Authorization": f"Bearer {jwt.encode(claims, credentials.api_secret, algorithm='HS256')}"}
    async with TestClient(TestServer(build(credentials, OneModel(engine))), headers=headers) as client:
        yield client
        engine.go_on.set()


def window(created_at: int, seconds: float = 1.5) -> bytes:
    return struct.pack("<Q", created_at) + bytes(int(seconds * RATE) * 2)


async def opened(client: TestClient, **settings: Any) -> aiohttp.ClientWebSocketResponse:
    ws = await client.ws_connect("/v1/bargein")
    await ws.send_json({"type": "session.create", "settings": {**SETTINGS, **settings}})
    assert await ws.receive_json() == {"type": "session.created", "default_threshold": THRESHOLD}
    return ws
