"""What Google documents of its Live API is what is sent: google-genai's own types are the judge."""

from __future__ import annotations

import pytest
from google.genai.types import LiveServerMessage

from lkcook.engines.tool_calls import ToolCall
from tests.gateway.realtime.conftest import Gateway
from tests.gateway.realtime.gemini_client import BOOK, MANUAL, TRANSCRIBED, Gemini, connect
from tests.gateway.realtime.scripted import MORNING


async def test_everything_gemini_says_is_as_documented(gateway: Gateway) -> None:
    told = [*await _interrupted_gemini(gateway), *await _calling_gemini(gateway)]
    messages = [LiveServerMessage.model_validate_json(raw) for raw in told]  # unknown fields are errors
    seen = {name for message in messages for name, value in message if value is not None}
    assert seen == {
        "setup_complete", "server_content", "usage_metadata", "session_resumption_update", "tool_call",
        "tool_call_cancellation", "go_away",
    }  # fmt: skip
    content = {name for message in messages for name, value in message.server_content or () if value is not None}
    assert content == {
        "model_turn", "turn_complete", "interrupted", "generation_complete", "input_transcription", "output_transcription",
    }  # fmt: skip
    assert not any(message.session_resumption_update.new_handle for message in messages if _busy(message))


def _busy(message: LiveServerMessage) -> bool:
    update = message.session_resumption_update
    return update is not None and not update.resumable


async def _interrupted_gemini(gateway: Gateway) -> list[bytes]:
    client = await connect(gateway, **TRANSCRIBED, sessionResumption={"transparent": True})
    await client.hear(MORNING, 1.0)
    await client.next("turnComplete")
    gateway.llm.go.clear()
    await client.write("Tell me a story.")
    await client.next("sessionResumptionUpdate")
    await client.hear(MORNING)
    await client.next("interrupted")
    gateway.llm.go.set()
    await client.hear(1.0)
    await client.next("generationComplete")
    await client.next("turnComplete")
    return client.raw


async def _calling_gemini(gateway: Gateway) -> list[bytes]:
    gateway.llm.replies = [ToolCall("book", "{}", "call_1"), "Of course."]
    client = await _soon_gone(gateway)
    await client.write("A table, please.")
    await client.next("toolCall")
    await client.send(realtimeInput={"activityStart": {}})
    await client.next("toolCallCancellation")
    await client.next("goAway")
    return client.raw


async def _soon_gone(gateway: Gateway) -> Gemini:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LKCOOK_REALTIME_SESSION", "2")
        return await connect(gateway, **MANUAL, tools=[BOOK])
