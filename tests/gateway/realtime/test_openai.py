"""OpenAI's Realtime API, by what a client that read only its documentation sends; on scripted models."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import numpy as np
import pytest
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from lkcook import pcm
from lkcook.engines import end_of_turn
from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway.realtime import g711
from tests.gateway.realtime.conftest import Client, Gateway, encoded
from tests.speech import say

MORNING = "Good morning, can you hear me?"
TRANSCRIBED = {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}}
MANUAL = {"input": {"turn_detection": None, "transcription": {"model": "whisper-1"}}}
BOOK = {"type": "function", "name": "book", "description": "Book a table.", "parameters": {"type": "object"}}
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


@pytest.mark.parametrize(
    "kind, fields, code",
    [
        ("response.dance", {}, "invalid_value"),
        ("session.update", {"session": {"voice": "coral"}}, "unknown_parameter"),
        ("session.update", {"session": {"type": "transcription"}}, "invalid_value"),
        ("session.update", {"session": {"model": "gpt-realtime-2"}}, "invalid_value"),
        ("session.update", {"session": {"output_modalities": ["text", "audio"]}}, "invalid_value"),
        ("session.update", {"session": {"audio": {"output": {"voice": "nobody"}}}}, "invalid_value"),
        ("session.update", {"session": {"audio": {"output": {"speed": 9}}}}, "invalid_value"),
        ("session.update", {"session": {"audio": {"input": {"format": {"type": "audio/mp3"}}}}}, "invalid_value"),
        ("session.update", {"session": {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}}}, "invalid_value"),
        ("session.update", {"session": {"audio": {"input": {"turn_detection": {"type": "psychic"}}}}}, "invalid_value"),
        ("session.update", {"session": {"audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 7}}}}}, "invalid_value"),
        ("session.update", {"session": {"tools": [{"type": "function"}]}}, "invalid_value"),
        ("session.update", {"session": 5}, "invalid_type"),
        ("input_audio_buffer.commit", {}, "input_audio_buffer_commit_empty"),
        ("conversation.item.create", {"item": {"type": "dream"}}, "invalid_value"),
        ("conversation.item.create", {"item": {"type": "force_message", "content": []}}, "invalid_value"),
        ("conversation.item.create", {"item": {"type": "function_call_output", "call_id": "c", "output": "o"}}, "invalid_tool_call_id"),
        ("conversation.item.create", {"item": {"type": "message", "role": "user", "content": [{"type": "input_image"}]}}, "invalid_value"),
        ("conversation.item.delete", {"item_id": "nothing"}, "item_delete_invalid_item_id"),
        ("conversation.item.retrieve", {"item_id": "nothing"}, "item_retrieve_invalid_item_id"),
        ("conversation.item.truncate", {"item_id": "nothing", "content_index": 0, "audio_end_ms": 1}, "item_truncate_invalid_item_id"),
        ("conversation.item.truncate", {"item_id": "nothing", "content_index": 0, "audio_end_ms": "1"}, "invalid_type"),
        ("response.create", {"response": {"max_output_tokens": -1}}, "invalid_value"),
        ("response.create", {"response": {"tool_choice": "maybe"}}, "invalid_value"),
    ],
)
async def test_what_cannot_be_is_an_error_that_names_the_event_and_changes_nothing(
    gateway: Gateway, kind: str, fields: dict[str, Any], code: str
) -> None:
    client = await gateway.connect()
    if isinstance(fields.get("session"), dict):
        fields = {"session": {"type": "realtime", **fields["session"]}}
    await client.send(kind, event_id="at_fault", **fields)
    error = (await client.next("error"))["error"]
    assert (error["event_id"], error["code"], error["type"]) == ("at_fault", code, "invalid_request_error")
    await client.send("response.create")
    assert (await client.next("response.done"))["response"]["status"] == "completed"


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


@pytest.mark.parametrize("law", ["pcmu", "pcma"])
async def test_a_telephone_is_understood_and_answered_in_its_own_code(gateway: Gateway, law: Any) -> None:
    heard: list[np.ndarray] = []
    gateway.models.ear._hears = lambda asked: heard.append(asked.audio) or "Good morning."  # type: ignore[func-returns-value]
    client = await gateway.connect()
    telephone = {"format": {"type": f"audio/{law}"}}
    await client.update(audio={"input": telephone, "output": telephone})
    coded = g711.encode(say(MORNING, 1.0, rate=8_000), law)
    for at in range(0, len(coded), 800):
        await client.send("input_audio_buffer.append", audio=base64.b64encode(coded[at : at + 800]).decode())
    await client.next("response.done")
    pieces = [base64.b64decode(message["delta"]) for message in client.all("response.output_audio.delta")]
    assert sum(map(len, pieces)) == pytest.approx(32 * 400, rel=0.05)
    assert np.median(np.abs(g711.decode(b"".join(pieces), law))) == pytest.approx(1000, rel=0.05)
    assert np.abs(pcm.to_int16(heard[-1])).max() > 2000


async def test_xais_fields_stand_at_the_top_and_its_forced_message_is_said(gateway: Gateway) -> None:
    client = await gateway.connect("grok-voice-latest")
    rate = {"type": "audio/pcm", "rate": "16000"}
    updated = await client.update(voice="Rex", turn_detection={"type": "server_vad"}, audio={"input": {"format": rate}})
    session = updated["session"]
    assert session["voice"] == "Rex" and session["turn_detection"]["silence_duration_ms"] == 500
    assert session["audio"]["input"]["format"]["rate"] == 16_000
    forced = {"type": "force_message", "role": "assistant", "content": [{"type": "output_text", "text": "Welcome."}]}
    await client.send("conversation.item.create", item=forced)
    await client.next("response.done")
    assert gateway.models.voice.said == [("Welcome.", "fenrir", 1.0)] and not gateway.llm.asked
    refused = await client.update(voice="aurora")
    assert "ara (Ara)" in refused["error"]["message"] and "eve (Eve)" in refused["error"]["message"]


async def test_a_transcription_session_only_listens(gateway: Gateway) -> None:
    client = Client(await gateway.socket("/v1/realtime?intent=transcription&model=gpt-4o-transcribe"))
    assert (await client.next("session.created"))["session"]["object"] == "realtime.transcription_session"
    await client.send("session.update", session={"type": "transcription", "audio": TRANSCRIBED})
    await client.next("session.updated")
    await client.hear(MORNING, 1.0)
    assert (await client.next("conversation.item.input_audio_transcription.completed"))["transcript"] == "Good morning."
    await client.send("response.create")
    await client.next("error")
    assert not client.all("response.created") and not gateway.llm.asked


async def test_what_is_wrong_with_the_address_is_refused_before_the_socket_opens(gateway: Gateway) -> None:
    for model, status, told in (("gpt-realtime-77", 404, "gpt-realtime"), ("", 400, "which model"), ("aurora", 404, "did you mean")):
        async with gateway.http().get(gateway.server.make_url(f"/v1/realtime?model={model}")) as response:
            assert response.status == status and told in (await response.json())["error"]["message"]
            assert told in response.headers["x-refused"]


async def test_a_model_that_shall_fail_is_refused_and_fails_open_sessions_too(gateway: Gateway) -> None:
    client = await gateway.connect()
    body = {"models": ["openai/gpt-realtime"], "status": 429}
    async with gateway.http().put(gateway.server.make_url("/failing"), json=body) as response:
        assert response.status == 200
    await client.send("response.create")
    done = (await client.next("response.done"))["response"]
    assert done["status"] == "failed" and done["status_details"]["error"]["code"] == "rate_limit_exceeded"
    async with gateway.http().get(gateway.server.make_url("/v1/realtime?model=gpt-realtime")) as response:
        assert response.status == 429


async def test_what_was_sent_is_kept_without_sound_and_with_notes(gateway: Gateway) -> None:
    client = await gateway.connect()
    await client.update(tracing="auto", audio={"input": {"noise_reduction": {"type": "near_field"}}})
    await client.hear(0.5)
    content = [{"type": "input_audio", "audio": encoded(say(MORNING, rate=24_000))}]
    await client.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    await client.send("response.create")
    await client.next("response.done")
    async with gateway.http().get(gateway.server.make_url("/requests")) as response:
        records = (await response.json())["requests"]
    assert [record["message"]["type"] for record in records] == ["session.update", "conversation.item.create", "response.create"]
    assert {(record["stage"], record["model"]) for record in records} == {("realtime model", "openai/gpt-realtime")}
    assert records[0]["notes"] == ["tracing: only the cloud honours it", "noise_reduction: only the cloud honours it"]
    assert "bytes of sound" in records[1]["message"]["item"]["content"][0]["audio"]


async def test_a_session_ends_when_its_time_is_over(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKCOOK_REALTIME_SESSION", "0.3")
    client = await gateway.connect()
    assert (await client.next("error"))["error"]["code"] == "session_expired"
    assert (await client.ws.receive(timeout=40)).type.name in ("CLOSE", "CLOSED")


async def test_a_client_that_leaves_in_mid_answer_leaves_nothing_behind_and_disturbs_nobody(gateway: Gateway) -> None:
    gateway.llm.go.clear()
    leaving, staying = await gateway.connect(), await gateway.connect("openai/gpt-realtime")
    await leaving.hear(MORNING)
    await leaving.send("response.create")
    await leaving.next("response.created")
    await staying.send("response.create")
    await leaving.ws.close()
    await asyncio.sleep(0.1)
    assert gateway.llm.under_way == 1
    gateway.llm.go.set()
    assert (await staying.next("response.done"))["response"]["status"] == "completed"
