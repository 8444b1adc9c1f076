"""A client that asks for another shape of reply than it would get is told so, and told what was wrong."""

from __future__ import annotations

from typing import Any

import anthropic
import openai
import pytest

from lkcook.engines.completion import ModelRefused, PromptTooLong
from tests.gateway.chat.conftest import Gateway

HELLO: Any = [{"role": "user", "content": "Hello"}]
GEMINI = "/v1beta/models/gemini-2.5-flash:generateContent"


async def test_openais_client_puts_a_stream_together_as_one_message(gateway: Gateway) -> None:
    async with (
        gateway.openai() as client,
        client.chat.completions.stream(model="gpt-4o", messages=HELLO) as stream,
    ):
        message = (await stream.get_final_completion()).choices[0].message
    assert (message.role, message.content) == ("assistant", "Of course. We are open until ten.")


@pytest.mark.parametrize(
    "options",
    [
        {"n": 2},
        {"logprobs": True},
        {"modalities": ["text", "audio"]},
        {"tool_choice": "required"},
        {"response_format": {}},
        {"response_format": {"type": 7}},
        {"response_format": {"type": "xml"}},
        {"response_format": {"type": "json_schema"}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": 7}}},
    ],
    ids=str,
)
async def test_a_completion_of_another_shape_is_400_and_names_the_field(gateway: Gateway, options: Any) -> None:
    async with gateway.openai() as client:
        with pytest.raises(openai.BadRequestError) as refused:
            await client.chat.completions.create(model="gpt-4o", messages=HELLO, extra_body=options)
    assert str(refused.value.param).startswith(next(iter(options)))
    assert not gateway.llm.asked


@pytest.mark.parametrize(
    "options",
    [
        {"n": 1, "logprobs": False, "modalities": ["text"], "tool_choice": "auto"},
        {"response_format": {"type": "text"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "any"}}},
        {"temperature": 2.0},
    ],
    ids=str,
)
async def test_the_shape_that_there_is_may_be_asked_for(gateway: Gateway, options: Any) -> None:
    async with gateway.openai() as client:
        assert await client.chat.completions.create(model="gpt-4o", messages=HELLO, extra_body=options)


async def test_a_conversation_that_would_be_forgotten_is_400(gateway: Gateway) -> None:
    async with gateway.openai() as client:
        with pytest.raises(openai.BadRequestError, match="conversation"):
            await client.responses.create(model="gpt-4o", input="Hello", conversation="conv_1")


async def test_what_no_other_json_parser_reads_is_400_and_not_echoed(gateway: Gateway) -> None:
    async with gateway.http() as http:
        body = b'{"model": "gpt-4o", "input": "Hello", "metadata": {"score": NaN}}'
        async with http.post("/v1/responses", data=body) as response:
            assert response.status == 400 and "NaN" in (await response.json())["error"]["message"]


async def test_gemini_gives_one_candidate(gateway: Gateway) -> None:
    async with gateway.http() as http:
        for count, status in ((1, 200), (2, 400)):
            body = {"contents": [{"parts": [{"text": "Hello"}]}], "generationConfig": {"candidateCount": count}}
            async with http.post(GEMINI, json=body) as response:
                assert response.status == status


async def test_anthropics_temperature_ends_at_1_and_any_needs_a_tool(gateway: Gateway) -> None:
    async with gateway.anthropic() as claude:
        for options in ({"temperature": 1.1}, {"tool_choice": {"type": "any"}}):
            asked: Any = {"model": "claude-sonnet-4-6", "max_tokens": 8, "messages": HELLO}
            with pytest.raises(anthropic.BadRequestError, match=next(iter(options))):
                await claude.messages.create(**asked, extra_body=options)
        assert await claude.messages.create(**asked, extra_body={"temperature": 1.0})


async def test_only_a_prompt_beyond_the_context_is_called_too_long(gateway: Gateway) -> None:
    """Programs shorten a conversation for that code, which helps nothing else."""
    gateway.llm.replies = [PromptTooLong("too long"), ModelRefused("a schema that is none")]
    async with gateway.openai() as client:
        for code in ("context_length_exceeded", "invalid_value"):
            with pytest.raises(openai.BadRequestError) as refused:
                await client.chat.completions.create(model="gpt-4o", messages=HELLO)
            assert refused.value.code == code
