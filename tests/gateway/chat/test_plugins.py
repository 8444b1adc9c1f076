"""LiveKit's plugins, each with its own protocol: a conversation, a call and its result, and what they cannot have."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from livekit.agents import APIStatusError, llm
from livekit.plugins import anthropic, openai

from lkcook.engines.tool_calls import ToolCall
from tests.gateway.chat.conftest import Gateway, ask, book_table, books_a_table, is_answered

MODELS = {
    "anthropic": "claude-sonnet-4-6",
    "openai": "gpt-4o",
    "responses": "gpt-4.1-mini",
    "responses over HTTP": "gpt-4.1-mini",
    "ollama": "llama3.2",
}


def _plugin(gateway: Gateway, name: str, model: str) -> llm.LLM:
    env, key = gateway.env, {"api_key": gateway.key}
    if name == "anthropic":
        return anthropic.LLM(model=model, base_url=env["ANTHROPIC_BASE_URL"], **key)
    if name == "openai":
        return openai.LLM(model=model, base_url=env["OPENAI_BASE_URL"], **key)
    if name == "ollama":
        return openai.LLM.with_ollama(model=model, base_url=env["OLLAMA_BASE_URL"])
    if name == "responses":
        socket = env["OPENAI_BASE_URL"].replace("http", "ws", 1) + "/responses"
        return openai.responses.LLM(model=model, base_url=socket, **key)
    return openai.responses.LLM(model=model, base_url=env["OPENAI_BASE_URL"], use_websocket=False, **key)


@pytest.fixture(params=MODELS)
async def plugin(request: pytest.FixtureRequest, gateway: Gateway) -> AsyncIterator[llm.LLM]:
    made = _plugin(gateway, request.param, MODELS[request.param])
    yield made
    await made.aclose()


async def test_a_reply_is_streamed_and_counted(gateway: Gateway, plugin: llm.LLM) -> None:
    await is_answered(gateway, plugin)


async def test_a_function_is_called_and_its_result_is_read(gateway: Gateway, plugin: llm.LLM) -> None:
    assert (await books_a_table(gateway, plugin)).tool_choice == "required"


async def test_words_may_come_before_a_call(gateway: Gateway, plugin: llm.LLM) -> None:
    gateway.llm.replies, gateway.llm.then = ["One moment, please. "], ToolCall("book_table", '{"people": 2}')
    answer = await ask(plugin, "A table for two.", tools=[book_table])
    assert answer.text == "One moment, please. " and [call.name for call in answer.calls] == ["book_table"]


@pytest.mark.parametrize("name", MODELS)
async def test_an_unknown_model_is_an_error_with_the_nearest_name(gateway: Gateway, name: str) -> None:
    model = _plugin(gateway, name, MODELS[name] + "x")
    with pytest.raises(APIStatusError) as refused:
        await ask(model, "Hello")
    await model.aclose()
    assert MODELS[name] in str(refused.value)
    assert refused.value.status_code == (404 if name != "responses" else -1), "over a socket the plugin has no status"
    assert not gateway.llm.asked


@pytest.mark.parametrize("name", ["anthropic", "openai", "responses over HTTP"])
async def test_another_key_is_401(gateway: Gateway, name: str) -> None:
    gateway.key = "sk-ant-another"
    model = _plugin(gateway, name, MODELS[name])
    with pytest.raises(APIStatusError) as refused:
        await ask(model, "Hello")
    await model.aclose()
    assert refused.value.status_code == 401


async def test_with_ollama_needs_the_key_in_its_address(gateway: Gateway) -> None:
    model = openai.LLM.with_ollama(model="llama3.2", base_url=gateway.env["OPENAI_BASE_URL"])
    with pytest.raises(APIStatusError) as refused:
        await ask(model, "Hello")
    await model.aclose()
    assert refused.value.status_code == 401


async def test_the_next_turn_of_a_responses_socket_sends_only_what_is_new(gateway: Gateway) -> None:
    model = _plugin(gateway, "responses", "gpt-4.1")
    context = llm.ChatContext()
    context.add_message(role="user", content="Are you open?")
    said = await ask(model, context)
    context.add_message(role="assistant", content=said.text)
    context.add_message(role="user", content="Until when?")
    await ask(model, context)
    await model.aclose()
    assert [message["content"] for message in gateway.llm.asked[-1].messages] == [
        "Are you open?", "Of course. We are open until ten.", "Until when?"
    ]  # fmt: skip
    async with gateway.http() as http, http.get("/requests") as response:
        first, second = (await response.json())["requests"]
    assert [item["content"] for item in second["message"]["input"]][-1] == "Until when?"
    assert len(second["message"]["input"]) < 3 and second["message"]["previous_response_id"] and not first["notes"]


async def test_a_call_over_a_responses_socket_is_known_when_its_result_comes(gateway: Gateway) -> None:
    gateway.llm.replies, gateway.llm.then = ["One moment, please. "], ToolCall("book_table", '{"people": 2}')
    model = _plugin(gateway, "responses", "gpt-4.1")
    context = llm.ChatContext()
    context.add_message(role="user", content="A table for two.")
    answer = await ask(model, context, tools=[book_table])
    context.add_message(role="assistant", content="One moment")  # the caller interrupted
    call = answer.calls[0]
    context.insert(llm.FunctionCall(call_id=call.call_id, name=call.name, arguments=call.arguments))
    context.insert(llm.FunctionCallOutput(call_id=call.call_id, name=call.name, output="booked", is_error=False))
    await ask(model, context, tools=[book_table])
    await model.aclose()
    user, called, result = gateway.llm.asked[-1].messages
    assert called["content"] == "One moment" and [made["id"] for made in called["tool_calls"]] == [call.call_id]
    assert result["content"] == "booked" and user["content"] == "A table for two."
