"""A whole conversation through each official client: a question, a call, its result, the answer, and a question more.

With the model of this machine: no script can tell whether an answer is made of what the function gave.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import anthropic
import openai
import pytest

pytestmark = pytest.mark.usefixtures("environment")
DAY = {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"], "additionalProperties": False}
SOUP_OF: Any = {"name": "soup_of", "description": "Look up which soup there is on a day of the week."}
SOUP = "Pumpkin soup with ginger, 7 euros."


@dataclass
class Reply:
    """What the client's own helper made of a stream.

    pieces: of the text, as they came. tokens: read and written. called: function and arguments. then: what of this
    reply goes back into the conversation, with the function's result if there was a call.
    """

    text: str
    pieces: list[str]
    tokens: tuple[int, int]
    called: tuple[str, Any] | None
    then: list[Any]


async def messages(said: list[Any]) -> Reply:
    tools = [{**SOUP_OF, "input_schema": DAY}]
    async with (
        anthropic.AsyncAnthropic(max_retries=0) as client,
        client.messages.stream(model="claude-sonnet-4-6", max_tokens=64, messages=said, tools=tools) as stream,
    ):
        events = [event async for event in stream]
        message = await stream.get_final_message()
    assert (events[0].type, events[-1].type) == ("message_start", "message_stop")
    call = next((block for block in message.content if block.type == "tool_use"), None)
    assert message.stop_reason == ("tool_use" if call else "end_turn")
    block: Any = call and {"type": "tool_result", "tool_use_id": call.id, "content": SOUP}
    result = [{"role": "user", "content": [block]}] if call else []
    return Reply(
        text="".join(block.text for block in message.content if block.type == "text"),
        pieces=[event.text for event in events if event.type == "text"],
        tokens=(message.usage.input_tokens, message.usage.output_tokens),
        called=(call.name, call.input) if call else None,
        then=[{"role": "assistant", "content": message.content}, *result],
    )


async def completions(said: list[Any]) -> Reply:
    asked: Any = {"tools": [{"type": "function", "function": {**SOUP_OF, "parameters": DAY, "strict": True}}]}
    async with (
        openai.AsyncOpenAI(max_retries=0) as client,
        client.chat.completions.stream(
            model="gpt-4o", messages=said, stream_options={"include_usage": True}, **asked
        ) as stream,
    ):
        events = [event async for event in stream]
        completion = await stream.get_final_completion()
    (choice,) = completion.choices
    call = next(iter(choice.message.tool_calls or ()), None)
    result = [{"role": "tool", "tool_call_id": call.id, "content": SOUP}] if call else []
    assert choice.finish_reason == ("tool_calls" if call else "stop") and completion.usage is not None
    done = "tool_calls.function.arguments.done" if call else "content.done"
    assert [event.type for event in events if event.type.endswith(".done")] == [done]
    return Reply(
        text=choice.message.content or "",
        pieces=[event.delta for event in events if event.type == "content.delta"],
        tokens=(completion.usage.prompt_tokens, completion.usage.completion_tokens),
        called=(call.function.name, json.loads(call.function.arguments)) if call else None,
        then=[choice.message, *result],
    )


async def responses(said: list[Any]) -> Reply:
    tools: Any = [{"type": "function", **SOUP_OF, "parameters": DAY, "strict": True}]
    async with (
        openai.AsyncOpenAI(max_retries=0) as client,
        client.responses.stream(model="gpt-4.1", input=said, tools=tools) as stream,
    ):
        events = [event async for event in stream]
        response = await stream.get_final_response()
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert response.status == "completed" and response.usage is not None
    call = next((item for item in response.output if item.type == "function_call"), None)
    result = [{"type": "function_call_output", "call_id": call.call_id, "output": SOUP}] if call else []
    return Reply(
        text=response.output_text,
        pieces=[event.delta for event in events if event.type == "response.output_text.delta"],
        tokens=(response.usage.input_tokens, response.usage.output_tokens),
        called=(call.name, json.loads(call.arguments)) if call else None,
        then=[*response.output, *result],
    )


@pytest.mark.parametrize("reply_to", [messages, completions, responses])
async def test_a_conversation_with_a_function_is_streamed_to_its_end(
    reply_to: Callable[[list[Any]], Awaitable[Reply]],
) -> None:
    said: list[Any] = [{"role": "user", "content": "Which soup is there on Friday?"}]
    call = await reply_to(said)
    assert call.called == ("soup_of", {"day": "Friday"})

    said += call.then
    answer = await reply_to(said)
    assert answer.called is None and "pumpkin" in answer.text.lower()

    said += [*answer.then, {"role": "user", "content": "How much is it?"}]
    more = await reply_to(said)
    assert more.called is None and ("7" in more.text or "seven" in more.text.lower())

    for reply in (answer, more):
        assert len(reply.pieces) > 1 and "".join(reply.pieces) == reply.text, "it was streamed"
    assert all(min(reply.tokens) > 0 for reply in (call, answer, more))
