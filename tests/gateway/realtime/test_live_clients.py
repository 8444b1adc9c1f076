"""LiveKit's own duplex clients in an AgentSession, on scripted models."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import AgentSession, inference
from livekit.agents.utils import http_context
from livekit.agents.voice import io
from livekit.plugins import openai

from lkcook.audio.listener import RecordedListener
from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway.auth import provider_key
from tests.gateway.realtime.booking import BOOK, Booking
from tests.gateway.realtime.conftest import Gateway
from tests.gateway.realtime.live_client import ANSWER
from tests.speech import say

LONG = "This is a sentence that takes a while. " * 6


class Microphone(io.AudioInput):
    """Silence, and what the caller says, in the time it takes."""

    def __init__(self) -> None:
        super().__init__(label="test")
        self.waiting = np.zeros(0, np.int16)
        self._due = time.monotonic()

    async def __anext__(self) -> rtc.AudioFrame:
        self._due += 0.05
        await asyncio.sleep(max(0.0, self._due - time.monotonic()))
        samples, self.waiting = self.waiting[:1200], self.waiting[1200:]
        samples = np.pad(samples, (0, 1200 - len(samples)))
        return rtc.AudioFrame(samples.tobytes(), 24_000, 1, 1200)


class Call:
    """A session, and all that happened in it. heard: int16 at 24 kHz of the agent."""

    def __init__(self, model: Any) -> None:
        self.session: AgentSession = AgentSession(llm=model, aec_warmup_duration=None)  # callers are heard at once
        self.agent, self.errors, self.said, self.heard = Booking(), [], [], []
        self.microphone, self.listener = Microphone(), RecordedListener()
        self.listener.tap = lambda samples, rate, at: self.heard.append(samples)
        self.session.input.audio, self.session.output.audio = self.microphone, self.listener
        self.session.on("error", self.errors.append)
        self.session.on("conversation_item_added", self._on_item)

    def speak(self, text: str) -> None:
        self.microphone.waiting = say(text, rate=24_000)

    def _on_item(self, event: Any) -> None:
        if event.item.type == "message":
            self.said.append((event.item.role, event.item.text_content))

    async def until(self, said: tuple[str, str]) -> None:
        async with asyncio.timeout(40):
            while said not in self.said:
                await asyncio.sleep(0.02)


def _inference(gateway: Gateway) -> Any:
    url = str(gateway.server.make_url("/v1"))
    keys = {"api_key": gateway.credentials.api_key, "api_secret": gateway.credentials.api_secret}
    return inference.DuplexModel("openai/gpt-live-1", base_url=url, **keys)


def _plugin(gateway: Gateway) -> Any:
    key = provider_key(gateway.credentials.api_secret, "tests")
    return openai.realtime.GPTLiveModel(base_url=str(gateway.server.make_url("/v1")), api_key=key)


@pytest.fixture
async def call(gateway: Gateway, request: pytest.FixtureRequest) -> AsyncIterator[Call]:
    gateway.models.ear._hears = lambda _: BOOK
    async with http_context.open():
        made = Call(request.param(gateway))
        await made.listener.start()
        await made.session.start(made.agent)
        yield made
        await made.session.aclose()
        await made.listener.aclose()


BOTH = pytest.mark.parametrize("call", [_inference, _plugin], indirect=True, ids=["inference", "openai"])
INFERENCE = pytest.mark.parametrize("call", [_inference], indirect=True, ids=["inference"])


@BOTH
async def test_a_spoken_turn_is_answered_and_both_sides_are_in_the_conversation(gateway: Gateway, call: Call) -> None:
    call.speak(BOOK)
    await call.until(("assistant", ANSWER))
    assert call.said == [("user", BOOK), ("assistant", ANSWER)]
    sound = np.concatenate(call.heard)
    spoken = np.flatnonzero(sound)
    assert len(spoken) == (len("Of course.") + len("We are open until ten.")) * 1200
    gaps = np.diff(spoken) - 1
    assert (gaps > 0).sum() <= 2, "the listener heard the model's frames one by one"
    assert not call.errors


@BOTH
async def test_a_reply_is_asked_for_with_instructions_of_its_own(gateway: Gateway, call: Call) -> None:
    await asyncio.wait_for(call.session.generate_reply(instructions="Greet the caller."), 40)
    assert ("assistant", ANSWER) in call.said and not call.errors
    assert gateway.llm.asked[-1].messages[-1]["content"].endswith("Greet the caller.")


@INFERENCE
async def test_a_function_is_called_by_voice_and_its_result_is_told(gateway: Gateway, call: Call) -> None:
    gateway.llm.replies = [ToolCall("book_table", '{"people": 4}', "call_1"), "It is booked."]
    call.speak(BOOK)
    await call.until(("assistant", "It is booked."))
    assert call.agent.booked == [4] and not call.errors
    assert gateway.llm.asked[-1].messages[-1] == {"role": "tool", "tool_call_id": "call_1", "content": "It is booked."}


@INFERENCE
async def test_the_conversation_holds_what_was_heard_of_an_answer_that_was_spoken_over(gateway: Gateway, call: Call) -> None:
    gateway.llm.replies = [LONG, ANSWER]
    call.session.generate_reply()
    async with asyncio.timeout(40):
        while len(call.heard) < 40 or not call.heard[-1].any():
            await asyncio.sleep(0.02)
    call.speak(BOOK)
    await call.until(("assistant", ANSWER))
    [story] = [text for role, text in call.said if role == "assistant" and text != ANSWER]
    assert story and LONG.startswith(story) and len(story) < len(LONG) / 2
    known = [message["content"] for message in gateway.llm.asked[-1].messages if message["role"] == "assistant"]
    assert known == [story.strip()] and not call.errors


@INFERENCE
async def test_what_is_typed_is_answered(gateway: Gateway, call: Call) -> None:
    await asyncio.wait_for(call.session.generate_reply(user_input="When do you close?"), 40)
    assert "When do you close?" in gateway.llm.asked[-1].messages[-1]["content"] and not call.errors
