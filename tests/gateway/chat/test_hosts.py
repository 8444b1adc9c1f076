"""Providers whose protocol is OpenAI's, each through its own plugin: a reply, a call, and what it cannot have."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import msgpack
import pytest
from livekit.agents import APIStatusError, llm
from livekit.plugins import baseten, cerebras, groq, mistralai, openai
from mistralai.client import Mistral

from lkcook import hosts
from lkcook.engines.tool_calls import ToolCall
from tests.gateway.chat.conftest import Gateway, after, ask, book_table

SAID = "Of course. We are open until ten."
HELLO = [{"role": "user", "content": "Hello"}]
Made = Callable[[str, str, str], llm.LLM]


def _conversations(model: str, base: str, key: str) -> llm.LLM:
    return mistralai.LLM(model=model, client=Mistral(api_key=key, server_url=base), random_seed=7)


def _mistral(model: str, base: str, key: str) -> llm.LLM:
    client = Mistral(api_key=key, server_url=base)
    return mistralai.LLM(model=model, client=client, api_mode="chat_completions", random_seed=7)


def _azure(model: str, base: str, key: str) -> llm.LLM:
    return openai.LLM.with_azure(
        model=model, azure_deployment="mine", azure_endpoint=base, api_key=key, api_version="2024-10-21"
    )


def _plain(model: str, base: str, key: str) -> llm.LLM:
    return cerebras.LLM(
        model=model, base_url=base, api_key=key, gzip_compression=False, msgpack_encoding=False, max_retries=0
    )


PLUGINS: dict[str, tuple[str, str, Made]] = {  # a model, the variable, and how it is made
    "groq": ("openai/gpt-oss-20b", "GROQ_BASE_URL",
             lambda model, base, key: groq.LLM(model=model, base_url=base, api_key=key)),
    "cerebras": ("gpt-oss-120b", "CEREBRAS_BASE_URL",
                 lambda model, base, key: cerebras.LLM(model=model, base_url=base, api_key=key)),
    "cerebras, plain": ("gpt-oss-120b", "CEREBRAS_BASE_URL", _plain),
    "fireworks": ("accounts/fireworks/models/llama-v3p3-70b-instruct", "FIREWORKS_BASE_URL",
                  lambda model, base, key: openai.LLM.with_fireworks(model=model, base_url=base, api_key=key)),
    "baseten": ("openai/gpt-oss-120b", "BASETEN_BASE_URL",
                lambda model, base, key: baseten.LLM(model=model, base_url=base, api_key=key)),
    "mistral": ("mistral-small-latest", "MISTRAL_BASE_URL", _mistral),
    "mistral, conversations": ("mistral-small-latest", "MISTRAL_BASE_URL", _conversations),
    "azure": ("gpt-4.1", "AZURE_OPENAI_ENDPOINT", _azure),
}  # fmt: skip
each_plugin = pytest.mark.parametrize("name", PLUGINS)


async def _asked(gateway: Gateway, name: str, *args: Any, model: str = "", key: str = "", **options: Any) -> Any:
    """One turn through the plugin."""
    usual, variable, made = PLUGINS[name]
    plugin = made(model or usual, gateway.env[variable], key or gateway.key)
    try:
        return await ask(plugin, *args, **options)
    finally:
        await plugin.aclose()


@each_plugin
async def test_a_reply_is_streamed_and_counted(gateway: Gateway, name: str) -> None:
    answer = await _asked(gateway, name, "Are you open?")
    assert answer.text == SAID and not answer.calls
    assert answer.usage is not None and (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (40, 8)
    asked = gateway.llm.asked[-1]
    assert asked.messages[-1] == {"role": "user", "content": "Are you open?"}
    assert asked.seed == (7 if name.startswith("mistral") else None)


@each_plugin
async def test_a_function_is_called_and_its_result_is_read(gateway: Gateway, name: str) -> None:
    gateway.llm.replies = [ToolCall("book_table", '{"people": 4}'), "It is booked."]
    answer = await _asked(gateway, name, "A table for four, please.", tools=[book_table])
    (call,) = answer.calls
    assert (call.name, call.arguments) == ("book_table", '{"people": 4}')
    assert gateway.llm.asked[-1].tools[0]["function"]["name"] == "book_table"
    assert (await _asked(gateway, name, after(call, "booked"), tools=[book_table])).text == "It is booked."
    *_, called, result = gateway.llm.asked[-1].messages
    assert called["tool_calls"][0]["function"] == {"name": "book_table", "arguments": '{"people": 4}'}
    assert (result["tool_call_id"], result["content"]) == (call.call_id, "booked")


@each_plugin
async def test_an_unknown_model_is_404_with_the_nearest_of_that_provider(gateway: Gateway, name: str) -> None:
    with pytest.raises(APIStatusError) as refused:
        await _asked(gateway, name, "Hello", model=PLUGINS[name][0] + "x")
    assert refused.value.status_code == 404 and repr(PLUGINS[name][0]) in f"{refused.value} {refused.value.body}"
    assert not gateway.llm.asked


@each_plugin
async def test_another_key_is_401(gateway: Gateway, name: str) -> None:
    with pytest.raises(APIStatusError) as refused:
        await _asked(gateway, name, "Hello", key="sk-another")
    assert refused.value.status_code == 401


async def test_one_providers_model_is_unknown_to_another(gateway: Gateway) -> None:
    with pytest.raises(APIStatusError, match="unknown language model 'gpt-4.1'"):
        await _asked(gateway, "groq", "Hello", model="gpt-4.1")
    with pytest.raises(APIStatusError, match="unknown language model 'qwen/qwen3-32b'"):
        await _asked(gateway, "cerebras", "Hello", model="qwen/qwen3-32b")


@pytest.mark.parametrize("host", hosts.HOSTS, ids=lambda host: host.name)
async def test_each_provider_lists_its_models(gateway: Gateway, host: hosts.Host) -> None:
    async with gateway.http() as http, http.get(f"{host.path}/models") as response:
        listed = (await response.json())["data"]
    assert [model["id"] for model in listed] == [*host.llm(), *host.stt(), *host.tts()] and listed
    async with gateway.http() as http, http.get(f"{host.path}/models/{host.llm()[0]}") as response:
        assert (await response.json())["owned_by"] == host.name


async def test_azure_answers_by_deployment_when_the_body_names_no_model(gateway: Gateway) -> None:
    async with gateway.http(**{"api-key": gateway.key}) as http:
        path = "/azure/openai/deployments/gpt-4.1/chat/completions?api-version=2024-10-21"
        async with http.post(path, json={"messages": HELLO}) as response:
            assert (await response.json())["choices"][0]["message"]["content"] == SAID


NO_OBJECTS = [b"\xc1", b"\x81", msgpack.packb([1]), msgpack.packb({"model": b"gpt"}), b"\x91" * 5000, b"", b"\xd4\1\1"]


@pytest.mark.parametrize("body", NO_OBJECTS)
async def test_what_is_no_packed_object_is_400(gateway: Gateway, body: bytes) -> None:
    headers = {"Content-Type": "application/vnd.msgpack", "Content-Encoding": "gzip"}
    async with gateway.http(**headers) as http:
        async with http.post("/cerebras/v1/chat/completions", data=gzip.compress(body)) as response:
            assert response.status == 400 and "the body" in (await response.json())["error"]["message"]


async def test_a_bomb_is_413(gateway: Gateway) -> None:
    bomb = gzip.compress(msgpack.packb({"model": "gpt-oss-120b", "messages": [{"content": " " * (8 << 20)}]}))
    async with gateway.http(**{"Content-Type": "application/vnd.msgpack", "Content-Encoding": "gzip"}) as http:
        async with http.post("/cerebras/v1/chat/completions", data=bomb) as response:
            assert response.status == 413
