"""Whatever a client of adaptive interruption sends, it gets an error it can read, and the session goes on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import WSMsgType
from aiohttp.test_utils import TestClient
from livekit.agents.inference import interruption as sdk

from tests.gateway.scripted_interruption import CREATE, Scripted, gateway, opened, window
from tests.malformed import NO_MESSAGE


@pytest.fixture
async def client() -> AsyncIterator[TestClient]:
    async with gateway(Scripted()) as client:
        yield client


NOT_TAKEN: dict[str, str | bytes] = {
    **NO_MESSAGE,
    "a second session": json.dumps(CREATE),
    "too short for a time": b"1234567",
    "no sound": window(1, 0),
    "half a sample": window(1) + b"x",
    "more than 3 s": window(1, 3.01),
}


@pytest.mark.parametrize("bad", NOT_TAKEN.values(), ids=NOT_TAKEN)
async def test_a_malformed_message_gets_an_error_that_livekits_client_can_read_and_the_session_goes_on(
    client: TestClient, bad: str | bytes
) -> None:
    ws = await opened(client)
    await (ws.send_str(bad) if isinstance(bad, str) else ws.send_bytes(bad))
    error = sdk.InterruptionWSMessage.validate_python(await ws.receive_json())
    assert isinstance(error, sdk.InterruptionWSErrorMessage) and error.code == 400
    await ws.send_bytes(window(3))
    assert (await ws.receive_json())["created_at"] == 3


async def test_sound_before_session_create_gets_an_error(client: TestClient) -> None:
    async with client.ws_connect("/v1/bargein") as ws:
        await ws.send_bytes(window(1))
        assert "before session.create" in (await ws.receive_json())["message"]


@pytest.mark.parametrize(
    "settings, names",
    [
        ([], "object"),
        ({"sample_rate": 8000}, "16000"),
        ({"num_channels": 2}, "num_channels"),
        ({"encoding": "opus"}, "s16le"),
        ({"threshold": 1.5}, "from 0 to 1"),
        ({"threshold": "high"}, "from 0 to 1"),
        ({"threshold": True}, "from 0 to 1"),
        ({"min_frames": 0}, "from 1 to 120"),
        ({"min_frames": 2.5}, "from 1 to 120"),
    ],
)
async def test_settings_that_cannot_be_are_refused_with_the_reason(
    client: TestClient, settings: Any, names: str
) -> None:
    async with client.ws_connect("/v1/bargein") as ws:
        await ws.send_json({"type": "session.create", "settings": settings})
        assert names in (await ws.receive_json())["message"]
        assert (await ws.receive()).type is WSMsgType.CLOSE
