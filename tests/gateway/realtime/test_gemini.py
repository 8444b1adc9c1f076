"""Gemini Live, by what a client that read only its documentation sends; on scripted models."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway.auth import provider_key
from lkcook.gateway.realtime import gemini_session
from tests.gateway.realtime.conftest import Gateway
from tests.gateway.realtime.gemini_client import BOOK, MANUAL, SERVICE, TRANSCRIBED, Gemini, connect, reach
from tests.gateway.realtime.scripted import MORNING
from tests.speech import say

LONG = "This is a first sentence that takes a while. " * 12


async def test_a_spoken_turn_is_transcribed_answered_in_sound_and_counted(gateway: Gateway) -> None:
    client = await connect(gateway, **TRANSCRIBED)
    await client.hear(MORNING, 1.0)
    usage = await client.next("usageMetadata")
    assert client.names() == [
        "setupComplete", "inputTranscription", "outputTranscription", "modelTurn", "outputTranscription", "modelTurn",
        "generationComplete", "turnComplete", "usageMetadata",
    ]  # fmt: skip
    assert client.text("inputTranscription") == "Good morning."
    assert client.text() == "Of course. We are open until ten."
    blobs = [part["inlineData"] for turn in client.all("modelTurn") for part in turn["parts"]]
    assert {blob["mimeType"] for blob in blobs} == {"audio/pcm;rate=24000"}
    seconds = len(client.sound()) / 24_000
    spoken = {"modality": "AUDIO", "tokenCount": round(seconds * 25)}
    assert usage["responseTokensDetails"] == [{"modality": "TEXT", "tokenCount": 8}, spoken]
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + usage["responseTokenCount"]
    assert all(client.binary), "Google sends its JSON in binary frames"


async def test_without_transcriptions_there_is_only_sound(gateway: Gateway) -> None:
    client = await connect(gateway)
    await client.hear(MORNING, 1.0)
    await client.next("turnComplete")
    assert client.names()[1:] == ["modelTurn", "generationComplete", "turnComplete", "usageMetadata"]


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
async def test_any_version_of_the_api_is_served_and_a_key_in_the_address_is_taken(gateway: Gateway, version: str) -> None:
    key = provider_key(gateway.credentials.api_secret, "tests")
    url = gateway.server.make_url(f"{SERVICE.format(version)}?key={key}")
    client = Gemini(await gateway.http().ws_connect(url, headers={"Authorization": ""}))
    await client.send(setup={"model": "models/gemini-3.8-live"})
    await client.next("setupComplete")


async def test_another_key_is_refused_before_the_upgrade(gateway: Gateway) -> None:
    for headers in ({"x-goog-api-key": "AIza-somebody"}, {}):
        url = gateway.server.make_url(SERVICE.format("v1beta"))
        async with gateway.http().get(url, headers={"Authorization": "", **headers}) as refused:
            assert refused.status == 401


async def test_what_google_serves_besides_is_refused_by_name(gateway: Gateway) -> None:
    url = gateway.server.make_url(SERVICE.format("v1alpha") + "Constrained")
    async with gateway.http().get(url) as refused:
        assert refused.status == 404 and "BidiGenerateContent, of any version" in await refused.text()


async def test_instructions_voice_tools_and_generation_reach_the_models(gateway: Gateway) -> None:
    parameters = {"type": "OBJECT", "properties": {"guests": {"type": "INTEGER", "nullable": True}}, "required": ["guests"]}
    client = await connect(
        gateway,
        systemInstruction={"parts": [{"text": "Be kind."}, {"text": "Be brief."}]},
        tools=[{"functionDeclarations": [{"name": "book", "description": "Book.", "parameters": parameters}]}],
        generationConfig={
            "temperature": 0.4,
            "maxOutputTokens": 40,
            "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Charon"}}, "languageCode": "en-GB"},
        },
    )
    await client.write("Hello there.")
    await client.next("turnComplete")
    [asked] = gateway.llm.asked
    assert asked.messages == [
        {"role": "system", "content": "Be kind.\nBe brief."},
        {"role": "user", "content": "Hello there."},
    ]
    schema = {"type": "object", "properties": {"guests": {"type": "integer"}}, "required": ["guests"]}
    assert asked.tools == [{"type": "function", "function": {"name": "book", "description": "Book.", "parameters": schema}}]
    assert (asked.temperature, asked.max_tokens) == (0.4, 40)
    assert {voice for _, voice, _ in gateway.models.voice.said} == {"george"}


async def test_names_may_be_written_in_snake_case_too(gateway: Gateway) -> None:
    client = await reach(gateway)
    prebuilt = {"prebuilt_voice_config": {"voice_name": "kore"}}
    config = {"response_modalities": ["AUDIO"], "speech_config": {"voice_config": prebuilt}}
    await client.send(setup={"model": "models/gemini-live", "generation_config": config, "output_audio_transcription": {}})
    await client.next("setupComplete")
    await client.send(client_content={"turns": [{"role": "user", "parts": [{"text": "Hello."}]}], "turn_complete": True})
    await client.next("turnComplete")
    assert client.text() and {voice for _, voice, _ in gateway.models.voice.said} == {"heart"}


async def test_a_written_answer_comes_in_pieces_without_sound(gateway: Gateway) -> None:
    client = await connect(gateway, modality="TEXT", **TRANSCRIBED)
    await client.write("When do you close?")
    await client.next("turnComplete")
    pieces = [part["text"] for turn in client.all("modelTurn") for part in turn["parts"]]
    assert "".join(pieces) == "Of course. We are open until ten." and len(pieces) > 2
    assert "outputTranscription" not in client.names() and not gateway.models.voice.said


async def test_a_slow_model_says_that_it_answers_before_it_does(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gemini_session, "_SIGN_OF_LIFE", 0.2)
    gateway.llm.go.clear()
    client = await connect(gateway)
    await client.write("When do you close?")
    assert await client.next("modelTurn") == {"parts": []}
    gateway.llm.go.set()
    await client.next("turnComplete")
    assert len(client.sound()) > 0


async def test_text_in_real_time_is_answered_at_once(gateway: Gateway) -> None:
    client = await connect(gateway, **TRANSCRIBED)
    await client.send(realtimeInput={"text": "When do you close?"})
    await client.next("turnComplete")
    assert len(client.sound()) > 0 and "inputTranscription" not in client.names()


async def test_what_was_said_before_is_known_and_not_answered(gateway: Gateway) -> None:
    client = await connect(gateway)
    turns = [{"role": "user", "parts": [{"text": "I am Ada."}]}, {"role": "model", "parts": [{"text": "Hello Ada."}]}]
    await client.send(clientContent={"turns": turns, "turnComplete": False})
    await client.write("Who am I?")
    await client.next("turnComplete")
    roles = [(message["role"], message["content"]) for message in gateway.llm.asked[0].messages]
    assert roles == [("user", "I am Ada."), ("assistant", "Hello Ada."), ("user", "Who am I?")]
    assert len(gateway.llm.asked) == 1


async def test_a_recording_in_a_turn_is_understood(gateway: Gateway) -> None:
    client = await connect(gateway)
    sound = base64.b64encode(say(MORNING).tobytes()).decode()
    part = {"inlineData": {"mimeType": "audio/pcm;rate=16000", "data": sound}}
    await client.send(clientContent={"turns": {"role": "user", "parts": [part]}, "turnComplete": True})
    await client.next("turnComplete")
    assert gateway.llm.asked[0].messages == [{"role": "user", "content": "Good morning."}]


@pytest.mark.parametrize("rate", [8_000, 24_000, 48_000])
async def test_sound_may_have_any_rate_and_come_in_chunks(gateway: Gateway, rate: int) -> None:
    client = await connect(gateway, **TRANSCRIBED)
    samples = say(MORNING, 1.0, rate=rate)
    for at in range(0, len(samples), rate // 5):
        data = base64.b64encode(samples[at : at + rate // 5].tobytes()).decode().rstrip("=")
        await client.send(realtimeInput={"mediaChunks": [{"mimeType": f"audio/pcm; rate={rate}", "data": data}]})
        await asyncio.sleep(0.003)
    assert (await client.next("inputTranscription"))["text"] == "Good morning."
    heard = max(gateway.models.ear.asked, key=lambda asked: asked.seconds)
    assert heard.seconds == pytest.approx(len(say(MORNING)) / 16_000, abs=1.2)


async def test_the_end_of_the_stream_ends_the_turn(gateway: Gateway) -> None:
    client = await connect(gateway, **TRANSCRIBED)
    await client.hear(MORNING)
    await client.send(realtimeInput={"audioStreamEnd": True})
    await client.next("turnComplete")
    assert client.text("inputTranscription") == "Good morning."


async def test_an_activity_is_what_the_client_says_it_is(gateway: Gateway) -> None:
    client = await connect(gateway, **MANUAL, **TRANSCRIBED)
    await client.hear("Nobody shall hear this.", 1.0)
    await client.send(realtimeInput={"activityStart": {}})
    await client.hear("Good morning,", 1.5, "can you hear me?")
    await client.send(realtimeInput={"activityEnd": {}})
    await client.next("turnComplete")
    assert client.names().count("turnComplete") == 1
    assert client.text("inputTranscription") == "Good morning. Good morning.", "two utterances, one turn"


async def test_a_silent_activity_is_not_answered_and_the_next_one_is(gateway: Gateway) -> None:
    client = await connect(gateway, **MANUAL, **TRANSCRIBED)
    for parts in ((), (0.5,), (MORNING,)):
        await client.send(realtimeInput={"activityStart": {}})
        await client.hear(*parts or (0.0,))
        await client.send(realtimeInput={"activityEnd": {}})
    await client.next("turnComplete")
    assert len(gateway.llm.asked) == 1


async def test_what_is_written_within_an_activity_belongs_to_it(gateway: Gateway) -> None:
    client = await connect(gateway, **MANUAL)
    await client.send(realtimeInput={"activityStart": {}})
    await client.send(realtimeInput={"text": "My name is Ada."})
    await client.hear(MORNING)
    await client.send(realtimeInput={"activityEnd": {}})
    await client.next("turnComplete")
    assert [m["content"] for m in gateway.llm.asked[0].messages] == ["My name is Ada.", "Good morning."]


async def test_pictures_are_not_seen_and_do_no_harm(gateway: Gateway) -> None:
    client = await connect(gateway)
    await client.send(realtimeInput={"video": {"mimeType": "image/jpeg", "data": "AAAA"}})
    await client.write("What do you see?")
    await client.next("turnComplete")
    assert "video: only the cloud honours it" in await notes(gateway)


async def test_the_log_tells_what_came_and_what_was_not_heeded_without_sound(gateway: Gateway) -> None:
    generation = {"topK": 40, "candidateCount": 1}
    detection = {"automaticActivityDetection": {"prefixPaddingMs": 20, "silenceDurationMs": "300"}}
    client = await connect(
        gateway, generationConfig=generation, proactivity={"proactiveAudio": True}, realtimeInputConfig=detection,
        tools=[{"googleSearch": {}}], contextWindowCompression={"slidingWindow": {}},
    )  # fmt: skip
    await client.hear(MORNING, 0.6)
    await client.next("turnComplete")
    records = await log(gateway)
    assert [(r["stage"], r["model"], list(r["message"])) for r in records] == [
        ("realtime model", "google/gemini-live", ["setup"])
    ]
    text = "\n".join(records[0]["notes"])
    for name in ("topK", "proactivity", "googleSearch", "prefixPaddingMs", "contextWindowCompression"):
        assert f"{name}: " in text
    assert "candidateCount" not in text and "silenceDurationMs" not in text


async def log(gateway: Gateway) -> list[dict[str, Any]]:
    async with gateway.http().get(gateway.server.make_url("/requests")) as answer:
        return (await answer.json())["requests"]


async def notes(gateway: Gateway) -> list[str]:
    return [note for record in await log(gateway) for note in record["notes"]]


async def test_an_answer_to_a_function_continues_the_turn(gateway: Gateway) -> None:
    gateway.llm.replies = [ToolCall("book", '{"guests": 2}', "call_1"), "It is booked."]
    client = await connect(gateway, tools=[BOOK], **TRANSCRIBED)
    await client.hear("Two, please.", 1.0)
    called = await client.next("toolCall")
    assert called == {"functionCalls": [{"id": "call_1", "name": "book", "args": {"guests": 2}}]}
    assert "turnComplete" not in client.names()
    response = {"id": "call_1", "name": "book", "response": {"output": "table 4"}}
    await client.send(toolResponse={"functionResponses": [response]})
    await client.next("turnComplete")
    assert client.text() == "It is booked." and client.names().count("turnComplete") == 1
    assert gateway.llm.asked[-1].messages[-1] == {"role": "tool", "tool_call_id": "call_1", "content": "table 4"}


async def test_a_response_without_an_id_belongs_to_the_oldest_call_of_that_name(gateway: Gateway) -> None:
    gateway.llm.replies = [ToolCall("book", "{}", "call_1"), "It is booked."]
    client = await connect(gateway, tools=[BOOK], **TRANSCRIBED)
    await client.write("A table, please.")
    await client.next("toolCall")
    await client.send(tool_response={"function_responses": {"name": "book", "response": {"table": 4}}})
    await client.next("turnComplete")
    assert gateway.llm.asked[-1].messages[-1]["content"] == '{"table": 4}'


async def test_a_function_nobody_waits_for_ends_the_turn_and_its_response_begins_another(gateway: Gateway) -> None:
    gateway.llm.replies = [ToolCall("book", "{}", "call_1"), "It is booked."]
    tool = {"functionDeclarations": [{"name": "book", "behavior": "NON_BLOCKING"}]}
    client = await connect(gateway, tools=[tool], **TRANSCRIBED)
    await client.write("A table, please.")
    await client.next("toolCall")
    await client.next("turnComplete")
    silent = {"id": "call_1", "name": "book", "response": {}, "scheduling": "SILENT", "willContinue": True}
    await client.send(toolResponse={"functionResponses": [silent]})
    await client.send(toolResponse={"functionResponses": [{"id": "call_1", "name": "book", "response": {}}]})
    await client.next("turnComplete")
    assert len(gateway.llm.asked) == 2 and client.text() == "It is booked."
