"""Anthropic's Messages through Anthropic's own client, as its documentation has them."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest

from lkcook.engines.tool_calls import ToolCall
from lkcook.plugin_models import anthropic as known
from tests.gateway.chat.conftest import Gateway

MODEL = "claude-sonnet-4-6"
TOOL = {"name": "book_table", "description": "Book a table.", "input_schema": {"type": "object", "properties": {}}}
HELLO = {"role": "user", "content": "Hello"}


async def _ask(gateway: Gateway, *messages: dict[str, Any], **options: Any) -> anthropic.types.Message:
    async with gateway.anthropic() as client:
        given = {"model": MODEL, "max_tokens": 64, "messages": list(messages) or [HELLO], **options}
        return await client.messages.create(**given)


async def test_a_whole_reply_and_what_it_cost(gateway: Gateway) -> None:
    sampling = {"temperature": 0.5, "top_p": 0.9}  # which the client has no names for since 1.0
    message = await _ask(gateway, system="Be brief.", stop_sequences=["until"], extra_body=sampling)
    assert message.content[0].text == "Of course. We are open until ten." and message.model == MODEL
    assert (message.stop_reason, message.stop_sequence) == ("end_turn", None)
    usage = message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (10, 30, 8)
    asked = gateway.llm.asked[-1]
    assert asked.messages == [{"role": "system", "content": "Be brief."}, HELLO]
    assert (asked.temperature, asked.top_p, asked.max_tokens, asked.stop) == (0.5, 0.9, 64, ["until"])


@pytest.mark.parametrize(
    "reason, stopped_by, told",
    [("length", "", "max_tokens"), ("stop", "until", "stop_sequence"), ("stop", "", "end_turn")],
)
async def test_why_it_ended(gateway: Gateway, reason: str, stopped_by: str, told: str) -> None:
    gateway.llm.reason, gateway.llm.stopped_by = reason, stopped_by
    message = await _ask(gateway)
    assert (message.stop_reason, message.stop_sequence) == (told, stopped_by or None)
    async with gateway.anthropic().messages.stream(model=MODEL, max_tokens=9, messages=[HELLO]) as stream:
        final = await stream.get_final_message()
    assert (final.stop_reason, final.stop_sequence) == (told, stopped_by or None)


async def test_a_stream_has_the_documented_events_in_order(gateway: Gateway) -> None:
    gateway.llm.replies, gateway.llm.then = ["One moment, please."], ToolCall("book_table", '{"people": 2}', "call_1")
    async with gateway.anthropic() as client:
        stream = await client.messages.create(model=MODEL, max_tokens=9, messages=[HELLO], tools=[TOOL], stream=True)
        events = [event async for event in stream]
    block = ["content_block_start", "content_block_delta", "content_block_stop"]
    text = [block[0], *[block[1]] * 3, block[2]]
    assert [event.type for event in events] == ["message_start", *text, *block, "message_delta", "message_stop"]
    assert events[0].message.usage.input_tokens == 10 and events[-2].usage.output_tokens == 8
    assert events[6].content_block.name == "book_table" and events[6].index == 1
    assert events[7].delta.partial_json == '{"people": 2}' and events[-2].delta.stop_reason == "tool_use"


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


async def test_blocks_become_the_engines_messages(gateway: Gateway) -> None:
    cached = {"cache_control": {"type": "ephemeral"}}
    call = {"type": "tool_use", "id": "toolu_1", "name": "book_table", "input": {"people": 2}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [_text("full")], "is_error": True}
    await _ask(
        gateway,
        {"role": "user", "content": [{**_text("A table"), **cached}, _text("for two.")]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}, call]},
        {"role": "user", "content": [result, _text("And?")]},
        system=[{**_text("You book tables."), **cached}],
        tools=[{**TOOL, **cached}],
    )
    system, user, called, given, last = gateway.llm.asked[-1].messages
    assert system["content"] == "You book tables." and user["content"] == "A table\nfor two."
    assert called["tool_calls"][0]["function"]["arguments"] == '{"people": 2}'
    assert given == {"role": "tool", "tool_call_id": "toolu_1", "content": "Error: full"}
    assert last == {"role": "user", "content": "And?"}


@pytest.mark.parametrize(
    "choice, asked",
    [
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "book_table"}, {"type": "function", "function": {"name": "book_table"}}),
    ],
)
async def test_which_tool_may_be_chosen(gateway: Gateway, choice: dict[str, Any], asked: Any) -> None:
    await _ask(gateway, tools=[TOOL], tool_choice=choice)
    assert gateway.llm.asked[-1].tool_choice == asked
    assert gateway.llm.asked[-1].tools[0]["function"]["parameters"] == TOOL["input_schema"]


async def test_a_prompt_is_counted_without_an_answer(gateway: Gateway) -> None:
    async with gateway.anthropic() as client:
        counted = await client.messages.count_tokens(model=MODEL, messages=[HELLO], system="Be very brief.")
        assert counted.input_tokens == 4
        with pytest.raises(anthropic.NotFoundError):
            await client.messages.count_tokens(model="claude", messages=[HELLO])


async def test_the_models_are_those_of_the_plugin_page_by_page(gateway: Gateway) -> None:
    async with gateway.anthropic() as client:
        assert [model.id async for model in client.models.list(limit=2)] == list(known())
        assert (await client.models.retrieve(MODEL)).id == MODEL
        with pytest.raises(anthropic.NotFoundError, match=MODEL):
            await client.models.retrieve("claude-sonnet-4-7")


async def _refused(gateway: Gateway, kind: type[anthropic.APIStatusError], **options: Any) -> dict[str, Any]:
    with pytest.raises(kind) as refused:
        await _ask(gateway, **options)
    body = refused.value.body
    assert isinstance(body, dict) and body["type"] == "error" and body["request_id"] == refused.value.request_id
    return body["error"]


async def test_errors_have_anthropics_shape(gateway: Gateway) -> None:
    unknown = await _refused(gateway, anthropic.NotFoundError, model="claude-sonnet-4-7")
    assert unknown["type"] == "not_found_error" and MODEL in unknown["message"]
    bad = await _refused(gateway, anthropic.BadRequestError, tool_choice={"type": "tool", "name": "fly"}, tools=[TOOL])
    assert bad["type"] == "invalid_request_error" and "fly" in bad["message"]
    gateway.key = "sk-ant-another"
    assert (await _refused(gateway, anthropic.AuthenticationError))["type"] == "authentication_error"


@pytest.mark.parametrize("status, told, word", [(429, 429, "rate_limit_error"), (503, 529, "overloaded_error")])
async def test_a_model_fails_on_demand(gateway: Gateway, status: int, told: int, word: str) -> None:
    async with gateway.http() as http:
        await http.put("/failing", json={"models": [MODEL], "status": status})
    assert (await _refused(gateway, anthropic.APIStatusError))["type"] == word
    with pytest.raises(anthropic.APIStatusError) as refused:
        await _ask(gateway)
    assert refused.value.status_code == told


async def test_what_is_not_done_as_asked_is_noted(gateway: Gateway) -> None:
    search: Any = {"type": "web_search_20250305", "name": "web_search"}
    await _ask(gateway, thinking={"type": "disabled"}, tools=[search])
    async with gateway.http() as http, http.get("/requests") as response:
        (record,) = (await response.json())["requests"]
    assert record["notes"] == [f"{name}: only the cloud honours it" for name in ("thinking", "web_search_20250305")]
    assert record["tokens"] == 48 and record["answered_by"] == MODEL and record["stage"] == "language model"
