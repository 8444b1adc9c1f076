"""Nobody can make the gateway hold more than it should."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress

import aiohttp
import jwt
import pytest
from aiohttp import WSMsgType
from aiohttp.test_utils import TestClient, TestServer

from lkcook.gateway.auth import Credentials
from lkcook.gateway.models import Models
from lkcook.gateway.server import LARGEST_BODY, MOST_SESSIONS, build


class NoModels(Models):
    """Nothing is loaded: these tests never get as far as a model."""

    def start_loading(self) -> None:
        return


@pytest.fixture
async def client() -> AsyncIterator[TestClient]:
    credentials = Credentials()
    claims = {"iss": credentials.api_key, "exp": int(time.time()) + 60, "inference": {"perform": True}}
    headers = {"Authorization": f"Bearer {jwt.encode(claims, credentials.api_secret, algorithm='HS256')}"}
    async with TestClient(TestServer(build(credentials, NoModels())), headers=headers) as client:
        yield client


async def test_one_session_too_many_is_429_until_another_ends(client: TestClient) -> None:
    async with AsyncExitStack() as sessions:
        sockets = [await sessions.enter_async_context(client.ws_connect("/v1/stt")) for _ in range(MOST_SESSIONS)]
        assert (await client.get("/v1/models")).status == 429
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect("/v1/tts")
        assert refused.value.status == 429
        await sockets[0].close()
        assert (await client.get("/v1/models")).status == 200


async def test_the_status_can_be_asked_even_then_and_counts_them(client: TestClient) -> None:
    async with client.ws_connect("/v1/stt"), client.ws_connect("/v1/tts"):
        assert (await (await client.get("/status")).json())["sessions"] == 2


async def test_a_frame_of_many_megabytes_ends_the_connection_and_nothing_else(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    async with client.ws_connect("/v1/stt") as ws:
        with suppress(ConnectionError):  # it is refused before all of it was sent
            await ws.send_str("x" * (5 << 20))
        assert [message async for message in ws if message.type is WSMsgType.TEXT] == []
    async with client.ws_connect("/v1/stt") as ws:
        await ws.send_str("{}")
        assert (await ws.receive_json(timeout=40))["code"] == 400
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_body_of_many_megabytes_is_413(client: TestClient) -> None:
    async with client.post("/v1/chat/completions", data=b"x" * (LARGEST_BODY + 1)) as response:
        assert response.status == 413


async def test_a_client_that_only_sends_nonsense_is_sent_away(client: TestClient) -> None:
    async with client.ws_connect("/v1/stt") as ws:
        for _ in range(20):
            await ws.send_str("nonsense")
        kinds = [message.type async for message in ws]
        assert kinds.count(WSMsgType.TEXT) == 20
        assert ws.closed


async def test_an_unknown_path_is_404_with_a_token_and_401_without(client: TestClient) -> None:
    assert (await client.get("/v1/nothing")).status == 404
    assert (await client.get("/v1/nothing", headers={"Authorization": ""})).status == 401
