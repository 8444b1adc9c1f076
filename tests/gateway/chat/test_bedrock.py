"""aws.LLM and Amazon's own client: Bedrock's Converse, streamed or whole, signed, on scripted models."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import EventStreamError
from livekit.agents import APIConnectionError, APIStatusError
from livekit.plugins import aws

from lkcook import plugin_models
from lkcook.engines.completion import ModelRefused, Request, Text
from lkcook.engines.tool_calls import ToolCall
from lkcook.failures import message_of, remedy_for
from lkcook.gateway.chat import core
from lkcook.gateway.chat.bedrock_frames import frame
from tests.gateway.chat.bedrock import HELLO, MODEL, client, posted, signed, streamed
from tests.gateway.chat.conftest import ONCE, SAID, Gateway, ask, book_table, books_a_table, is_answered
from tests.gateway.chat.test_malformed import NONSENSE

BOOK = {"toolSpec": {"name": "book_table", "inputSchema": {"json": {"type": "object"}}}}
CACHED = {"cachePoint": {"type": "default"}}
NAMED = {"type": "function", "function": {"name": "book_table"}}
BOOKED = {"toolUse": {"toolUseId": "call_1", "name": "book_table", "input": {"people": 4}}}

pytestmark = pytest.mark.usefixtures("amazon")


@pytest.fixture
async def sdk() -> AsyncIterator[Any]:
    async with client() as made:
        yield made


async def test_a_reply_is_streamed_and_counted(gateway: Gateway) -> None:
    plugin = aws.LLM(temperature=0.7, top_p=0.5, max_output_tokens=64, cache_system=True)
    asked = await is_answered(gateway, plugin)
    assert (asked.temperature, asked.top_p, asked.max_tokens) == (0.7, 0.5, 64)


@pytest.mark.parametrize(
    ("choice", "meant"),
    [("required", "required"), ("auto", "auto"),
     (NAMED, NAMED)],
)  # fmt: skip
async def test_a_function_is_called_and_its_result_is_read(gateway: Gateway, choice: Any, meant: Any) -> None:
    asked = await books_a_table(gateway, aws.LLM(cache_tools=True), choice)
    assert asked.tool_choice == meant and len(asked.tools) == 1


async def test_words_may_come_before_a_call(gateway: Gateway, sdk: Any) -> None:
    gateway.llm.replies, gateway.llm.then = ["One moment. "] * 2, ToolCall("book_table", '{"people": 2}', "call_1")
    answer = await ask(aws.LLM(), "A table for two.", tools=[book_table])
    assert answer.text == "One moment. " and [call.name for call in answer.calls] == ["book_table"]
    events = await streamed(sdk, toolConfig={"tools": [BOOK]})
    names = [next(iter(event)) for event in events]
    begun = names.index("contentBlockStart")
    assert names[0] == "messageStart" and set(names[1 : begun - 1]) == {"contentBlockDelta"}
    assert names[begun - 1 :] == ["contentBlockStop", "contentBlockStart", "contentBlockDelta", "contentBlockStop",
                                  "messageStop", "metadata"]  # fmt: skip
    start, delta = (next(iter(event.values())) for event in events[begun : begun + 2])
    assert start == {"start": {"toolUse": {"toolUseId": "call_1", "name": "book_table"}}, "contentBlockIndex": 1}
    assert delta == {"delta": {"toolUse": {"input": '{"people": 2}'}}, "contentBlockIndex": 1}
    assert events[-2]["messageStop"]["stopReason"] == "tool_use"


async def test_amazons_client_reads_a_stream_and_a_whole_reply(sdk: Any, gateway: Gateway) -> None:
    events = await streamed(sdk)
    words = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert len(words) > 1 and "".join(words) == SAID
    usage = {"inputTokens": 10, "outputTokens": 8, "totalTokens": 48, "cacheReadInputTokens": 30}
    assert events[-1]["metadata"]["usage"] == {**usage, "cacheWriteInputTokens": 0}
    assert events[-1]["metadata"]["metrics"]["latencyMs"] >= 0

    whole = await sdk.converse(modelId=MODEL, messages=HELLO)
    assert whole["output"]["message"] == {"role": "assistant", "content": [{"text": SAID}]}
    assert (whole["stopReason"], whole["usage"]) == ("end_turn", events[-1]["metadata"]["usage"])
    gateway.llm.replies = [ToolCall("book_table", '{"people": 4}', "call_1")]
    called = await sdk.converse(modelId=MODEL, messages=HELLO, toolConfig={"tools": [BOOK]})
    assert called["output"]["message"]["content"] == [BOOKED]


@pytest.mark.parametrize(
    ("reason", "stopped_by", "told"),
    [("", "", "end_turn"), ("length", "", "max_tokens"), ("stop", "ten", "stop_sequence")],
)
async def test_why_a_reply_ended_is_told(
    sdk: Any, gateway: Gateway, reason: str, stopped_by: str, told: str
) -> None:
    gateway.llm.reason, gateway.llm.stopped_by = reason, stopped_by
    events = await streamed(sdk, inferenceConfig={"stopSequences": ["ten"]})
    assert events[-2]["messageStop"]["stopReason"] == told and gateway.llm.asked[-1].stop == ["ten"]


async def test_results_errors_and_json_reach_the_engine_and_what_changes_nothing_is_noted(
    sdk: Any, gateway: Gateway
) -> None:
    content = [{"json": {"free": 2}}, {"text": "by the window"}]
    result = {"toolResult": {"toolUseId": "call_1", "content": content, "status": "error"}}
    messages = [*HELLO, {"role": "assistant", "content": [{"text": "A moment."}, BOOKED]},
                {"role": "user", "content": [result, CACHED, {"text": "And?"}]}]  # fmt: skip
    await streamed(sdk, messages=messages, system=[{"text": "Be brief."}], additionalModelRequestFields={"top_k": 5})
    system, _, called, output, user = gateway.llm.asked[-1].messages
    assert system["content"] == "Be brief." and called["content"] == "A moment."
    assert output["content"] == 'Error: {"free": 2}\nby the window' and user == {"role": "user", "content": "And?"}
    async with gateway.http() as http, http.get("/requests") as response:
        (note,) = (await response.json())["requests"][-1]["notes"]
    assert note == "additionalModelRequestFields: only the cloud honours it"


@pytest.mark.parametrize("model", plugin_models.BEDROCK)
def test_a_model_is_known_in_every_region(model: str) -> None:
    arn = f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{model}"
    named = [model, f"us.{model}", f"global.{model}", arn, f"arn:aws:bedrock:us-east-1::foundation-model/{model}"]
    assert {plugin_models.without_region(name) for name in named} == {model}


@pytest.mark.parametrize("model", [f"us.{MODEL}", f"arn:aws:bedrock:us-east-1:1234:inference-profile/eu.{MODEL}"])
async def test_a_profile_of_a_region_is_answered(model: str) -> None:
    assert (await ask(aws.LLM(model=model, region="eu-west-1"), "Are you open?")).text == SAID


async def test_an_unknown_model_is_404_with_the_nearest_name(gateway: Gateway, sdk: Any) -> None:
    with pytest.raises(APIStatusError) as refused:
        await ask(aws.LLM(model="us.amazon.nova-2-light-v1:0"), "Hello")
    assert refused.value.status_code == 404 and f"did you mean '{MODEL}'" in str(refused.value)
    with pytest.raises(sdk.exceptions.ResourceNotFoundException, match="unknown language model"):
        await sdk.converse(modelId="amazon.titan", messages=HELLO)
    assert not gateway.llm.asked


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "must start with a user message"),
        ({"messages": [7]}, "list of objects"),
        ({"messages": [{"role": "assistant", "content": []}]}, "must start with a user message"),
        ({"messages": [*HELLO, {"role": "nobody", "content": []}]}, "messages.1.role 'nobody'"),
        ({"messages": [{"role": "user", "content": "Hello"}]}, "messages.0.content is a list of objects"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "exactly one field"),
        ({"messages": [{"role": "user", "content": [{"text": ""}]}]}, "is blank"),
        ({"messages": [{"role": "user", "content": [{"text": 7}]}]}, "text is text"),
        ({"messages": [{"role": "user", "content": [{"image": {"format": "png"}}]}]}, "not 'image'; images"),
        ({"messages": [{"role": "user", "content": [BOOKED]}]}, "not 'toolUse'"),
        ({"messages": [{"role": "user", "content": [{"toolResult": {"toolUseId": "x"}}]}]}, "no call 'x'"),
        ({"messages": [*HELLO, {"role": "assistant", "content": [{"toolUse": 7}]}]}, "toolUse"),
        ({"messages": HELLO, "inferenceConfig": {"temperature": "hot"}}, "number"),
        ({"messages": HELLO, "inferenceConfig": 7}, "inferenceConfig"),
        ({"messages": HELLO, "toolConfig": {"tools": [{"toolSpec": {}}]}}, "inputSchema"),
        ({"messages": HELLO, "toolConfig": {"toolChoice": {"tool": {"name": "f"}}}}, "none of the tools"),
        ({"messages": HELLO, "toolConfig": {"toolChoice": {"never": {}}}}, "none of auto, any and tool"),
        ({"messages": HELLO, "toolConfig": {"toolChoice": {"any": {}}}}, "there are no tools"),
        ({"messages": HELLO, "toolConfig": {"toolChoice": {"cachePoint": {}}}}, "none of auto"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_400_with_the_field(gateway: Gateway, body: dict[str, Any], told: str) -> None:
    data = json.dumps(body).encode()
    status, kind, message = await posted(gateway, data, **signed(gateway, data))
    assert (status, kind) == (400, "ValidationException") and told in message, message


async def test_what_else_bedrock_does_is_refused_by_its_name(sdk: Any) -> None:
    with pytest.raises(sdk.exceptions.ResourceNotFoundException, match="'invoke' does not run offline"):
        await sdk.invoke_model(modelId=MODEL, body=b"{}")


async def test_a_body_too_large_to_be_checked_is_413(gateway: Gateway) -> None:
    assert (await posted(gateway, b" " * (5 << 20), **signed(gateway)))[0] == 413


async def test_a_stream_that_cannot_begin_is_400(gateway: Gateway) -> None:
    gateway.llm.replies = [ModelRefused("the prompt is too long")]
    with pytest.raises(APIStatusError, match="ValidationException.*too long") as refused:
        await ask(aws.LLM(), "Hello")
    assert refused.value.status_code == 400


async def test_a_stream_waits_for_the_prompt_to_be_read_and_tells_why_it_breaks_off(
    gateway: Gateway, sdk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core, "KEEPALIVE", 0.02)
    gateway.llm.go.clear()
    answer = await sdk.converse_stream(modelId=MODEL, messages=HELLO)  # it has begun with a beat
    gateway.llm.go.set()
    assert [event async for event in answer["stream"] if event][0] == {"messageStart": {"role": "assistant"}}

    async def chat(request: Request) -> AsyncIterator[Text]:
        yield Text("Of ")
        raise ModelRefused("the prompt is too long")

    gateway.llm.chat = chat  # type: ignore[method-assign]
    with pytest.raises(EventStreamError, match="validationException.*too long"):
        await streamed(sdk)


@pytest.mark.parametrize("field", ["messages", "system", "toolConfig", "inferenceConfig", "modelId", "guardrailConfig"])
async def test_no_value_of_any_field_breaks_the_gateway(gateway: Gateway, field: str) -> None:
    bearer = {"Authorization": f"Bearer {gateway.key}"}
    for value in [*NONSENSE, {"tools": 7}, {"tools": [{"toolSpec": {"name": 7}}]}, {"maxTokens": "x"}, [{"text": 7}]]:
        status, kind, told = await posted(gateway, json.dumps({"messages": HELLO, field: value}).encode(), **bearer)
        assert status == 200 or (status, kind) == (400, "ValidationException") and told, (value, status, told)


async def test_a_model_that_is_down_is_503(gateway: Gateway, sdk: Any) -> None:
    async with gateway.http() as http:
        async with http.put("/failing", json={"models": [MODEL], "status": 503}) as response:
            assert response.status == 200
    with pytest.raises(sdk.exceptions.ServiceUnavailableException, match="is down"):
        await sdk.converse(modelId=MODEL, messages=HELLO)


async def test_polly_is_refused_by_its_name_and_never_asked_at_amazon() -> None:
    voice = aws.TTS(region="us-east-1")
    with pytest.raises(APIConnectionError) as refused:
        async with asyncio.timeout(20), voice.synthesize("Hello.", conn_options=ONCE) as stream:
            async for _ in stream:
                pass
    told = message_of(refused.value)
    assert "polly needs an account of yours" in told
    wanted = "Write AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY into .env"
    assert remedy_for(refused.value, told, voice).startswith(wanted)


def test_amazons_own_parser_reads_the_frames() -> None:
    events = {"messageStart": {"role": "assistant"}, "contentBlockDelta": {"delta": {"text": "Où? 🎧"}}}
    buffer = EventStreamBuffer()
    buffer.add_data(b"".join(frame(name, payload) for name, payload in events.items()))
    read = list(buffer)
    assert [event.headers[":event-type"] for event in read] == list(events)
    assert all(event.headers[":message-type"] == "event" for event in read)
    assert all(event.headers[":content-type"] == "application/json" for event in read)
    assert [json.loads(event.payload) for event in read] == list(events.values())


def test_an_error_within_a_stream_is_one_for_amazons_parser() -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(frame("throttlingException", {"message": "slowly"}))
    (event,) = buffer
    assert event.to_response_dict()["status_code"] == 400 and json.loads(event.payload) == {"message": "slowly"}
    assert event.headers[":exception-type"] == "throttlingException"
