"""Realtime models by LiveKit's clients, through a call, with the real models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from livekit.agents import Agent, AgentSession, function_tool, inference
from livekit.plugins import openai, xai

from lkcook import talk
from lkcook.audio.clip import Clip
from lkcook.gateway import variables
from lkcook.gateway.address import Address
from tests.end_to_end.conftest import words_in
from tests.speech import word_error_rate

pytestmark = pytest.mark.usefixtures("embedded")

AVA = (
    "You are Ava, who answers the phone of the restaurant Bella. Bella serves Italian food, every day but Monday. "
    "Answer in one short sentence."
)
PATIENCE = 120  # seconds: the models share two cores with whatever else runs there
QUESTION = "Do you serve Italian food?"


@pytest.fixture(autouse=True)
def _no_task_is_left_behind() -> None:
    """These tests use the gateway of the run, whose tasks are its own."""


async def test_a_question_is_answered_in_sound_that_says_what_the_transcript_says() -> None:
    session = AgentSession(llm=openai.realtime.RealtimeModel(voice="marin"))
    call = await talk(session, Agent(instructions=AVA), [QUESTION], caller="script", patience=PATIENCE)
    assert word_error_rate(QUESTION, call.transcript.by("caller")[0]) == 0
    answer = call.transcript.by("agent")[-1]
    assert "italian" in answer.lower()
    assert word_error_rate(answer, _words_of(call)) <= 0.10
    assert not call.errors


def _words_of(call: Any) -> str:
    """The agent's, without the silence around them, in which Whisper hears things."""
    spoken = call.recording.channel("agent")
    loud = np.flatnonzero(np.abs(spoken.samples) > 300)
    return words_in(Clip(spoken.samples[loud[0] : loud[-1] + 4800], spoken.sample_rate))


@pytest.mark.parametrize("model", ["openai/gpt-realtime", "xai/grok-voice-latest"])
async def test_livekit_inference_needs_only_the_models_string(model: str) -> None:
    call = await talk(AgentSession(llm=inference.RealtimeModel(model)), Agent(instructions=AVA), [QUESTION], caller="script", patience=PATIENCE)
    assert "italian" in call.transcript.by("agent")[-1].lower() and not call.errors


async def test_xais_plugin_calls_a_function_by_voice_and_says_a_given_text(address: Address) -> None:
    bookings: list[int] = []

    class Booking(Agent):
        def __init__(self) -> None:
            super().__init__(instructions="You book tables. Book at once when asked, then confirm in one sentence.")

        async def on_enter(self) -> None:
            await self.session.say("Welcome to Ava's restaurant.")

        @function_tool
        async def book_table(self, people: int) -> str:
            """Book a table as soon as you know for how many people."""
            bookings.append(people)
            return "The table is booked."

    url = variables.environment(address)["XAI_BASE_URL"]
    session = AgentSession(llm=xai.realtime.RealtimeModel(voice="eve", base_url=url))
    call = await talk(session, Booking(), ["Please book a table for four people."], caller="script", patience=PATIENCE)
    assert bookings == [4] and not call.errors
    assert call.transcript.by("agent")[0] == "Welcome to Ava's restaurant."
