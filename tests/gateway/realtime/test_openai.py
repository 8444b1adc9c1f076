"""OpenAI's Realtime API, by what a client that read only its documentation sends; on scripted models."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from lkcook.engines import end_of_turn
from lkcook.engines.tool_calls import ToolCall
from tests.gateway.realtime.conftest import BOOK, MANUAL, TRANSCRIBED, Gateway, encoded
from tests.gateway.realtime.scripted import MORNING
from tests.speech import say

SERVER_EVENT: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)


async def test_a_spoken_turn_tells_everything_the_documentation_says_in_its_order(gateway: Gateway) -> None:
    client = await gateway.connect()
    await client.update(audio=TRANSCRIBED)
    await client.hear(MORNING, 1.0)
    await client.next("response.done")
    kinds = [kind for kind in client.kinds() if not kind.endswith("transcription.delta")]
    assert kinds[3:] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.completed",
        "response.created",
        "rate_limits.updated",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    started, stopped = client.all("input_audio_buffer.speech_started")[0], client.all("input_audio_buffer.speech_stopped")[0]
    ids = {m["item_id"] for m in client.told if m["type"].startswith(("input_audio_buffer", "conversation.item.input"))}
    assert ids == {started["item_id"]} and started["audio_start_ms"] < stopped["audio_end_ms"]
    transcript = "".join(delta["delta"] for delta in client.all("response.output_audio_transcript.delta"))
    assert transcript == client.all("response.output_audio_transcript.done")[0]["transcript"]
    assert len(client.sound()) == 32 * 1200  # the letters of both sentences, 50 ms each
    for message in client.told:  # strictly as the official package has them
        SERVER_EVENT.validate_python(message)
    assert len({message["event_id"] for message in client.told}) == len(client.told)


async def test_transcription_that_was_not_asked_for_is_not_told(gateway: Gateway) -> None:
    client = await gateway.connect()
    await client.hear(MORNING, 1.0)
    await client.next("response.done")
    assert not any("transcription" in kind for kind in client.kinds())


async def test_deltas_of_a_transcript_are_never_taken_back(gateway: Gateway) -> None:
    guesses = iter(["I would", "I would like the", "I would like a table", "I would like a table for"])
    gateway.models.ear._hears = lambda _: next(guesses, "I would like a table for two.")
    client = await gateway.connect()
    await client.update(audio=TRANSCRIBED)
    await client.hear("I would like a table for two people at eight o'clock tonight please.", 1.0)
    completed = await client.next("conversation.item.input_audio_transcription.completed")
    deltas = client.all("conversation.item.input_audio_transcription.delta")
    assert len(deltas) > 1 and "".join(delta["delta"] for delta in deltas) == completed["transcript"]


async def test_semantic_turn_detection_waits_for_the_end_of_the_thought(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([0.05, 0.05, 0.05, 0.9])  # it is asked three times in a pause
    monkeypatch.setattr(end_of_turn, "probability", lambda _: next(answers))
    client = await gateway.connect()
    await client.update(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}})
    await client.hear("I would like", 1.0, "a table for two.", 1.0)
    await client.next("response.done")
    assert len(client.all("input_audio_buffer.speech_stopped")) == 1


async def test_null_turn_detection_leaves_everything_to_the_client(gateway: Gateway) -> None:
    client = await gateway.connect()
    updated = await client.update(audio=MANUAL)
    assert updated["session"]["audio"]["input"]["turn_detection"] is None
    await client.hear(MORNING, 1.0)
    await client.send("input_audio_buffer.commit")
    await client.next("conversation.item.input_audio_transcription.completed")
    assert "input_audio_buffer.speech_started" not in client.kinds()
    await client.send("response.create", response={"metadata": {"client_event_id": "x7"}})
    assert (await client.next("response.created"))["response"]["metadata"] == {"client_event_id": "x7"}
    assert (await client.next("response.done"))["response"]["metadata"] == {"client_event_id": "x7"}
    assert len(client.all("response.created")) == 1


async def test_a_barge_in_cancels_and_truncation_keeps_what_was_heard(gateway: Gateway) -> None:
    gateway.llm.replies = ["One two three. Four five six.", "Yes."]
    client = await gateway.connect()
    await client.say("Count.")
    await client.send("response.create")
    item = (await client.next("response.output_item.added"))["item"]["id"]
    gateway.llm.go.clear()
    await client.next("response.done")
    await client.send("response.create")
    await client.next("response.created")
    await client.hear(MORNING)
    cancelled = (await client.next("response.done"))["response"]
    assert cancelled["status"] == "cancelled"
    assert cancelled["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    await client.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=700)
    truncated = await client.next("conversation.item.truncated")
    assert (truncated["item_id"], truncated["audio_end_ms"]) == (item, 700)
    await client.send("conversation.item.retrieve", item_id=item)
    retrieved = (await client.next("conversation.item.retrieved"))["item"]
    assert retrieved["content"] == [{"type": "output_audio", "transcript": "One two three."}]


async def test_a_cancellation_is_answered_by_its_done_and_stops_the_model(gateway: Gateway) -> None:
    gateway.llm.go.clear()
    client = await gateway.connect()
    await client.send("response.create")
    response = (await client.next("response.created"))["response"]
    await client.send("response.cancel", response_id=response["id"])
    done = (await client.next("response.done"))["response"]
    assert (done["id"], done["status"]) == (response["id"], "cancelled")
    assert done["status_details"]["reason"] == "client_cancelled"
    await asyncio.sleep(0.05)
    assert gateway.llm.under_way == 0
    await client.send("response.cancel", event_id="again")
    refused = (await client.next("error"))["error"]
    assert refused["code"] == "response_cancel_not_active" and refused["event_id"] == "again"
    assert refused["message"].startswith("Cancellation failed")  # LiveKit's client goes by that


async def test_a_function_call_goes_round(gateway: Gateway) -> None:
    gateway.llm.replies = [ToolCall("book", '{"people": 4}', "call_9"), "It is booked."]
    client = await gateway.connect()
    await client.update(tools=[BOOK], tool_choice="required")
    await client.say("A table for four.")
    await client.send("response.create")
    done = (await client.next("response.done"))["response"]
    [call] = done["output"]
    assert (call["type"], call["name"], call["call_id"], call["arguments"]) == ("function_call", "book", "call_9", '{"people": 4}')
    assert client.all("response.function_call_arguments.done")[0]["arguments"] == '{"people": 4}'
    assert "".join(d["delta"] for d in client.all("response.function_call_arguments.delta")) == '{"people": 4}'
    output = {"type": "function_call_output", "call_id": "call_9", "output": "ok"}
    await client.send("conversation.item.create", item=output)
    await client.send("response.create", response={"tool_choice": "none"})
    done = (await client.next("response.done"))["response"]
    assert done["output"][0]["content"][0]["transcript"] == "It is booked."
    first, second = gateway.llm.asked
    assert (first.tool_choice, second.tool_choice) == ("required", "none")
    assert first.tools[0]["function"]["name"] == "book" and second.messages[-1]["content"] == "ok"


async def test_a_written_answer_has_text_and_no_sound(gateway: Gateway) -> None:
    client = await gateway.connect()
    await client.send("response.create", response={"output_modalities": ["text"], "instructions": "Be brief."})
    done = (await client.next("response.done"))["response"]
    assert done["output"][0]["content"] == [{"type": "output_text", "text": "Of course. We are open until ten."}]
    assert client.all("response.output_text.done")[0]["text"] == "Of course. We are open until ten."
    assert not client.all("response.output_audio.delta") and done["output_modalities"] == ["text"]
    assert gateway.llm.asked[0].messages == [{"role": "system", "content": "Be brief."}]


async def test_a_response_apart_is_not_remembered_and_may_refer_to_items(gateway: Gateway) -> None:
    client = await gateway.connect()
    await client.say("Hello.", id="item_hello")
    reference = {"type": "item_reference", "id": "item_hello"}
    await client.send("response.create", response={"conversation": "none", "input": [reference]})
    done = (await client.next("response.done"))["response"]
    assert done["conversation_id"] is None and len(client.all("conversation.item.added")) == 1
    assert gateway.llm.asked[0].messages[-1] == {"role": "user", "content": "Hello."}


async def test_items_are_created_in_order_and_deleted(gateway: Gateway) -> None:
    client = await gateway.connect()
    await client.say("Two.", id="two")
    content = [{"type": "output_text", "text": "One."}]
    first = {"id": "one", "type": "message", "role": "assistant", "content": content}
    await client.send("conversation.item.create", item=first, previous_item_id="root")
    assert (await client.next("conversation.item.added"))["previous_item_id"] is None
    await client.send("conversation.item.delete", item_id="two")
    assert (await client.next("conversation.item.deleted"))["item_id"] == "two"
    await client.send("response.create")
    await client.next("response.done")
    assert [message["content"] for message in gateway.llm.asked[0].messages[1:-1]] == ["One."]


async def test_a_recorded_message_is_heard_before_it_is_answered(gateway: Gateway) -> None:
    client = await gateway.connect()
    content = [{"type": "input_audio", "audio": encoded(say(MORNING, rate=24_000))}]
    await client.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    await client.send("response.create")
    await client.next("response.done")
    assert gateway.llm.asked[0].messages[-1] == {"role": "user", "content": "Good morning."}


async def test_a_second_response_is_refused_and_the_first_goes_on(gateway: Gateway) -> None:
    gateway.llm.go.clear()
    client = await gateway.connect()
    await client.send("response.create")
    await client.next("response.created")
    await client.send("response.create", event_id="second")
    error = (await client.next("error"))["error"]
    assert (error["code"], error["event_id"]) == ("conversation_already_has_active_response", "second")
    gateway.llm.go.set()
    assert (await client.next("response.done"))["response"]["status"] == "completed"
