"""What happens to a stream while the prompt is read, when the model refuses late, and when nobody listens any more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from lkcook.engines.completion import ModelRefused
from lkcook.gateway.chat import core
from tests.gateway.chat.conftest import Gateway
from tests.malformed import NO_MESSAGE

VERSION = {"anthropic-version": "2023-06-01"}
HELLO: Any = [{"role": "user", "content": "Hello"}]
STREAMS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"model": "gpt-4o", "messages": HELLO, "stream": True},
    "/v1/messages": {"model": "claude-sonnet-4-6", "max_tokens": 8, "messages": HELLO, "stream": True},
    "/v1/responses": {"model": "gpt-4o", "input": HELLO, "stream": True},
    "/api/chat": {"model": "llama3.2", "messages": HELLO},
    "/api/generate": {"model": "llama3.2", "prompt": "Hello"},
}
BEATS = {
    "/v1/chat/completions": b": reading the prompt\n",
    "/v1/messages": b"event: ping\n",
    "/v1/responses": b": reading the prompt\n",
    "/api/chat": b'"content": ""}, "done": false}\n',
    "/api/generate": b'"response": "", "done": false}\n',
}


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(core, "KEEPALIVE", 0.02)
    yield


async def _read(response: Any, what: bytes) -> bytes:
    read = b""
    async with asyncio.timeout(40):
        while what not in read:
            line = await response.content.readline()
            assert line, f"the stream ended: {read!r}"
            read += line
    return read


@pytest.mark.parametrize("path", STREAMS)
async def test_a_client_hears_that_the_prompt_is_read(gateway: Gateway, hurried: None, path: str) -> None:
    gateway.llm.go.clear()
    async with gateway.http(**VERSION) as http, http.post(path, json=STREAMS[path]) as response:
        await _read(response, BEATS[path])
        gateway.llm.go.set()
        await _read(response, b"ten.")


@pytest.mark.parametrize("path", STREAMS)
async def test_a_prompt_beyond_the_context_is_a_plain_400(gateway: Gateway, path: str) -> None:
    gateway.llm.replies = [ModelRefused("the prompt does not fit into the context")]
    async with gateway.http(**VERSION) as http, http.post(path, json=STREAMS[path]) as response:
        assert response.status == 400 and "context" in await response.text()


class Late(ModelRefused):
    """Raised once the stream has begun."""


async def _refuse_late(gateway: Gateway) -> None:
    """The model refuses when its client has heard that the prompt is read."""
    refuse = gateway.llm.go

    async def chat(request: Any) -> Any:
        await refuse.wait()
        raise Late("the prompt does not fit into the context")
        yield

    gateway.llm.go.clear()
    gateway.llm.chat = chat  # type: ignore[method-assign]


@pytest.mark.parametrize("path", STREAMS)
async def test_a_late_refusal_is_an_event_of_the_stream(gateway: Gateway, hurried: None, path: str) -> None:
    await _refuse_late(gateway)
    async with gateway.http(**VERSION) as http, http.post(path, json=STREAMS[path]) as response:
        await _read(response, BEATS[path])
        gateway.llm.go.set()
        rest = (await response.read()).decode().splitlines()
    last = json.loads([line.removeprefix("data: ") for line in rest if line.removeprefix("data: ").startswith("{")][-1])
    assert "does not fit" in json.dumps(last) and ("error" in last or last["type"] == "error")


async def test_a_late_refusal_reaches_the_official_clients(gateway: Gateway, hurried: None) -> None:
    await _refuse_late(gateway)
    asyncio.get_running_loop().call_later(0.3, gateway.llm.go.set)
    async with gateway.openai() as client:
        with pytest.raises(openai.APIError, match="does not fit"):
            async for _ in await client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True):
                continue
    async with gateway.anthropic() as claude:
        with pytest.raises(anthropic.APIStatusError, match="does not fit"):
            given: Any = {**STREAMS["/v1/messages"]}
            async for _ in await claude.messages.create(**given):
                continue


@pytest.mark.parametrize("bad", NO_MESSAGE.values(), ids=NO_MESSAGE)
async def test_a_responses_socket_goes_on_after_a_malformed_message(gateway: Gateway, bad: str) -> None:
    async with gateway.http() as http, http.ws_connect("/v1/responses?model=gpt-4o") as ws:
        await ws.send_str(bad)
        told = await ws.receive_json(timeout=40)
        assert told["type"] == "error" and told["status"] == 400 and told["error"]["message"]
        await ws.send_json({"type": "response.create", "model": "gpt-4o", "input": "Hello"})
        assert (await ws.receive_json(timeout=40))["type"] == "response.created"


async def test_requests_over_a_socket_are_answered_one_after_the_other(gateway: Gateway) -> None:
    async with gateway.http() as http, http.ws_connect("/v1/responses") as ws:
        for text in ("One", "Two"):
            await ws.send_json({"type": "response.create", "model": "gpt-4o", "input": text})
        kinds = []
        while kinds.count("response.completed") < 2:
            kinds.append((await ws.receive_json(timeout=40))["type"])
    assert kinds.index("response.completed") < len(kinds) - 1 - kinds[::-1].index("response.created")
    assert [asked.messages[-1]["content"] for asked in gateway.llm.asked] == ["One", "Two"]


async def test_too_many_requests_over_a_socket_are_refused(gateway: Gateway) -> None:
    gateway.llm.go.clear()
    async with gateway.http() as http, http.ws_connect("/v1/responses") as ws:
        for _ in range(9):
            await ws.send_json({"type": "response.create", "model": "gpt-4o", "input": "Hello"})
        while (told := await ws.receive_json(timeout=40))["type"] != "error":
            continue
        assert told["error"]["code"] == "too_many_requests"


@pytest.mark.parametrize("path", STREAMS)
async def test_hanging_up_stops_the_model(gateway: Gateway, path: str) -> None:
    if path == "/v1/responses":
        async with gateway.http() as http, http.ws_connect(path) as ws:
            gateway.llm.go.clear()
            await ws.send_json({**STREAMS[path], "type": "response.create"})
            await _until(lambda: gateway.llm.under_way == 1)
    else:
        gateway.llm.go.clear()
        async with gateway.http(**VERSION) as http:
            asking = asyncio.create_task(http.post(path, json=STREAMS[path]).__aenter__())
            await _until(lambda: gateway.llm.under_way == 1)
            asking.cancel()
    await _until(lambda: gateway.llm.under_way == 0)


async def _until(condition: Any) -> None:
    async with asyncio.timeout(40):
        while not condition():
            await asyncio.sleep(0.01)
