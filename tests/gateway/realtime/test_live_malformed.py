"""Whatever a client of GPT-Live sends, it gets an error event that names it, and goes on; and nobody else notices."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from tests.gateway.realtime.conftest import Gateway
from tests.gateway.realtime.live_client import BACKEND, Live, reach, start
from tests.gateway.realtime.test_malformed import MALFORMED

ANSWER = "Of course. We are open until ten."
_APPEND = '"type": "session.input_audio.append"'
_STARTS: dict[str, tuple[Any, str | None]] = {
    "no session": (None, "invalid_type"),
    "no model": ({}, "invalid_model"),
    "another model": ({"model": "gpt-live-9"}, "invalid_model"),
    "an unknown voice": ({"audio": {"output": {"voice": "nobody"}}}, "invalid_value"),
    "another rate": ({"audio": {"format": {"type": "audio/pcm", "rate": 16_000}}}, "invalid_value"),
    "another format": ({"audio": {"format": {"type": "audio/opus"}}}, "invalid_value"),
    "an unknown field": ({"temperature": 1}, "unknown_parameter"),
    "an unknown backend": ({"delegation": {"responses": {"model": "gpt-nobody"}}}, "invalid_delegated_model"),
    "a hosted tool": ({"delegation": {"responses": {"tools": [{"type": "web_search"}]}}}, "unsupported_server_tool"),
    "another tier": ({"delegation": {"responses": {"service_tier": "ultrafast"}}}, "unsupported_service_tier"),
    "another delegation": ({"delegation": {"type": "nobody"}}, "invalid_value"),
    "a client with tools": ({"delegation": {"type": "client", "responses": {"tools": []}}}, "invalid_value"),
    "too much history": ({"input": [{"role": "user", "content": "hello"}] * 129}, "invalid_value"),
    "a picture": ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "invalid_value"),
}
_WRONG = {
    "an item of another type": ("response.item.create", {"item": {"type": "computer_call"}}),
    "no item": ("response.item.create", {}),
    "an output of no call": ("response.item.create", {"item": {"type": "function_call_output", "call_id": "x", "output": "y"}}),
    "an unknown delegation": ("session.commentary.append", {"content": "hello", "delegation_id": "deleg_x"}),
    "a delegation that is no text": ("session.thinking.append", {"content": "hello", "delegation_id": {}}),
    "no content": ("session.instructions.append", {}),
    "too much content": ("session.commentary.append", {"content": "x" * 20_001}),
    "a second start": ("session.start", {"session": {"model": "gpt-live-1"}}),
}
_KINDS = (
    "session.start session.update session.input_audio.append session.input_audio.mute session.input_audio.unmute "
    "session.instructions.append session.thinking.append session.commentary.append response.item.create response.create nonsense"
).split()
_FIELDS = (
    "session model instructions input audio format output voice delegation type responses tools tool_choice reasoning text "
    "service_tier max_output_tokens parallel_tool_calls event_id content delegation_id item role call_id id rate name parameters"
).split()
_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 10**30, 0.5, "", "x", "auto", "required", "function", "message", "user", "developer", "client",
    "responses", "audio/pcm", "input_text", "openai/gpt-live-1", "gpt-5.6-luna", "function_call_output", "AAAA",
    [], {}, [[]], [{}], ["text"], "\ud83d", "é" * 300,
)  # fmt: skip


@pytest.mark.parametrize("bad", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_message_gets_an_error_event_and_the_conversation_goes_on(gateway: Gateway, bad: str) -> None:
    client = await start(gateway)
    await client.ws.send_str(bad.replace('"type": "input_audio_buffer.append"', _APPEND))
    error = (await client.next("error"))["error"]
    assert error["type"] == "invalid_request_error" and error["message"]
    await client.append("Say hello.")
    await client.heard("Of course.")


@pytest.mark.parametrize(("kind", "fields"), _WRONG.values(), ids=_WRONG)
async def test_what_cannot_be_done_is_refused_by_name_and_changes_nothing(gateway: Gateway, kind: str, fields: dict[str, Any]) -> None:
    client = await start(gateway)
    await client.send(kind, event_id="wrong", **fields)
    assert (await client.next("error"))["error"]["client_event_id"] == "wrong"
    assert not gateway.llm.asked
    await client.append("Say hello.")
    await client.heard("Of course.")
    assert len(gateway.llm.asked[-1].messages) == 2


@pytest.mark.parametrize(("session", "code"), _STARTS.values(), ids=_STARTS)
async def test_a_session_that_cannot_be_held_is_refused_and_the_connection_closed(gateway: Gateway, session: Any, code: str) -> None:
    client = await reach(gateway, "/v1/live/sessions")
    given = {"model": "gpt-live-1", **session} if session else session
    await client.send("session.start", session=given, event_id="mine")
    error = (await client.next("error"))["error"]
    assert (error["code"], error["client_event_id"]) == (code, "mine") and error["param"]
    assert (await client.ws.receive()).type.name == "CLOSE"
    async with gateway.http().get(gateway.server.make_url("/requests")) as answer:
        [record] = (await answer.json())["requests"]
    assert record["notes"][-1].startswith("refused: ")


async def test_nothing_comes_before_session_start(gateway: Gateway) -> None:
    client = await reach(gateway)
    for kind in _KINDS[1:-1]:
        await client.send(kind)
        assert (await client.next("error"))["error"]["code"] == "session_not_started"
    await client.begin()
    await client.append("Say hello.")
    await client.heard("Of course.")


async def test_a_session_of_another_model_than_the_address_names_is_refused(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lkcook.gateway.realtime.ids.catalog.ids", lambda kind: ("openai/gpt-live-1", "openai/gpt-live-2"))
    refused = await (await reach(gateway)).begin(model="gpt-live-2")
    assert refused["error"]["code"] == "invalid_model"


async def test_a_second_output_for_the_same_call_is_refused(gateway: Gateway) -> None:
    from lkcook.engines.tool_calls import ToolCall

    gateway.llm.replies = [ToolCall("book", "{}", "call_1"), ANSWER]
    client = await start(gateway)
    await client.append("Book.")
    await client.next("response.completed")
    item = {"type": "function_call_output", "call_id": "call_1", "output": "table 4"}
    for _ in range(2):
        await client.send("response.item.create", item=item)
    assert "has its output already" in (await client.next("error"))["error"]["message"]
    await client.send("response.create")
    await client.heard("Of course.")


@pytest.mark.parametrize("seed", range(6))
async def test_random_events_disturb_nobody(gateway: Gateway, seed: int) -> None:
    chance = random.Random(seed)
    other, clients = await start(gateway), [await start(gateway)]
    for _ in range(200):
        if clients[-1].ws.closed:
            clients.append(await start(gateway))
        await clients[-1].ws.send_str(json.dumps(_event(chance)))
        await _drain(clients[-1])
    await other.append("Say hello.")
    await other.heard("Of course.")
    errors = [message["error"] for client in clients for message in client.all("error")]
    assert errors and not [error for error in errors if error["type"] == "server_error"]


async def _drain(client: Live) -> None:
    try:
        while True:
            message = await asyncio.wait_for(client.ws.receive(), 0.004)
            if message.type.name != "TEXT":
                return
            client._keep(json.loads(message.data))
    except TimeoutError:
        return


def _event(chance: random.Random) -> dict[str, Any]:
    """Nonsense, or nonsense that begins like sense."""
    body, kind = _something(chance, 3), chance.choice(_KINDS)
    if chance.random() < 0.4:
        return {**body, "type": kind}
    if kind == "session.update":
        return {"type": kind, "session": {"delegation": {"type": "responses", "responses": body}}}
    if kind == "response.item.create":
        return {"type": kind, "item": {"type": chance.choice(["message", "function_call_output"]), "role": "user", **body}}
    return {"content": chance.choice(_VALUES), "delegation_id": None, **body, "type": kind, "session": {**BACKEND, **body}}


def _something(chance: random.Random, depth: int) -> dict[str, Any]:
    return {chance.choice(_FIELDS): _value(chance, depth - 1) for _ in range(chance.randrange(5))}


def _value(chance: random.Random, depth: int) -> Any:
    if depth and chance.random() < 0.4:
        return _something(chance, depth) if chance.random() < 0.7 else [_something(chance, depth)]
    return chance.choice(_VALUES)
