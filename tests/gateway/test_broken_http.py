"""What HTTP itself refuses is told in the client's words, and bytes that nobody should send break nothing."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from lkcook.gateway.auth import Credentials, provider_key
from lkcook.gateway.server import LARGEST_BODY, build
from tests.gateway.test_limits import NoModels

GEMINI = "/v1beta/models/gemini-2.5-flash:generateContent"
SPEECH = "/v1/text-to-speech/cgSgspJ2msm6clMCkdW9/stream"
JSON_DOORS = ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/api/chat", GEMINI, "/v1/audio/speech", SPEECH]
JSON_DOORS += ["/v1/speak?model=aura-2-andromeda-en", "/mistral/v1/conversations", "/mistral/v1/audio/speech"]
SENTENCES: dict[str, Any] = {
    "/v1/embeddings": lambda told: told["error"]["message"],
    "/groq/openai/v1/embeddings": lambda told: told["error"]["message"],
    "/v1/messages/batches": lambda told: told["type"] == "error" and told["error"]["message"],
    "/v1beta/cachedContents": lambda told: told["error"]["message"],
    "/api/embed": lambda told: told["error"],
    "/v1/listen/": lambda told: told["err_msg"],
    "/v1/text-to-speech/a": lambda told: told["detail"]["message"],
}


@pytest.fixture
async def client() -> AsyncIterator[TestClient]:
    credentials = Credentials()
    headers = {"Authorization": f"Bearer {provider_key(credentials.api_secret, 'tests')}"}
    async with TestClient(TestServer(build(credentials, NoModels())), headers=headers) as client:
        yield client


@pytest.fixture(autouse=True)
async def _no_traceback(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    yield
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def _first_line(client: TestClient, *headers: bytes) -> bytes:
    """Of the answer to headers that no client library would write."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(b"GET /v1/models HTTP/1.1\r\n" + b"".join(header + b"\r\n" for header in headers) + b"\r\n")
    line = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    return line


@pytest.mark.parametrize(
    "header",
    [b"Authorization: Bearer sk-\xff", b"Authorization: Bearer a.b.\xff", b"x-api-key: \xff", b"api-key: \xc3\xa9"],
)
async def test_a_key_of_foreign_bytes_is_401(client: TestClient, header: bytes) -> None:
    assert b" 401 " in await _first_line(client, b"Host: 127.0.0.1", header)


@pytest.mark.parametrize("headers", [[b"Host: ["], [b"Host: [::1"], [b"Host: 127.0.0.1", b"Origin: http://["]])
async def test_a_host_or_origin_that_is_no_address_is_403(client: TestClient, headers: list[bytes]) -> None:
    assert b" 403 " in await _first_line(client, *headers)


@pytest.mark.parametrize("path", JSON_DOORS)
async def test_a_body_that_is_not_compressed_as_it_says_is_400(client: TestClient, path: str) -> None:
    headers = {"Content-Encoding": "gzip", "anthropic-version": "2023-06-01"}
    for body in (b"no gzip", gzip.compress(b"{}")[:-12]):
        async with client.post(path, data=body, headers=headers) as response:
            assert response.status == 400 and response.content_type == "application/json", await response.text()


@pytest.mark.parametrize("path", JSON_DOORS)
async def test_a_body_beyond_the_limit_is_413_in_json(client: TestClient, path: str) -> None:
    async with client.post(path, data=b"x" * (LARGEST_BODY + 1)) as response:
        assert response.status == 413 and await response.json()


@pytest.mark.parametrize("path", SENTENCES)
async def test_an_address_that_is_not_there_is_404_in_the_clients_words(client: TestClient, path: str) -> None:
    async with client.post(path, json={}) as response:
        assert response.status == 404 and path in SENTENCES[path](await response.json())


async def test_a_method_that_is_not_there_is_405_and_the_others_are_named(client: TestClient) -> None:
    async with client.delete("/v1/chat/completions") as response:
        assert response.status == 405 and response.headers["Allow"] == "POST"
        assert "DELETE /v1/chat/completions" in (await response.json())["error"]["message"]


async def test_a_wrong_key_is_refused_in_the_clients_words(client: TestClient) -> None:
    wrong = {"Authorization": "Token sk-lkcook-1-0000"}
    async with client.post("/v1/listen?model=nova-3", headers=wrong) as response:
        assert response.status == 401 and "lkcook.setup()" in (await response.json())["err_msg"]
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:  # of it LiveKit's plugin shows this header alone
        await client.ws_connect("/v1/text-to-speech/a/multi-stream-input", headers=wrong)
    assert refused.value.status == 401 and "lkcook.setup()" in (refused.value.headers or {})["x-trace-id"]


async def test_a_limit_of_thousands_of_digits_is_400(client: TestClient) -> None:
    headers = {"anthropic-version": "2023-06-01"}
    async with client.get("/v1/models", params={"limit": "9" * 5000}, headers=headers) as response:
        assert response.status == 400


async def test_googles_key_may_stand_in_the_address_and_nobody_elses(client: TestClient) -> None:
    key = client.session.headers["Authorization"].removeprefix("Bearer ")
    for path, status in (("/v1beta/models", 200), ("/v1/models", 401)):
        async with client.get(path, params={"key": key}, headers={"Authorization": ""}) as response:
            assert response.status == status
