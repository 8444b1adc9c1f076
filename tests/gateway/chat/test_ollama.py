"""Ollama's own API, as its documentation has it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lkcook.engines.tool_calls import ToolCall
from tests.gateway.chat.conftest import Gateway

SAID = "Of course. We are open until ten."
HELLO = [{"role": "user", "content": "Hello"}]


async def _post(gateway: Gateway, path: str, **body: Any) -> tuple[int, list[dict[str, Any]]]:
    """The status, and every line."""
    async with gateway.http() as http, http.post(f"/api/{path}", json={"model": "llama3.2", **body}) as response:
        return response.status, [json.loads(line) for line in (await response.text()).splitlines()]


async def test_a_chat_is_a_json_object_a_line(gateway: Gateway) -> None:
    status, lines = await _post(gateway, "chat", messages=HELLO)
    assert status == 200 and [line["done"] for line in lines] == [False] * 7 + [True]
    assert "".join(line["message"]["content"] for line in lines) == SAID
    last = lines[-1]
    assert (last["done_reason"], last["prompt_eval_count"], last["eval_count"]) == ("stop", 40, 8)
    assert 0 < last["prompt_eval_duration"] <= last["total_duration"] and last["load_duration"] == 0


async def test_options_reach_the_engine(gateway: Gateway) -> None:
    options = {"num_predict": 16, "temperature": 0.7, "top_p": 0.5, "seed": 3, "stop": ["ten"], "num_ctx": 2048}
    status, (whole,) = await _post(gateway, "chat", messages=HELLO, stream=False, options=options, format="json")
    assert status == 200 and whole["message"]["content"] == SAID and whole["done"]
    asked = gateway.llm.asked[-1]
    assert (asked.max_tokens, asked.temperature, asked.top_p, asked.seed, asked.stop) == (16, 0.7, 0.5, 3, ["ten"])
    assert asked.response_format == {"type": "json_object"}
    async with gateway.http() as http, http.get("/requests") as response:
        assert (await response.json())["requests"][-1]["notes"] == ["options.num_ctx: only a real Ollama honours it"]


async def test_a_function_is_called_and_its_result_needs_no_id(gateway: Gateway) -> None:
    gateway.llm.replies = [ToolCall("book_table", '{"people": 2}')]
    function = {"name": "book_table", "parameters": {"type": "object", "properties": {}}}
    tools = [{"type": "function", "function": function}]
    _, lines = await _post(gateway, "chat", messages=HELLO, tools=tools)
    (call,) = lines[0]["message"]["tool_calls"]
    assert call["function"] == {"name": "book_table", "arguments": {"people": 2}} and lines[-1]["done_reason"] == "stop"
    called = {"role": "assistant", "content": "", "tool_calls": [{"function": call["function"]}]}
    result = {"role": "tool", "tool_name": "book_table", "content": "booked"}
    await _post(gateway, "chat", messages=[*HELLO, called, result], tools=tools)
    _, made, given = gateway.llm.asked[-1].messages
    assert given == {"role": "tool", "tool_call_id": made["tool_calls"][0]["id"], "content": "booked"}


async def test_a_prompt_is_completed(gateway: Gateway) -> None:
    _, lines = await _post(gateway, "generate", prompt="Hello", system="Be brief.", options={"num_predict": -1})
    assert "".join(line["response"] for line in lines) == SAID and lines[-1]["done"]
    assert [message["role"] for message in gateway.llm.asked[-1].messages] == ["system", "user"]
    assert gateway.llm.asked[-1].max_tokens == 512


async def test_the_models_are_the_one_that_is_here_and_what_it_answers_to(gateway: Gateway) -> None:
    async with gateway.http() as http:
        async with http.get("/api/tags") as response:
            models = (await response.json())["models"]
        async with http.get("/api/version") as response:
            assert (await response.json())["version"]
        for model in models:
            async with http.post("/api/show", json={"model": model["name"]}) as response:
                shown = await response.json()
            assert shown["details"]["parent_model"] == models[0]["name"] and "tools" in shown["capabilities"]
            assert (await _post(gateway, "chat", model=model["name"], messages=HELLO))[0] == 200
    assert [model["name"] for model in models][1:] == ["llama3.1", "llama3.2"]


@pytest.mark.parametrize("path, body", [("chat", {"messages": HELLO}), ("generate", {"prompt": "Hello"}), ("show", {})])
async def test_what_was_not_pulled_is_404_with_the_nearest(gateway: Gateway, path: str, body: dict[str, Any]) -> None:
    status, (told,) = await _post(gateway, path, **{**body, "model": "llama3.3"})
    assert status == 404 and told["error"].startswith('model "llama3.3" not found') and "llama3.2" in told["error"]
    assert (await _post(gateway, path, **{**body, "model": "llama3.2:latest"}))[0] == 200


async def test_without_a_key_nobody_is_served(gateway: Gateway) -> None:
    async with gateway.http(Authorization="Bearer ollama") as http:
        async with http.post("/api/chat", json={"model": "llama3.2", "messages": HELLO}) as response:
            assert response.status == 401 and set(await response.json()) == {"error"}
