"""Whatever body a chat protocol is sent, its client is told what is wrong, and the next one is served."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lkcook.gateway.server import LARGEST_BODY
from tests.gateway.chat.conftest import Gateway
from tests.malformed import NO_MESSAGE

HELLO = [{"role": "user", "content": "Hello"}]
GOOD: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"model": "gpt-4o", "messages": HELLO},
    "/v1/messages": {"model": "claude-sonnet-4-6", "max_tokens": 8, "messages": HELLO},
    "/v1/messages/count_tokens": {"model": "claude-sonnet-4-6", "messages": HELLO},
    "/v1/responses": {"model": "gpt-4o", "input": HELLO},
    "/api/chat": {"model": "llama3.2", "messages": HELLO},
    "/api/generate": {"model": "llama3.2", "prompt": "Hello"},
    "/api/show": {"model": "llama3.2"},
}
ANTHROPIC = {"anthropic-version": "2023-06-01"}
NONSENSE: list[Any] = [None, True, 7, -1, 1e300, "nonsense", "\ud800", [], [None], [7], ["x"], [[]], {}, {"type": 7}]
NONSENSE += [[{}], [{"role": 7}], [{"role": "user", "content": 7}], [{"role": "user", "content": [{"type": "image"}]}]]
FIELDS = """model messages system tools tool_choice max_tokens max_completion_tokens stop_sequences stop temperature
top_p seed response_format stream stream_options presence_penalty input instructions max_output_tokens text
previous_response_id store metadata options format prompt images thinking n""".split()
DEEP: Any = []
for _ in range(400):
    DEEP = [DEEP]


async def _status(gateway: Gateway, path: str, body: Any, raw: str | None = None) -> tuple[int, str]:
    async with gateway.http(**ANTHROPIC) as http:
        async with http.post(path, data=(raw if raw is not None else json.dumps(body)).encode()) as response:
            return response.status, await response.text()


@pytest.mark.parametrize("path", GOOD)
async def test_no_value_of_any_field_breaks_the_gateway(gateway: Gateway, path: str) -> None:
    assert (await _status(gateway, path, GOOD[path]))[0] == 200
    for field in FIELDS:
        for value in NONSENSE:
            status, text = await _status(gateway, path, {**GOOD[path], field: value})
            assert status in (200, 400, 404), (field, value, status, text)
            assert status == 200 or json.loads(text)["error"], (field, value)
    assert (await _status(gateway, path, GOOD[path]))[0] == 200


@pytest.mark.parametrize("path", GOOD)
async def test_what_is_no_object_is_400_and_what_is_too_large_is_413(gateway: Gateway, path: str) -> None:
    deep = json.dumps({**GOOD[path], "metadata": DEEP})
    for raw in (*NO_MESSAGE.values(), "", "{", '"text"', '{"model": NaN}', deep):
        status, text = await _status(gateway, path, None, raw)
        assert status == 400 and json.loads(text)["error"], (raw[:40], text)
    status, text = await _status(gateway, path, None, "x" * (LARGEST_BODY + 1))
    assert status == 413 and json.loads(text)["error"]


TOOL_LISTS: list[Any] = [
    [{"type": "function"}],
    [{"type": "function", "function": 7}],
    [{"type": "function", "function": {}, "name": 7, "input_schema": 7}],
    [{"type": "function", "function": {"name": "f", "parameters": 7}, "name": "f", "parameters": 7, "input_schema": 7}],
    [{"type": "custom", "name": "f", "input_schema": {}}, {"name": 7}],
]
CONVERSATIONS: list[Any] = [
    {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "no JSON"}}]},
    {"role": "assistant", "tool_calls": [{"function": 7}]},
    {"role": "assistant", "tool_calls": 7},
    {"role": "assistant", "content": [{"type": "tool_use", "id": 7, "name": "f", "input": {}}]},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": 7}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "nobody", "content": "x"}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": {}, "content": 7}]},
    {"role": "assistant", "content": [{"type": "tool_result"}]},
    {"type": "function_call", "call_id": "a", "name": "f", "arguments": "[]"},
    {"type": "function_call_output", "call_id": "nobody", "output": "x"},
    {"type": "item_reference", "id": "x"},
]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/api/chat"])
async def test_broken_tools_and_calls_are_400(gateway: Gateway, path: str) -> None:
    given = "input" if path == "/v1/responses" else "messages"
    for tools in TOOL_LISTS:
        status, text = await _status(gateway, path, {**GOOD[path], "tools": tools})
        assert status in (200, 400), (tools, text)
    refusals = 0
    for message in CONVERSATIONS:
        status, text = await _status(gateway, path, {**GOOD[path], given: [*HELLO, message]})
        assert status in (200, 400), (message, text)
        refusals += status == 400
    assert refusals >= 3


async def test_what_the_engine_cannot_walk_through_is_400(gateway: Gateway) -> None:
    for schema in ({"$defs": 7}, {"required": 7}, {"required": [7]}):
        function = {"name": "f", "parameters": schema}
        for path, tool in (
            ("/v1/chat/completions", {"type": "function", "function": function}),
            ("/v1/messages", {"name": "f", "input_schema": schema}),
            ("/v1/responses", {"type": "function", **function}),
            ("/api/chat", {"type": "function", "function": function}),
        ):
            status, text = await _status(gateway, path, {**GOOD[path], "tools": [tool]})
            assert status == 400, (path, schema, text)


async def test_a_conversation_without_words_is_400(gateway: Gateway) -> None:
    silent = {**GOOD["/v1/messages"], "system": "Be brief.", "messages": [{"role": "user", "content": ""}]}
    assert (await _status(gateway, "/v1/messages", silent))[0] == 400


async def test_anthropics_version_is_required(gateway: Gateway) -> None:
    async with gateway.http() as http, http.post("/v1/messages", json=GOOD["/v1/messages"]) as response:
        assert response.status == 400 and "anthropic-version" in (await response.json())["error"]["message"]


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "1001"])
async def test_a_page_of_models_has_a_sensible_length(gateway: Gateway, page: str) -> None:
    async with gateway.http(**ANTHROPIC) as http, http.get("/v1/models", params={"limit": page}) as response:
        assert response.status == 400
