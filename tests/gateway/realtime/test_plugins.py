"""LiveKit's own realtime sessions on scripted models: what their plugins need of the protocol, without the models' time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.utils import http_context
from livekit.plugins import openai, xai

from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway.auth import provider_key
from tests.gateway.realtime.booking import BOOK, Booking
from tests.gateway.realtime.conftest import Gateway
from tests.speech import say


class Call:
    """A session without a room: sound goes in by hand, and all that happens is kept."""

    def __init__(self, gateway: Gateway, plugin: Any, **options: Any) -> None:
        url = str(gateway.server.make_url("/v1/realtime")).replace("http", "ws", 1)
        key = provider_key(gateway.credentials.api_secret, "tests")
        self.session = AgentSession(llm=plugin.realtime.RealtimeModel(base_url=url, api_key=key, **options))
        self.agent, self.errors, self.said = Booking(), [], []
        self.session.on("error", self.errors.append)
        self.session.on("conversation_item_added", lambda event: self.said.append((event.item.role, event.item.text_content)))

    async def hear(self, text: str) -> None:
        samples = say(text, 1.0, rate=24_000)
        realtime = self.agent.realtime_llm_session
        for at in range(0, len(samples), 2400):
            piece = samples[at : at + 2400]
            realtime.push_audio(rtc.AudioFrame(piece.tobytes(), 24_000, 1, len(piece)))
            await asyncio.sleep(0.02)

    async def until(self, said: tuple[str, str]) -> None:
        async with asyncio.timeout(40):
            while said not in self.said:
                await asyncio.sleep(0.02)


@pytest.fixture
async def call(gateway: Gateway, request: pytest.FixtureRequest) -> AsyncIterator[Call]:
    plugin, options = request.param
    gateway.models.ear._hears = lambda _: BOOK
    async with http_context.open():
        made = Call(gateway, plugin, **options)
        await made.session.start(made.agent)
        yield made
        await made.session.aclose()


PLUGINS = [(openai, {"voice": "marin"}), (xai, {"voice": "eve"})]


@pytest.mark.parametrize("call", PLUGINS, indirect=True, ids=["openai", "xai"])
async def test_a_function_is_called_by_voice_and_its_result_is_told(gateway: Gateway, call: Call) -> None:
    gateway.llm.replies = [ToolCall("book_table", '{"people": 4}'), "It is booked."]
    await call.hear(BOOK)
    await call.until(("assistant", "It is booked."))
    assert call.agent.booked == [4] and call.said[0] == ("user", BOOK) and not call.errors


@pytest.mark.parametrize("call", PLUGINS[1:], indirect=True, ids=["xai"])
async def test_xais_plugin_says_a_given_text(gateway: Gateway, call: Call) -> None:
    await call.session.say("Welcome to Bella.")
    await call.until(("assistant", "Welcome to Bella."))
    assert not gateway.llm.asked and not call.errors


@pytest.mark.parametrize("call", PLUGINS, indirect=True, ids=["openai", "xai"])
async def test_a_reply_is_asked_for_with_instructions_of_its_own(gateway: Gateway, call: Call) -> None:
    call.session.generate_reply(instructions="Greet the caller.")
    await call.until(("assistant", "Of course. We are open until ten."))
    assert gateway.llm.asked[0].messages[0]["content"] == "You book tables.\nGreet the caller." and not call.errors


@pytest.mark.parametrize("call", [(openai, {"modalities": ["text"]})], indirect=True, ids=["text"])
async def test_a_model_that_only_writes_leaves_the_voice_to_others(gateway: Gateway, call: Call) -> None:
    call.session.generate_reply()
    await call.until(("assistant", "Of course. We are open until ten."))
    assert not gateway.models.voice.said


@pytest.mark.parametrize("call", [(xai, {"voice": "aurora"})], indirect=True, ids=["aurora"])
async def test_a_voice_that_is_no_more_is_an_error_that_names_the_others(call: Call) -> None:
    async with asyncio.timeout(40):
        while not call.errors:
            await asyncio.sleep(0.02)
    assert "ara (Ara)" in call.errors[0].error.error.body.message
