"""A session of OpenAI's Realtime API from its address to its end, and what is refused in between; on scripted models."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import numpy as np
import pytest

from lkcook import pcm
from lkcook.gateway.realtime import g711
from tests.gateway.realtime.conftest import TRANSCRIBED, Client, Gateway, encoded
from tests.gateway.realtime.scripted import MORNING
from tests.speech import say


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
