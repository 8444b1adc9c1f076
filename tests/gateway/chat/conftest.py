"""A gateway with a scripted language model, in this process, and the official clients pointed at it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import anthropic
import jwt
import openai
import pytest
from aiohttp.test_utils import TestServer
from livekit.agents import function_tool, llm
from livekit.agents.utils import http_context

from lkcook.engines.completion import Done, Request, Text
from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway.address import Address
from lkcook.gateway.auth import Credentials, provider_key
from lkcook.gateway.server import build
from lkcook.gateway.variables import environment
from tests.gateway.realtime.scripted import ScriptedLanguageModel, ScriptedModels
from tests.once import ONCE as ONCE

SAID = "Of course. We are open until ten."


class CountingLanguageModel(ScriptedLanguageModel):
    """It knows how long a prompt is, in words. then: a call that follows what it says. stopped_by: what ended it."""

    then: ToolCall | None = None
    stopped_by = ""
    reason = ""

    async def chat(self, request: Request) -> AsyncIterator[Text | ToolCall | Done]:
        async with aclosing(super().chat(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Text):
                    piece = replace(piece, prompt_tokens=40, cached_tokens=30)
                elif isinstance(piece, Done):
                    if self.then:
                        yield self.then
                    reason = "tool_calls" if self.then else self.reason or piece.reason
                    piece = replace(piece, reason=reason, stopped_by=self.stopped_by)
                yield piece

    async def count(self, request: Request) -> int:
        self.asked.append(request)
        return sum(len(message["content"].split()) for message in request.messages)


@dataclass
class Gateway:
    """The real routes, and how to reach them. env: what lkcook.setup() would set."""

    url: str
    env: dict[str, str]
    credentials: Credentials
    llm: CountingLanguageModel
    key: str

    def anthropic(self, **changes: Any) -> anthropic.AsyncAnthropic:
        options = {"base_url": self.env["ANTHROPIC_BASE_URL"], "api_key": self.key, "max_retries": 0, **changes}
        return anthropic.AsyncAnthropic(**options)

    def openai(self, **changes: Any) -> openai.AsyncOpenAI:
        options = {"base_url": self.env["OPENAI_BASE_URL"], "api_key": self.key, "max_retries": 0, **changes}
        return openai.AsyncOpenAI(**options)

    def http(self, **headers: str) -> aiohttp.ClientSession:
        """A client that knows the protocol, not the SDK."""
        return aiohttp.ClientSession(self.url, headers={"Authorization": f"Bearer {self.key}", **headers})

    def token(self) -> str:
        """What LiveKit's own client signs."""
        claims = {"iss": self.credentials.api_key, "exp": int(time.time()) + 60, "inference": {"perform": True}}
        return jwt.encode(claims, self.credentials.api_secret, algorithm="HS256")


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    credentials, model = Credentials(), CountingLanguageModel(SAID)
    server = TestServer(build(credentials, ScriptedModels(model)), host="127.0.0.1")
    await server.start_server()
    url = str(server.make_url("/")).rstrip("/")
    address = Address(f"{url}/v1", credentials.api_key, credentials.api_secret, 1, "")
    key = provider_key(credentials.api_secret, "tests")
    async with http_context.open():
        yield Gateway(url, environment(address, "tests"), credentials, model, key)
    await server.close()


@function_tool
async def book_table(people: int) -> str:
    """Book a table.

    Args:
        people: how many guests
    """
    return "booked"


@dataclass
class Answer:
    """What LiveKit's client made of a reply."""

    text: str = ""
    calls: list[llm.FunctionToolCall] | None = None
    usage: llm.CompletionUsage | None = None


async def ask(model: llm.LLM, context: llm.ChatContext | str, **options: Any) -> Answer:
    """One turn, through LiveKit's own client."""
    if isinstance(context, str):
        asked, context = context, llm.ChatContext()
        context.add_message(role="user", content=asked)
    answer = Answer(calls=[])
    async with asyncio.timeout(40), model.chat(chat_ctx=context, conn_options=ONCE, **options) as stream:
        async for chunk in stream:
            answer.text += (chunk.delta and chunk.delta.content) or ""
            answer.calls += (chunk.delta and chunk.delta.tool_calls) or []  # type: ignore[operator]
            answer.usage = chunk.usage or answer.usage
    return answer


async def is_answered(gateway: Gateway, plugin: llm.LLM) -> Request:
    """A reply is streamed and counted. What the engine was asked."""
    answer = await ask(plugin, "Are you open?")
    assert answer.text == SAID and not answer.calls and answer.usage is not None
    usage = answer.usage
    assert (usage.prompt_tokens, usage.prompt_cached_tokens, usage.completion_tokens) == (40, 30, 8)
    asked = gateway.llm.asked[-1]
    assert asked.messages == [{"role": "user", "content": "Are you open?"}]
    return asked


async def books_a_table(gateway: Gateway, plugin: llm.LLM, choice: Any = "required") -> Request:
    """A function is called and its result is read. What the engine was asked first."""
    gateway.llm.replies = [ToolCall("book_table", '{"people": 4}'), "It is booked."]
    answer = await ask(plugin, "A table for four, please.", tools=[book_table], tool_choice=choice)
    (call,) = answer.calls
    assert answer.text == "" and (call.name, call.arguments) == ("book_table", '{"people": 4}')
    first = gateway.llm.asked[-1]
    assert first.tools[0]["function"]["name"] == "book_table"
    assert first.tools[0]["function"]["parameters"]["properties"]["people"]["type"] == "integer"

    assert (await ask(plugin, after(call, "booked"), tools=[book_table])).text == "It is booked."
    system, user, called, result, *_ = gateway.llm.asked[-1].messages
    assert system == {"role": "system", "content": "You book tables."} and user["role"] == "user"
    assert called["tool_calls"][0]["function"] == {"name": "book_table", "arguments": '{"people": 4}'}
    assert result == {"role": "tool", "tool_call_id": call.call_id, "content": "booked"}
    return first


def after(call: llm.FunctionToolCall, result: str, *, is_error: bool = False) -> llm.ChatContext:
    """The conversation in which a call was made and gave a result."""
    context = llm.ChatContext()
    context.add_message(role="system", content="You book tables.")
    context.add_message(role="user", content="A table for four, please.")
    context.insert(llm.FunctionCall(call_id=call.call_id, name=call.name, arguments=call.arguments))
    output = llm.FunctionCallOutput(call_id=call.call_id, name=call.name, output=result, is_error=is_error)
    context.insert(output)
    return context


@pytest.fixture
def amazon(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """As lkcook.setup() leaves the environment, for a reader without anything of AWS's."""
    monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK", raising=False)
    for name, value in gateway.env.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
