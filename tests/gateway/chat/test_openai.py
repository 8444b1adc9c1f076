"""Chat completions and Responses through OpenAI's own client."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway.auth import provider_key
from tests.gateway.chat.conftest import Gateway

SCHEMA = {"type": "object", "properties": {}}
TOOL: Any = {"type": "function", "name": "book_table", "parameters": SCHEMA, "strict": False}
SAID = "Of course. We are open until ten."


async def test_a_providers_key_has_openais_names_and_livekits_token_has_inferences(gateway: Gateway) -> None:
    messages: Any = [{"role": "user", "content": "Hello"}]
    async with gateway.openai() as direct, gateway.openai(api_key=gateway.token()) as inference:
        for client, known, unknown in ((direct, "gpt-4o", "openai/gpt-4o"), (inference, "openai/gpt-4o", "gpt-4o")):
            completion = await client.chat.completions.create(model=known, messages=messages)
            assert completion.choices[0].message.content == SAID and completion.model == known
            response = await client.responses.create(model=known, input="Hello")
            assert response.output_text == SAID and response.model == known
            assert known in [model.id async for model in client.models.list()]
            assert (await client.models.retrieve(known)).id == known
            with pytest.raises(openai.NotFoundError, match=f"did you mean '{known}"):
                await client.chat.completions.create(model=unknown, messages=messages)
            with pytest.raises(openai.NotFoundError, match=known):
                await client.responses.create(model=unknown, input="Hello")
            with pytest.raises(openai.NotFoundError, match=known):
                await client.models.retrieve(unknown)


async def test_a_response_is_made_of_items(gateway: Gateway) -> None:
    gateway.llm.replies, gateway.llm.then = ["One moment."], ToolCall("book_table", '{"people": 2}', "call_1")
    async with gateway.openai() as client:
        options: Any = {"instructions": "Be brief.", "tool_choice": "auto", "max_output_tokens": 32}
        response = await client.responses.create(model="gpt-4.1", input="A table.", tools=[TOOL], **options)
    message, call = response.output
    assert response.status == "completed" and message.content[0].text == "One moment."
    assert (call.call_id, call.name, call.arguments) == ("call_1", "book_table", '{"people": 2}')
    assert response.usage.input_tokens_details.cached_tokens == 30 and response.usage.total_tokens == 48
    asked = gateway.llm.asked[-1]
    assert asked.max_tokens == 32 and asked.messages[0] == {"role": "system", "content": "Be brief."}


async def test_a_streamed_response_has_the_documented_events_in_order(gateway: Gateway) -> None:
    gateway.llm.replies, gateway.llm.then = ["One moment."], ToolCall("book_table", '{"people": 2}')
    async with gateway.openai() as client:
        stream = await client.responses.create(model="gpt-4.1", input="A table.", tools=[TOOL], stream=True)
        events = [event async for event in stream]
    assert [event.type.removeprefix("response.") for event in events] == [
        "created", "in_progress",
        "output_item.added", "content_part.added", "output_text.delta", "output_text.delta",
        "output_text.done", "content_part.done", "output_item.done",
        "output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done",
        "completed",
    ]  # fmt: skip
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.output_index for event in events if hasattr(event, "output_index")] == [0] * 7 + [1] * 4
    assert events[-1].response.output_text == "One moment." and len(events[-1].response.output) == 2


async def test_a_response_goes_on_from_the_one_before(gateway: Gateway) -> None:
    async with gateway.openai() as client:
        first = await client.responses.create(model="gpt-4.1", input="Are you open?", instructions="Be brief.")
        await client.responses.create(model="gpt-4.1", input="Until when?", previous_response_id=first.id)
        known = [message["content"] for message in gateway.llm.asked[-1].messages]
        assert known == ["Are you open?", SAID, "Until when?"]
        forgotten = await client.responses.create(model="gpt-4.1", input="Hello", store=False)
        for unknown in ("resp_1", forgotten.id):
            with pytest.raises(openai.BadRequestError, match="not found") as refused:
                await client.responses.create(model="gpt-4.1", input="And?", previous_response_id=unknown)
            assert refused.value.code == "previous_response_not_found"


async def test_another_process_cannot_go_on_from_it(gateway: Gateway) -> None:
    async with gateway.openai() as client:
        first = await client.responses.create(model="gpt-4.1", input="Are you open?")
    stranger = gateway.openai(api_key=provider_key(gateway.credentials.api_secret, "another"))
    with pytest.raises(openai.BadRequestError, match="not found"):
        await stranger.responses.create(model="gpt-4.1", input="And?", previous_response_id=first.id)


async def test_a_reply_that_was_cut_short_is_incomplete(gateway: Gateway) -> None:
    gateway.llm.reason = "length"
    async with gateway.openai() as client:
        response = await client.responses.create(model="gpt-4.1", input="Tell me everything.", max_output_tokens=8)
    assert response.status == "incomplete" and response.incomplete_details.reason == "max_output_tokens"


async def test_a_json_schema_reaches_the_engine_from_both(gateway: Gateway) -> None:
    schema: Any = {"type": "object", "properties": {"people": {"type": "integer"}}}
    async with gateway.openai() as client:
        named: Any = {"type": "json_schema", "name": "order", "schema": schema}
        await client.responses.create(model="gpt-4.1", input="Two.", text={"format": named})
        wanted: Any = {"type": "json_schema", "json_schema": {"name": "order", "schema": schema}}
        await client.chat.completions.create(
            model="gpt-4.1", messages=[{"role": "user", "content": "Two."}], response_format=wanted
        )
    for asked in gateway.llm.asked[-2:]:
        assert asked.response_format["json_schema"]["schema"] == schema


async def test_errors_have_openais_shape(gateway: Gateway) -> None:
    async with gateway.openai() as client:
        with pytest.raises(openai.BadRequestError) as bad:
            await client.responses.create(model="gpt-4.1", input="Hello", temperature=9)
        assert (bad.value.type, bad.value.param) == ("invalid_request_error", "temperature")
    async with gateway.openai(api_key="sk-proj-another") as client:
        with pytest.raises(openai.AuthenticationError):
            await client.responses.create(model="gpt-4.1", input="Hello")


@pytest.mark.parametrize("status, kind", [(429, openai.RateLimitError), (503, openai.InternalServerError)])
async def test_a_model_fails_on_demand(gateway: Gateway, status: int, kind: type[openai.APIStatusError]) -> None:
    async with gateway.http() as http, gateway.openai() as client:
        await http.put("/failing", json={"models": ["gpt-4.1"], "status": status})
        with pytest.raises(kind, match="fails as it was told to"):
            await client.responses.create(model="gpt-4.1", input="Hello")
