"""One short turn of each protocol with the model of this machine: what no script can answer for."""

from __future__ import annotations

import os

import aiohttp
import anthropic
import openai
import pytest
from livekit.plugins import anthropic as anthropic_plugin
from livekit.plugins import openai as openai_plugin

from tests.gateway.chat.conftest import ask

pytestmark = pytest.mark.usefixtures("livekit_http")
QUESTION = "What is the capital of France? One word."


async def test_anthropics_plugin_finds_gateway_and_key_in_the_environment_and_counts_as_the_model_does() -> None:
    model = anthropic_plugin.LLM(model="claude-sonnet-4-6")
    answer = await ask(model, QUESTION)
    await model.aclose()
    assert "Paris" in answer.text and answer.usage is not None
    async with anthropic.AsyncAnthropic(max_retries=0) as client:
        asked = [{"role": "user", "content": QUESTION}]
        counted = await client.messages.count_tokens(model="claude-sonnet-4-6", messages=asked)
        assert counted.input_tokens == answer.usage.prompt_tokens > 10


async def test_the_stop_sequence_that_ended_a_reply_is_told() -> None:
    count = [{"role": "user", "content": "Count from one to six in words, with commas."}]
    async with anthropic.AsyncAnthropic(max_retries=0) as client:
        message = await client.messages.create(
            model="claude-sonnet-4-6", max_tokens=40, messages=count, stop_sequences=["nine", "four", "Four"]
        )
    assert message.stop_reason == "stop_sequence" and message.stop_sequence in ("four", "Four")
    assert "four" not in message.content[0].text.lower()


async def test_responses_are_answered_over_their_socket_and_over_http() -> None:
    url = os.environ["OPENAI_BASE_URL"].replace("http", "ws", 1) + "/responses"
    for options in ({"base_url": url}, {"use_websocket": False}):
        model = openai_plugin.responses.LLM(model="gpt-4.1-mini", **options)  # type: ignore[arg-type]
        answer = await ask(model, QUESTION)
        await model.aclose()
        assert "Paris" in answer.text and answer.usage is not None and answer.usage.prompt_tokens > 10


async def test_ollamas_names_are_answered_in_both_of_its_protocols() -> None:
    model = openai_plugin.LLM.with_ollama(model="llama3.2", base_url=os.environ["OLLAMA_BASE_URL"])
    assert "Paris" in (await ask(model, QUESTION)).text
    await model.aclose()
    headers = {"Authorization": f"Bearer {os.environ['OLLAMA_API_KEY']}"}
    async with aiohttp.ClientSession(os.environ["ANTHROPIC_BASE_URL"], headers=headers) as http:
        body = {"model": "llama3.2", "prompt": QUESTION, "stream": False}
        async with http.post("/api/generate", json=body) as response:
            answered = await response.json()
    assert "Paris" in answered["response"] and answered["prompt_eval_count"] > 10 and answered["eval_duration"] > 0


async def test_openais_own_names_are_answered_and_half_a_surrogate_pair_is_400() -> None:
    async with openai.AsyncOpenAI(max_retries=0) as client:
        asked = [{"role": "user", "content": QUESTION}]
        completion = await client.chat.completions.create(model="gpt-4o", messages=asked)
        assert "Paris" in (completion.choices[0].message.content or "")
    headers = {"Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"}
    async with aiohttp.ClientSession(os.environ["ANTHROPIC_BASE_URL"], headers=headers) as http:
        half = b'{"model": "gpt-4o", "input": "Half of a pair: \\ud800"}'
        async with http.post("/v1/responses", data=half) as response:
            assert response.status == 400, await response.text()
