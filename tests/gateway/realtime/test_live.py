"""GPT-Live by its documentation: a stream of sound that never pauses, in which the model speaks, listens and delegates."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from lkcook.engines.completion import Request
from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway.realtime.live_stream import FRAME
from tests.gateway.realtime.conftest import Gateway
from tests.gateway.realtime.live_client import ANSWER, BOOK, LONG, TOOLS, start
from tests.gateway.realtime.scripted import MORNING

PAUSE = 4.5  # seconds of silence: longer than any turn that sounds unfinished is waited for


async def test_a_spoken_turn_is_answered_and_both_sides_are_transcribed(gateway: Gateway) -> None:
    client = await start(gateway)
    await client.hear(MORNING, PAUSE)
    await client.heard(ANSWER)
    assert client.said("input") == "Good morning." and client.said() == ANSWER
    kinds = [message["type"] for message in client.told if not message["type"].startswith("session.usage")]
    assert list(dict.fromkeys(kinds)) == ["session.started", "session.input_transcript.delta", "session.output_transcript.delta"]


async def test_the_stream_has_frames_of_one_size_and_the_pace_of_the_clock(gateway: Gateway) -> None:
    client = await start(gateway)
    begun, first = time.monotonic(), len(client.frames)
    await client.append("Say hello.")
    while time.monotonic() < begun + 3:
        await client.next("session.output_audio.delta")
    sounded, passed = (len(client.frames) - first) * FRAME, time.monotonic() - begun
    assert {len(frame) for frame in client.frames} == {int(FRAME * 24_000)}
    assert sounded == pytest.approx(passed, abs=0.5)


async def test_what_a_busy_machine_delays_is_made_up_for_without_a_burst(gateway: Gateway) -> None:
    client = await start(gateway)
    await client.silence(0.2)
    begun, first = time.monotonic(), len(client.frames)
    time.sleep(0.6)  # nobody on this event loop gets a turn
    arrivals = []
    while time.monotonic() < begun + 2.5:
        await client.next("session.output_audio.delta")
        arrivals.append(time.monotonic())
    assert (len(client.frames) - first) * FRAME == pytest.approx(time.monotonic() - begun, abs=0.3)
    burst = [at for at in arrivals if at < arrivals[0] + 0.2]
    assert len(burst) <= 0.2 / (FRAME / 2) + 2, "the frames of the delay came at once"


async def test_the_words_are_told_as_they_sound(gateway: Gateway) -> None:
    client = await start(gateway)
    await client.append("Say something.")
    await client.heard(ANSWER)
    deltas = client.all("session.output_transcript.delta")
    assert len(deltas) == len(ANSWER.split())
    assert all(one["end_ms"] == two["start_ms"] for one, two in zip(deltas, deltas[1:]))
    loud = np.flatnonzero(client.sound())
    assert deltas[0]["start_ms"] == pytest.approx(loud[0] / 24, abs=50)
    assert deltas[-1]["end_ms"] == pytest.approx(loud[-1] / 24, abs=250)


async def test_who_speaks_over_the_answer_silences_it_at_once_and_the_rest_was_never_said(gateway: Gateway) -> None:
    gateway.llm.replies = [LONG, ANSWER]
    client = await start(gateway)
    await client.append("Tell me a story.")
    await client.heard("This is a sentence")
    gateway.llm.go.clear()
    await client.hear(MORNING)
    await client.silence(0.5)
    said = client.said()
    assert LONG.startswith(said) and len(said) < len(LONG) / 3
    gateway.llm.go.set()
    await client.hear(PAUSE)
    await client.heard(ANSWER)
    told = [message["content"] for message in gateway.llm.asked[-1].messages if message["role"] == "assistant"]
    assert told == [said.strip()]
    assert client.said() in (said + ANSWER, f"{said} {ANSWER}")


async def test_an_answer_that_is_made_but_still_sounds_is_cut_short_too(gateway: Gateway) -> None:
    gateway.llm.replies = [LONG, ANSWER]
    client = await start(gateway)
    await client.append("Tell me a story.")
    await client.next("session.usage.updated")  # everything of it is made
    await client.heard("This is")
    await client.hear(MORNING)
    await client.silence(0.5)
    said = client.said()
    await client.hear(PAUSE)
    await client.heard(ANSWER)
    assert gateway.llm.asked[-1].messages[-2] == {"role": "assistant", "content": said.strip()}


async def test_commentary_is_spoken_thinking_is_known_and_instructions_last(gateway: Gateway) -> None:
    client = await start(gateway, instructions="You are Ava.")
    await client.append("The kitchen is on fire.", "thinking")
    await client.append("Be calm.", "instructions", event_id="i1")
    assert (await client.next("session.instructions.appended"))["client_event_id"] == "i1"
    assert not gateway.llm.asked, "nothing of this asks for an answer"
    await client.append("Greet the caller.")
    await client.heard(ANSWER)
    system, thinking, commentary = gateway.llm.asked[-1].messages
    assert system == {"role": "system", "content": "You are Ava.\nBe calm."}
    assert thinking == {"role": "system", "content": "The kitchen is on fire."}
    assert commentary["role"] == "system" and commentary["content"].endswith("Greet the caller.")


async def test_what_is_asked_for_during_an_answer_is_said_after_it(gateway: Gateway) -> None:
    gateway.llm.replies = ["One moment.", "Here I am."]
    client = await start(gateway)
    await client.append("First.")
    await client.append("Second.")
    await client.heard("One moment. Here I am.")


async def test_history_voice_and_backend_reach_the_models(gateway: Gateway) -> None:
    history = [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "It is Monday."}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "I am Ada."}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello Ada."}]},
    ]
    backend = {"model": "openai/gpt-5.6-luna", "instructions": "Book.", "tools": [BOOK], "tool_choice": "auto", "max_output_tokens": 40}
    audio = {"format": {"type": "audio/pcm", "rate": 24_000}, "output": {"voice": "cedar"}}
    delegation = {"type": "responses", "responses": {**backend, "reasoning": {"effort": "low"}}}
    client = await start(gateway, instructions="Be kind.", input=history, audio=audio, delegation=delegation)
    await client.append("Who am I?")
    await client.heard(ANSWER)
    asked = gateway.llm.asked[-1]
    assert [message["content"] for message in asked.messages[:-1]] == ["Be kind.\nBook.", "It is Monday.", "I am Ada.", "Hello Ada."]
    assert [tool["function"]["name"] for tool in asked.tools] == ["book"] and (asked.tool_choice, asked.max_tokens) == ("auto", 40)
    assert {voice for _, voice, _ in gateway.models.voice.said} == {"fenrir"}
    [record] = [record for record in await _log(gateway) if record["message"]["type"] == "session.start"]
    assert (record["stage"], record["model"], record["answered_by"]) == ("realtime model", *["openai/gpt-live-1"] * 2)
    assert record["notes"] == ["responses.reasoning: only the cloud honours it"]


@pytest.mark.parametrize("kind", ["audio/pcmu", "audio/pcma"])
async def test_the_telephones_formats_are_served_both_ways(gateway: Gateway, kind: str) -> None:
    client = await start(gateway, audio={"format": {"type": kind}})
    await client.append("Say hello.")
    await client.heard("Of course.")
    assert {frame.nbytes for frame in client.frames} == {int(FRAME * 8000)}


async def test_a_muted_caller_is_not_heard_while_the_model_speaks_on(gateway: Gateway) -> None:
    client = await start(gateway)
    await client.send("session.input_audio.mute", event_id="m1")
    assert (await client.next("session.input_audio.muted"))["client_event_id"] == "m1"
    await client.append("Say hello.")
    await client.hear(MORNING, PAUSE)
    await client.heard(ANSWER)
    await client.send("session.input_audio.unmute")
    await client.next("session.input_audio.unmuted")
    assert not client.said("input")
    await client.hear(MORNING, PAUSE)
    await client.next("session.input_transcript.delta")


async def test_a_function_is_called_and_its_output_continues_the_delegation(gateway: Gateway) -> None:
    gateway.llm.replies = [ToolCall("book", '{"guests": 2}', "call_1"), "It is booked."]
    client = await start(gateway, delegation=TOOLS)
    await client.hear(MORNING, PAUSE)
    delegation = (await client.next("session.delegation.created"))["delegation"]
    assert delegation["target"] == "responses"
    done = await client.next("response.completed")
    assert done["response"]["usage"]["total_tokens"] == 48 and done["response"]["model"] == "gpt-5.6-luna"
    await client.send("response.create")
    assert "call_1" in (await client.next("error"))["error"]["message"], "a call without an output"
    await client.send("response.item.create", item={"type": "function_call_output", "call_id": "call_1", "output": "table 4"})
    await client.send("response.create")
    await client.heard("It is booked.")
    events = [message["event"]["type"] for message in client.all("response.event")]
    run = ["response.created", "response.completed"]
    assert events == [run[0], "response.output_item.done", run[1], *run]
    assert {message["delegation_id"] for message in client.all("response.event")} == {delegation["id"]}
    item = client.all("response.event")[1]["event"]["item"]
    assert item.items() >= {"type": "function_call", "status": "completed", "call_id": "call_1", "name": "book"}.items()
    assert gateway.llm.asked[-1].messages[-1] == {"role": "tool", "tool_call_id": "call_1", "content": "table 4"}


async def test_a_call_whose_caller_speaks_on_before_it_is_whole_is_given_up(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = gateway.llm.chat

    async def calls_and_goes_on(request: Request) -> AsyncIterator[Any]:
        monkeypatch.setattr(gateway.llm, "chat", chat)
        yield ToolCall("book", "{}", "call_1")
        await asyncio.Event().wait()

    monkeypatch.setattr(gateway.llm, "chat", calls_and_goes_on)
    client = await start(gateway, delegation=TOOLS)
    await client.append("Book.")
    await client.next("response.output_item.done")
    await client.hear(MORNING, PAUSE)
    incomplete = await client.next("response.incomplete")
    assert incomplete["response"]["incomplete_details"] == {"reason": "turn_detected"}
    await client.heard(ANSWER)
    assert not [message for message in gateway.llm.asked[-1].messages if message.get("tool_calls")]
    output = {"type": "function_call_output", "call_id": "call_1", "output": "late"}
    await client.send("response.item.create", item=output, event_id="late")
    error = (await client.next("error"))["error"]
    assert error["client_event_id"] == "late" and "call_1" in error["message"]


async def test_the_application_may_start_a_response_of_its_own(gateway: Gateway) -> None:
    client = await start(gateway)
    await client.send("response.item.create", item={"role": "user", "content": "When do you close?"})
    await client.send("response.create")
    assert (await client.next("response.event"))["delegation_id"] is None
    await client.heard(ANSWER)
    assert gateway.llm.asked[-1].messages[-1] == {"role": "user", "content": "When do you close?"}


async def test_work_may_be_delegated_to_the_client_and_its_answer_is_spoken(gateway: Gateway) -> None:
    gateway.llm.replies = [ToolCall("delegate", "{}", "call_1"), "Your parcel has left."]
    client = await start(gateway, delegation={"type": "client"})
    await client.hear(MORNING, PAUSE)
    delegation = (await client.next("session.delegation.created"))["delegation"]
    assert delegation["target"] == "client"
    await client.append("The parcel left on Monday.", delegation_id=delegation["id"])
    await client.heard("Your parcel has left.")
    assert gateway.llm.asked[-1].messages[-1]["content"] == "The parcel left on Monday."
    assert not client.all("response.event")


async def _log(gateway: Gateway) -> list[dict[str, Any]]:
    async with gateway.http().get(gateway.server.make_url("/requests")) as answer:
        return (await answer.json())["requests"]
