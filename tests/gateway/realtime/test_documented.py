"""What OpenAI documents is what is sent and taken: the types its own package is generated from are the judge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from openai.types import realtime as documented
from openai.types.realtime.realtime_response_create_params import RealtimeResponseCreateParams
from pydantic import BaseModel

from lkcook.engines.tool_calls import ToolCall
from tests.gateway.realtime.conftest import BOOK, MANUAL, TRANSCRIBED, Client, Gateway, encoded
from tests.gateway.realtime.scripted import MORNING
from tests.speech import say


def _by_type(union: Any) -> dict[str, type[BaseModel]]:
    """The classes of a union of events."""
    return {get_args(kind.model_fields["type"].annotation)[0]: kind for kind in get_args(get_args(union)[0])}


SERVER_EVENTS = _by_type(documented.RealtimeServerEvent)
CLIENT_EVENTS = _by_type(documented.RealtimeClientEvent)
ELSEWHERE = {  # what cannot happen over a WebSocket to models that call no servers by themselves
    "conversation.item.created",  # of the beta; now it is added and done
    "conversation.item.input_audio_transcription.segment",  # of models that tell speakers apart
    "input_audio_buffer.dtmf_event_received",  # SIP
    *(f"output_audio_buffer.{what}" for what in ("started", "stopped", "cleared")),  # WebRTC and SIP
    *(kind for kind in SERVER_EVENTS if "mcp" in kind),
}
UNLISTED = {"id", "object", "expires_at"}  # of a session: every server sends them, the type of the event leaves them out
ROOM_FOR_ONE = {"type": "semantic_vad", "eagerness": "high"}


def judge(told: dict[str, Any]) -> None:
    """Strictly: no field of a wrong type, none missing, none that nobody has documented."""
    event = SERVER_EVENTS[told["type"]].model_validate(told, strict=True)
    assert not (unknown := list(_undocumented(event, told["type"]))), (unknown, told)


def _undocumented(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _undocumented(one, f"{path}[]")
    elif isinstance(value, BaseModel):
        ignored = UNLISTED if path in ("session.created.session", "session.updated.session") else set()
        yield from (f"{path}.{name}" for name in set(value.model_extra or {}) - ignored)
        for name in type(value).model_fields:
            yield from _undocumented(getattr(value, name), f"{path}.{name}")


async def test_everything_the_server_says_is_as_documented_and_nothing_documented_is_missing(gateway: Gateway) -> None:
    client = await gateway.connect()
    scenes = (_spoken, _idle, _manual, _written, _called, _cancelled, _edited, _wrong, _failed, _not_understood)
    for scene in scenes:
        await scene(gateway, client)
    for told in client.told:
        judge(told)
    assert {told["type"] for told in client.told} == set(SERVER_EVENTS) - ELSEWHERE


async def _spoken(gateway: Gateway, client: Client) -> None:
    await client.update(audio=TRANSCRIBED | {"output": {"voice": "cedar"}}, max_output_tokens=200)
    await client.hear(MORNING, "I would like to know when you are open.", 1.0)
    await client.next("response.done")


async def _idle(gateway: Gateway, client: Client) -> None:
    await client.update(audio={"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 1000}}})
    await client.hear(0.2)
    await client.send("response.create")
    await client.next("response.done")
    await client.next("input_audio_buffer.timeout_triggered")
    await client.next("response.done")


async def _manual(gateway: Gateway, client: Client) -> None:
    await client.update(audio=MANUAL)
    await client.hear(MORNING)
    await client.send("input_audio_buffer.commit")
    await client.send("response.create", response={"metadata": {"a": "b"}, "max_output_tokens": 30})
    await client.next("response.done")
    await client.send("input_audio_buffer.clear")
    await client.next("input_audio_buffer.cleared")


async def _written(gateway: Gateway, client: Client) -> None:
    await client.say("And on Sundays?")
    await client.send("response.create", response={"output_modalities": ["text"], "conversation": "none"})
    await client.next("response.done")


async def _called(gateway: Gateway, client: Client) -> None:
    gateway.llm.replies = [ToolCall("book", '{"people": 4}', "call_1"), "It is booked."]
    await client.update(tools=[BOOK], tool_choice={"type": "function", "name": "book"})
    await client.send("response.create")
    await client.next("response.done")
    output = {"type": "function_call_output", "call_id": "call_1", "output": "ok"}
    await client.send("conversation.item.create", item=output)
    await client.send("response.create", response={"tool_choice": "none"})
    await client.next("response.done")


async def _cancelled(gateway: Gateway, client: Client) -> None:
    gateway.llm.go.clear()
    await client.send("response.create")
    await client.next("response.created")
    await client.send("response.cancel")
    await client.next("response.done")
    gateway.llm.go.set()


async def _edited(gateway: Gateway, client: Client) -> None:
    await client.send("response.create", response={"tool_choice": "none"})
    item = (await client.next("response.output_item.done"))["item"]["id"]
    await client.next("response.done")
    await client.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=100)
    await client.next("conversation.item.truncated")
    for kept in dict.fromkeys(m["item"]["id"] for m in client.all("conversation.item.added")):
        await client.send("conversation.item.retrieve", item_id=kept)
        await client.next("conversation.item.retrieved")
    await client.send("conversation.item.delete", item_id=item)
    await client.next("conversation.item.deleted")


async def _wrong(gateway: Gateway, client: Client) -> None:
    await client.send("response.dance", event_id="mine")
    await client.next("error")


async def _failed(gateway: Gateway, client: Client) -> None:
    gateway.llm.replies = [RuntimeError("no memory")]
    await client.send("response.create")
    assert (await client.next("response.done"))["response"]["status"] == "failed"


async def _not_understood(gateway: Gateway, client: Client) -> None:
    def fail(_: Any) -> str:
        raise RuntimeError("no memory")

    gateway.models.ear._hears = fail
    content = [{"type": "input_audio", "audio": encoded(say(MORNING, rate=24_000))}]
    await client.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    await client.next("conversation.item.input_audio_transcription.failed")


async def test_a_transcription_session_says_only_what_is_documented(gateway: Gateway) -> None:
    client = Client(await gateway.socket("/v1/realtime?intent=transcription&model=gpt-4o-transcribe"))
    await client.next("session.created")
    await client.send("session.update", session={"type": "transcription", "audio": TRANSCRIBED})
    await client.hear(MORNING, 1.0)
    await client.next("conversation.item.input_audio_transcription.completed")
    for told in client.told:
        judge(told)


@pytest.mark.parametrize("name", documented.RealtimeSessionCreateRequest.model_fields)
async def test_every_documented_field_of_a_session_is_taken_and_shown(gateway: Gateway, name: str) -> None:
    values = {
        "type": "realtime", "model": "gpt-realtime", "instructions": "Be kind.", "output_modalities": ["text"],
        "tools": [BOOK], "tool_choice": "none", "max_output_tokens": 100, "audio": {"input": {"turn_detection": ROOM_FOR_ONE}},
        "include": ["item.input_audio_transcription.logprobs"], "parallel_tool_calls": False, "prompt": {"id": "p"},
        "reasoning": {"effort": "low"}, "tracing": "auto", "truncation": "disabled",
    }  # fmt: skip
    client = await gateway.connect()
    assert name in client.told[0]["session"], "a client reads the defaults there"
    shown = (await client.update(**{name: values[name]}))["session"][name]
    assert shown == values[name] or shown["input"]["turn_detection"].items() >= ROOM_FOR_ONE.items()
    judge(client.told[-1])


@pytest.mark.parametrize("name", RealtimeResponseCreateParams.model_fields)
async def test_every_documented_field_of_a_response_is_taken(gateway: Gateway, name: str) -> None:
    output = {"format": {"type": "audio/pcmu"}, "voice": "cedar"}
    values = {
        "audio": {"output": output}, "conversation": "none", "input": [], "instructions": "Be kind.",
        "max_output_tokens": 100, "metadata": {"a": "b"}, "output_modalities": ["text"], "parallel_tool_calls": False,
        "prompt": {"id": "p"}, "reasoning": {"effort": "low"}, "tool_choice": "none", "tools": [BOOK],
    }  # fmt: skip
    client = await gateway.connect()
    await client.send("response.create", response={name: values[name]})
    response = (await client.next("response.done"))["response"]
    assert response["status"] == "completed"
    if name in ("audio", "max_output_tokens", "metadata", "output_modalities"):
        assert response[name] == values[name]


async def test_a_response_may_have_a_format_of_its_own(gateway: Gateway) -> None:
    client = await gateway.connect()
    await client.send("response.create")
    await client.next("response.done")
    usual = len(client.sound())
    await client.send("response.create", response={"audio": {"output": {"format": {"type": "audio/pcmu"}}}})
    await client.next("response.done")
    assert len(client.sound()) - usual == usual // 6, "a byte for each of 8000 samples, read as 16 bit"


@pytest.mark.parametrize("kind", sorted(set(CLIENT_EVENTS) - {"output_audio_buffer.clear"}))
async def test_every_documented_event_of_a_client_is_known(gateway: Gateway, kind: str) -> None:
    client = await gateway.connect()
    await client.send(kind)
    await client.send("input_audio_buffer.clear")
    await client.next("input_audio_buffer.cleared")
    assert "Supported values" not in str(client.all("error"))


@pytest.mark.parametrize(
    "kind, fields, param",
    [
        ("session.update", {}, "session"),
        ("session.update", {"session": {"instructions": "Be kind."}}, "session.type"),
        ("conversation.item.create", {}, "item"),
        ("conversation.item.delete", {}, "item_id"),
        ("conversation.item.retrieve", {}, "item_id"),
        ("conversation.item.truncate", {"content_index": 0, "audio_end_ms": 0}, "item_id"),
        ("conversation.item.truncate", {"item_id": "i", "audio_end_ms": 0}, "content_index"),
        ("conversation.item.truncate", {"item_id": "i", "content_index": 0}, "audio_end_ms"),
        ("input_audio_buffer.append", {}, "audio"),
    ],
)
async def test_a_field_that_is_required_is_missed_by_name(
    gateway: Gateway, kind: str, fields: dict[str, Any], param: str
) -> None:
    client = await gateway.connect()
    await client.send(kind, **fields)
    error = (await client.next("error"))["error"]
    assert (error["code"], error["param"]) == ("missing_required_parameter", param)
    assert error["message"] == f"Missing required parameter: {param!r}."


@pytest.mark.parametrize("name", ["modalities", "voice", "temperature", "max_response_output_tokens"])
async def test_what_only_the_beta_knew_of_a_response_is_refused(gateway: Gateway, name: str) -> None:
    client = await gateway.connect()
    await client.send("response.create", response={name: 1})
    error = (await client.next("error"))["error"]
    assert (error["code"], error["param"]) == ("unknown_parameter", f"response.{name}")


async def test_a_voice_cannot_be_changed_once_it_has_been_heard(gateway: Gateway) -> None:
    client = await gateway.connect()
    assert "session" in await client.update(audio={"output": {"voice": "cedar"}})
    await client.send("response.create")
    await client.next("response.done")
    assert "session" in await client.update(audio={"output": {"voice": "cedar", "speed": 1.1}}), "nothing changes"
    refused = await client.update(audio={"output": {"voice": "marin"}})
    assert refused["error"]["code"] == "cannot_update_voice"


async def test_xais_client_may_commit_its_turns_in_xais_words(gateway: Gateway) -> None:
    client = await gateway.connect("grok-voice-latest")
    tools = [{"type": "web_search"}, {"type": "x_search", "allowed_x_handles": ["xai"]}, BOOK]
    await client.send("session.update", session={"voice": "Ara", "turn_detection": {"type": None}, "tools": tools})
    session = (await client.next("session.updated"))["session"]
    assert session["turn_detection"] is None and session["tools"] == tools
    await client.hear(MORNING)
    await client.send("conversation.item.commit")
    await client.next("conversation.item.added")
    await client.send("response.create", response={"modalities": ["text", "audio"]})
    assert (await client.next("response.done"))["response"]["status"] == "completed"
    assert [tool["function"]["name"] for tool in gateway.llm.asked[-1].tools] == ["book"]
    async with gateway.http().get(gateway.server.make_url("/requests")) as answer:
        notes = [note for record in (await answer.json())["requests"] for note in record["notes"]]
    assert notes == [f"{name}: only the cloud honours it" for name in ("web_search", "x_search", "modalities")]
