"""A caller that speaks tones instead of words, sessions on scripted models, and a check for leaked tasks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession

from lkcook.audio.caller import Caller, Spoken
from tests.scripted_models import RATE, ScriptedLLM, ScriptedSTT, ScriptedTTS, tone

FRAME = RATE // 50
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


class BeepingCaller(Caller):
    """Speaks beeps at real-time pace, silence included, and keeps the protocol of a scripted caller."""

    person = False

    def __init__(self, lines: Sequence[Beep | float], hang_up: bool = True) -> None:
        super().__init__(label="beeping caller")
        self.tap = None
        self.spoken = []
        self.closed = False
        self.failure: Exception | None = None
        self._lines = [line if isinstance(line, Beep) else Beep(line) for line in lines]
        self._hang_up = hang_up
        self._speaking: np.ndarray = np.zeros(0, np.int16)
        self._clock = 0.0
        self._done = asyncio.Event()

    async def __anext__(self) -> rtc.AudioFrame:
        if self.closed:
            raise StopAsyncIteration
        self._clock = max(self._clock, time.time() - 0.02) + 0.02
        await asyncio.sleep(max(0.0, self._clock - time.time()))
        samples = np.zeros(FRAME, np.int16)
        piece, self._speaking = self._speaking[:FRAME], self._speaking[FRAME:]
        samples[: len(piece)] = piece
        if len(piece) and not len(self._speaking):
            self._done.set()
        if self.tap:
            self.tap(samples, RATE, self._clock)
        return rtc.AudioFrame(samples.tobytes(), RATE, 1, FRAME)

    async def converse(self, conversation: Any) -> None:
        for line, following in zip(self._lines, [*self._lines[1:], Beep()]):
            await self._turn(conversation, line.barge_in)
            await self._speak(line)
            if following.barge_in is None:
                await conversation.agent_replied()
            if self.failure:
                raise self.failure
        if not self._hang_up:
            await conversation.ended()

    async def aclose(self) -> None:
        self.closed = True

    async def _turn(self, conversation: Any, barge_in: float | None) -> None:
        if barge_in is None:
            await conversation.agent_quiet()
        else:
            await conversation.agent_speaking()
            await asyncio.sleep(barge_in)

    async def _speak(self, line: Beep) -> None:
        started = time.time()
        self._done.clear()
        self._speaking = line.samples
        await self._done.wait()
        self.spoken.append(Spoken(f"beep {len(self.spoken) + 1}", started, self._clock + 0.02))


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
        **options: Any,
    ) -> AgentSession:
        return AgentSession(
            stt=hears if isinstance(hears, ScriptedSTT) else ScriptedSTT(hears),
            llm=replies if isinstance(replies, ScriptedLLM) else ScriptedLLM(replies),
            tts=text_to_speech or ScriptedTTS(),
            vad=None,
            turn_handling={"turn_detection": "stt", "endpointing": {"min_delay": min_delay, "max_delay": 2 * min_delay}},
            session_close_transcript_timeout=0.0,
            aec_warmup_duration=None,
            **options,
        )

    return build


@pytest.fixture
def agent() -> Agent:
    """An agent without any tools."""
    return Agent(instructions="Be brief.")
