"""google.LLM and Google's own client: generateContent, streamed or whole, on scripted models."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from livekit.agents import APIStatusError, llm
from livekit.plugins import google
from pydantic import BaseModel

from lkcook import plugin_models
from lkcook.engines.completion import ModelRefused
from lkcook.engines.tool_calls import ToolCall
from tests.gateway.chat.conftest import SAID, Gateway, ask, books_a_table, is_answered

MODEL = "gemini-3.5-flash"


@pytest.fixture(autouse=True)
def here(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", gateway.url)
    monkeypatch.setenv("GOOGLE_API_KEY", gateway.key)


@pytest.fixture
async def sdk() -> AsyncIterator[genai.client.AsyncClient]:
    client = genai.Client()
    yield client.aio
    await client.aio.aclose()


async def test_a_reply_is_streamed_and_counted(gateway: Gateway) -> None:
    plugin = google.LLM(model=MODEL, temperature=0.7, top_p=0.5, max_output_tokens=64, seed=3)
    asked = await is_answered(gateway, plugin)
    assert (asked.temperature, asked.top_p, asked.max_tokens, asked.seed) == (0.7, 0.5, 64, 3)


@pytest.mark.parametrize("model", plugin_models.gemini())
async def test_a_function_is_called_and_its_result_is_read(gateway: Gateway, model: str) -> None:
    assert (await books_a_table(gateway, google.LLM(model=model))).tool_choice == "required"


async def test_the_plugins_placeholder_is_not_taken_for_the_users_words(gateway: Gateway) -> None:
    context = llm.ChatContext()
    context.add_message(role="system", content="Greet the caller.")
    assert (await ask(google.LLM(model=MODEL), context)).text == SAID
    assert gateway.llm.asked[-1].messages == [{"role": "system", "content": "Greet the caller."}]


async def test_an_unknown_model_is_404_with_the_nearest_name(gateway: Gateway) -> None:
    with pytest.raises(APIStatusError) as refused:
        await ask(google.LLM(model="gemini-3.5-flush"), "Hello")
    assert refused.value.status_code == 404 and f"did you mean '{MODEL}'" in str(refused.value.body)
    assert "NOT_FOUND" in str(refused.value.body) and not gateway.llm.asked


async def test_another_key_is_401() -> None:
    with pytest.raises(APIStatusError) as refused:
        await ask(google.LLM(model=MODEL, api_key="AIza-another"), "Hello")
    assert refused.value.status_code == 401 and "UNAUTHENTICATED" in str(refused.value.body)


async def test_a_stream_that_cannot_begin_is_400(gateway: Gateway) -> None:
    gateway.llm.replies = [ModelRefused("the prompt is too long")]
    with pytest.raises(APIStatusError) as refused:
        await ask(google.LLM(model=MODEL), "Hello")
    assert refused.value.status_code == 400 and "too long" in str(refused.value.body)


async def test_googles_client_has_whole_replies_and_lists_models(sdk: Any, gateway: Gateway) -> None:
    reply = await sdk.models.generate_content(model=MODEL, contents="Are you open?")
    assert reply.text == SAID and reply.candidates[0].finish_reason is types.FinishReason.STOP
    gateway.llm.replies = [ToolCall("book_table", '{"people": 2}')]
    reply = await sdk.models.generate_content(model=MODEL, contents="A table for two.")
    assert [(call.name, call.args) for call in reply.function_calls] == [("book_table", {"people": 2})]
    listed = [model.name async for model in await sdk.models.list()]
    assert listed == [f"models/{name}" for name in plugin_models.gemini()]
    assert (await sdk.models.get(model=MODEL)).name == f"models/{MODEL}"


async def test_a_schema_for_the_answer_reaches_the_engine(sdk: Any, gateway: Gateway) -> None:
    class Table(BaseModel):
        people: int

    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Table, top_k=5)
    await sdk.models.generate_content(model=MODEL, contents="A table for two.", config=config)
    wanted = gateway.llm.asked[-1].response_format
    assert wanted["json_schema"]["schema"]["properties"]["people"]["type"] == "integer"
    async with gateway.http() as http, http.get("/requests") as response:
        assert (await response.json())["requests"][-1]["notes"] == ["generationConfig.topK: only the cloud honours it"]


@pytest.mark.parametrize(
    "body, told",
    [
        ({}, "contents are not specified"),
        ({"contents": [7]}, "it is an object"),
        ({"contents": [{"role": "nobody", "parts": []}]}, "is none of USER, MODEL"),
        ({"contents": [{"parts": [{"inlineData": {"data": ""}}]}]}, "is no text"),
        ({"contents": [{"parts": [{"functionResponse": {"id": "x", "name": "f", "response": {}}}]}]}, "no call 'x'"),
        ({"contents": [{"parts": [{"functionCall": {"args": {}}}]}]}, "name is text"),
        ({"contents": [{"parts": [{"text": "Hi"}]}], "generationConfig": {"temperature": "hot"}}, "number"),
        ({"contents": [{"parts": [{"text": "Hi"}]}], "generationConfig": {"warmth": 1}}, 'Unknown name "warmth"'),
        ({"contents": [{"parts": [{"text": "Hi"}]}], "generationConfig": {"responseMimeType": "a/b"}}, "neither"),
        ({"contents": [{"parts": [{"text": "Hi"}]}], "toolConfig": {"functionCallingConfig":
            {"mode": "ANY", "allowedFunctionNames": ["f"]}}}, "none of the functions"),
        ({"contents": [{"parts": [{"text": "Hi"}]}], "toolConfig": {"functionCallingConfig":
            {"allowedFunctionNames": 5}}}, "it is a list"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_400_with_the_field(gateway: Gateway, body: dict[str, Any], told: str) -> None:
    async with gateway.http(**{"x-goog-api-key": gateway.key}) as http:
        async with http.post(f"/v1beta/models/{MODEL}:generateContent", json=body) as response:
            error = (await response.json())["error"]
    assert (response.status, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT"), error
    assert told in error["message"]


async def test_googles_client_is_told_what_is_wrong(sdk: Any) -> None:
    with pytest.raises(errors.ClientError, match="number from 0 to 2"):
        config = types.GenerateContentConfig(temperature=9)
        await sdk.models.generate_content(model=MODEL, contents="Hello", config=config)
