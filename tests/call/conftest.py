"""A caller that speaks tones instead of words, sessions on scripted models, and a check for leaked tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from livekit.agents import Agent, AgentSession, function_tool

from lkcook.audio.caller import Conversation, SyntheticCaller
from lkcook.audio.line import Prepared
from tests.scripted_models import RATE, ScriptedLLM, ScriptedSTT, ScriptedTTS, tone

CALLER_HZ = 880


@dataclass(frozen=True)
class Beep:
    """A line: `seconds` of tone at `level` of 32768; `gap` (start, length) makes a pause in it; barge_in as in Line."""

    seconds: float = 0.4
    level: int = 8000
    gap: tuple[float, float] | None = None
    barge_in: float | None = None

    @property
    def samples(self) -> np.ndarray:
        sound = tone(self.seconds, CALLER_HZ, level=self.level)
        if self.gap:
            start, length = (round(value * RATE) for value in self.gap)
            sound[start : start + length] = 0
        return sound


class Clock(Agent):
    @function_tool
    async def look_at_the_clock(self) -> str:
        """What time it is."""
        return "nine"


class BeepingCaller(SyntheticCaller):
    """Speaks beeps as a scripted caller speaks lines; `failure`, if set, is raised after the first reply."""

    def __init__(self, lines: Sequence[Beep | float], hang_up: bool = True) -> None:
        super().__init__("beeping caller")
        self.closed = False
        self.failure: Exception | None = None
        self._lines = [line if isinstance(line, Beep) else Beep(line) for line in lines]
        self._hang_up = hang_up

    async def converse(self, conversation: Conversation) -> None:
        beeps = [Prepared(f"beep {number}", line.samples) for number, line in enumerate(self._lines, start=1)]
        lines = [(beep, line.barge_in) for beep, line in zip(beeps, self._lines)]
        if self.failure:
            await self.speak(lines[:1], conversation)
            raise self.failure
        await self.speak(lines, conversation)
        if not self._hang_up:
            await conversation.ended()

    async def aclose(self) -> None:
        await super().aclose()
        self.closed = True


@pytest.fixture(autouse=True)
async def no_task_is_left_behind() -> AsyncIterator[None]:
    """Fail a test that leaves asyncio tasks running."""
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"left behind: {[task.get_coro() for task in left]}"


@pytest.fixture
def pipeline() -> Callable[..., AgentSession]:
    """Build a session on scripted models that ends turns on the speech-to-text model's word, quickly."""

    def build(
        hears: Sequence[Any] | ScriptedSTT = ("Hello there.",),
        replies: Sequence[Any] | ScriptedLLM = ("Good morning to you.",),
        text_to_speech: ScriptedTTS | None = None,
        min_delay: float = 0.1,
        aec_warmup_duration: float | None = None,
    ) -> AgentSession:
        endpointing = {"min_delay": min_delay, "max_delay": 2 * min_delay}
        return AgentSession(
            stt=hears if isinstance(hears, ScriptedSTT) else ScriptedSTT(hears),
            llm=replies if isinstance(replies, ScriptedLLM) else ScriptedLLM(replies),
            tts=text_to_speech or ScriptedTTS(),
            vad=None,
            turn_handling={"turn_detection": "stt", "endpointing": endpointing},
            session_close_transcript_timeout=0.0,
            aec_warmup_duration=aec_warmup_duration,
        )

    return build


@pytest.fixture
def agent() -> Agent:
    """An agent without any tools."""
    return Agent(instructions="Be brief.")
