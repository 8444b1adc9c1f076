"""Whoever speaks over Gemini, waits for it, or leaves it; and conversations that go on elsewhere."""

from __future__ import annotations

import asyncio

import pytest

from lkcook.engines.tool_calls import ToolCall
from tests.gateway.realtime.conftest import Gateway
from tests.gateway.realtime.gemini_client import BOOK, MANUAL, TRANSCRIBED, connect, reach
from tests.gateway.realtime.scripted import MORNING

STOP = "Stop, please, that is enough."
LONG = "This is a sentence that takes a while. " * 12


async def test_who_speaks_over_the_answer_interrupts_it_and_it_stops_at_once(gateway: Gateway) -> None:
    gateway.llm.replies = [LONG * 20, "Of course."]
    client = await connect(gateway, **TRANSCRIBED)
    await client.write("Tell me a story.")
    await client.next("modelTurn")
    gateway.llm.go.clear()  # it is still writing
    await client.hear(STOP)
    await client.next("interrupted")
    said = len(client.all("modelTurn"))
    await client.next("turnComplete")
    assert len(client.all("modelTurn")) == said and "generationComplete" not in client.names()
    gateway.llm.go.set()
    await client.hear(1.0)
    await client.next("generationComplete")
    assert client.text("inputTranscription") == "Good morning."


async def test_only_what_can_have_been_heard_of_it_was_said(gateway: Gateway) -> None:
    gateway.llm.replies = [LONG, "Of course."]
    client = await connect(gateway, **TRANSCRIBED)
    await client.write("Tell me a story.")
    await client.next("generationComplete")
    assert len(client.sound()) / 24_000 > 20
    await asyncio.sleep(2.5)  # it is played meanwhile
    await client.hear(STOP, 1.0)
    await client.next("interrupted")
    await client.next("generationComplete")
    [said] = [message["content"] for message in gateway.llm.asked[-1].messages if message["role"] == "assistant"]
    assert LONG.startswith(said) and 0 < len(said) < len(LONG) / 2


async def test_who_speaks_on_does_not_cut_the_answer_twice(gateway: Gateway) -> None:
    gateway.llm.replies = [LONG, "Of course."]
    client = await connect(gateway, **MANUAL)
    await client.write("Tell me a story.")
    await client.next("generationComplete")
    await asyncio.sleep(1.0)
    for _ in range(3):
        await client.send(realtimeInput={"activityStart": {}})
        await client.send(realtimeInput={"activityEnd": {}})
        await asyncio.sleep(0.3)
    await client.write("Go on.")
    await client.next("generationComplete")
    assert client.names().count("interrupted") == 1
    said = next(message["content"] for message in gateway.llm.asked[-1].messages if message["role"] == "assistant")
    assert said.startswith("This is a sentence")


async def test_an_activity_interrupts_if_that_is_wanted(gateway: Gateway) -> None:
    gateway.llm.replies = [LONG, "Of course."]
    client = await connect(gateway, **MANUAL)
    await client.write("Tell me a story.")
    await client.next("modelTurn")
    gateway.llm.go.clear()
    await client.send(realtimeInput={"activityStart": {}})
    await client.next("interrupted")
    await client.next("turnComplete")


async def test_without_interruptions_the_answer_is_finished_and_the_next_follows(gateway: Gateway) -> None:
    gateway.llm.replies = ["One two three.", "Of course."]
    client = await connect(gateway, realtimeInputConfig={"activityHandling": "NO_INTERRUPTION"}, **TRANSCRIBED)
    gateway.llm.go.clear()
    await client.write("Count to three.")
    await client.hear(MORNING, 1.0)
    await client.next("inputTranscription")
    gateway.llm.go.set()
    await client.next("turnComplete")
    await client.next("turnComplete")
    assert client.text() == "One two three.Of course." and "interrupted" not in client.names()


async def test_what_is_written_interrupts_the_answer_that_is_being_made(gateway: Gateway) -> None:
    gateway.llm.replies = [LONG, "Of course."]
    client = await connect(gateway, modality="TEXT")
    gateway.llm.go.clear()
    await client.write("Tell me a story.")
    await client.write("Stop.")
    await client.next("interrupted")
    gateway.llm.go.set()
    await client.next("generationComplete")


async def test_a_call_that_is_spoken_over_is_cancelled_as_if_it_had_never_been(gateway: Gateway) -> None:
    gateway.llm.replies = [ToolCall("book", "{}", "call_1"), "Of course."]
    client = await connect(gateway, tools=[BOOK], **TRANSCRIBED)
    await client.write("A table, please.")
    await client.next("toolCall")
    await client.hear(STOP, 1.0)
    assert await client.next("toolCallCancellation") == {"ids": ["call_1"]}
    await client.next("interrupted")
    await client.next("turnComplete")
    await client.send(toolResponse={"functionResponses": [{"id": "call_1", "name": "book", "response": {}}]})
    await client.next("turnComplete")
    assert [message["role"] for message in gateway.llm.asked[-1].messages] == ["user", "user"]
    assert client.names().count("turnComplete") == 2, "the response came too late, and is not heeded"


async def test_a_conversation_is_resumed_on_another_connection(gateway: Gateway) -> None:
    client = await connect(gateway, sessionResumption={}, systemInstruction={"parts": [{"text": "Be kind."}]})
    assert (await client.next("sessionResumptionUpdate"))["resumable"] is True
    await client.write("I am Ada.")
    assert await client.next("sessionResumptionUpdate") == {"resumable": False}
    handle = (await client.next("sessionResumptionUpdate"))["newHandle"]
    await client.ws.close()
    again = await connect(gateway, sessionResumption={"handle": handle, "transparent": True})
    assert (await again.next("sessionResumptionUpdate"))["lastConsumedClientMessageIndex"] == "1"
    await again.write("Who am I?")
    await again.next("turnComplete")
    said = [message["content"] for message in gateway.llm.asked[-1].messages]
    assert said == ["I am Ada.", "Of course. We are open until ten.", "Who am I?"], "with the new instructions: none"


async def test_a_handle_belongs_to_its_owner_and_to_its_model(gateway: Gateway) -> None:
    client = await connect(gateway, sessionResumption={})
    handle = (await client.next("sessionResumptionUpdate"))["newHandle"]
    for owner, model, code in (("somebody", "gemini-live", 1008), ("tests", "gemini-3.8-live", 1007)):
        other = await reach(gateway, owner=owner)
        await other.send(setup={"model": f"models/{model}", "sessionResumption": {"handle": handle}})
        assert (await other.closed())[0] == code


async def test_the_end_of_a_session_is_announced(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKCOOK_REALTIME_SESSION", "0.6")
    client = await connect(gateway)
    assert await client.next("goAway") == {"timeLeft": "0.3s"}
    assert await client.closed() == (1008, "The operation was aborted.")


async def test_a_client_that_leaves_in_mid_answer_leaves_nothing_behind(gateway: Gateway) -> None:
    gateway.llm.replies = [LONG]
    client = await connect(gateway)
    await client.write("Tell me a story.")
    await client.next("modelTurn")
    gateway.llm.go.clear()
    await client.ws.close()
    async with asyncio.timeout(40):
        while gateway.llm.under_way:
            await asyncio.sleep(0.02)
    other = await connect(gateway)
    gateway.llm.replies, _ = ["Of course."], gateway.llm.go.set()
    await other.write("Hello.")
    await other.next("turnComplete")
    assert len(other.sound()) == len("Of course.") * 1200


async def test_a_model_that_shall_fail_says_so_at_once_or_in_the_middle(gateway: Gateway) -> None:
    client = await connect(gateway)
    body = {"models": ["google/gemini-live"], "status": 429}
    async with gateway.http().put(gateway.server.make_url("/failing"), json=body) as told:
        assert told.status == 200
    await client.write("Hello.")
    code, reason = await client.closed()
    assert code == 1011 and "quota is used up" in reason
    other = await reach(gateway)
    await other.send(setup={"model": "models/gemini-live"})
    assert (await other.closed())[0] == 1011


async def test_a_model_that_breaks_closes_the_connection_and_not_the_next_one(gateway: Gateway) -> None:
    gateway.llm.replies = [RuntimeError("no memory"), "Of course."]
    client = await connect(gateway)
    await client.write("Hello.")
    assert await client.closed() == (1011, "the model failed: no memory")
    other = await connect(gateway)
    await other.write("Hello.")
    await other.next("turnComplete")
