"""Mistral's Conversations: whole replies through Mistral's own client, and what is wrong with a body."""

from __future__ import annotations

from typing import Any

import pytest
from mistralai.client import Mistral

from lkcook.engines.tool_calls import ToolCall
from tests.gateway.chat.conftest import Gateway

MODEL = "mistral-small-latest"
CALL = {"type": "function.call", "tool_call_id": "a", "name": "book_table", "arguments": '{"people": 2}'}


async def test_a_whole_reply_has_its_words_and_calls(gateway: Gateway) -> None:
    gateway.llm.replies, gateway.llm.then = ["One moment. "], ToolCall("book_table", '{"people": 2}')
    client = Mistral(api_key=gateway.key, server_url=gateway.env["MISTRAL_BASE_URL"])
    words = {"inputs": "A table for two.", "instructions": "Be brief."}
    reply = await client.beta.conversations.start_async(model=MODEL, **words)
    said, call = reply.outputs
    assert said.content == "One moment. " and (call.name, call.arguments) == ("book_table", '{"people": 2}')
    assert [message["content"] for message in gateway.llm.asked[-1].messages] == ["Be brief.", "A table for two."]


@pytest.mark.parametrize(
    "body, param",
    [
        ({}, "inputs"),
        ({"inputs": [7]}, "inputs"),
        ({"inputs": [{"type": "agent.handoff"}]}, "inputs[0].type"),
        ({"inputs": [{"type": "function.result", "tool_call_id": "a", "result": ""}]}, "inputs[0].tool_call_id"),
        ({"inputs": [{**CALL, "arguments": "["}]}, "inputs[0].arguments"),
        ({"inputs": "Hi", "completion_args": 5}, "completion_args"),
        ({"inputs": "Hi", "completion_args": {"temperature": 9}}, "temperature"),
        ({"inputs": "Hi", "tools": [{"type": "function"}]}, "tools.function"),
    ],
)
async def test_what_is_wrong_is_400_with_the_field(gateway: Gateway, body: dict[str, Any], param: str) -> None:
    async with gateway.http() as http:
        async with http.post("/mistral/v1/conversations", json={"model": MODEL, **body}) as response:
            error = (await response.json())["error"]
    assert response.status == 400 and error["param"] == param, error
