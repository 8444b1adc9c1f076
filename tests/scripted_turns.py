"""Turn detectors that follow a script, by LiveKit's protocols; every question is recorded."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from livekit import rtc
from livekit.agents import LanguageCode, llm
from livekit.agents.voice.turn import TurnDetectionEvent


@dataclass
class ScriptedReader:
    """A text detector: the n-th question gets the n-th probability, the last one for ever."""

    says: list[float]
    threshold: float = 0.5
    asked: list[str] = field(default_factory=list)
    model: str = "reader"
    provider: str = "tests"

    async def supports_language(self, language: LanguageCode | None) -> bool:
        return language is not None

    async def unlikely_threshold(self, language: LanguageCode | None) -> float | None:
        return self.threshold

    async def predict_end_of_turn(self, chat_ctx: llm.ChatContext, *, timeout: float | None = None) -> float:
        self.asked.append(chat_ctx.messages()[-1].text_content or "")
        return self.says[min(len(self.asked), len(self.says)) - 1]


@dataclass
class ScriptedListener:
    """A streaming detector, its own only stream: the n-th prediction is the n-th probability, or never comes (None).

    heard: seconds of sound. flushed: why, each time.
    """

    says: list[float | None]
    heard: float = 0.0
    flushed: list[str | None] = field(default_factory=list)
    cancelled: int = 0
    asked: int = 0
    model: str = "listener"
    provider: str = "tests"
    is_fallback: bool = False
    prediction_timeout: float = 0.3

    def stream(self, **options: Any) -> ScriptedListener:
        return self

    def push_audio(self, frame: rtc.AudioFrame) -> None:
        self.heard += frame.duration

    def predict(self) -> asyncio.Future[TurnDetectionEvent]:
        self.asked += 1
        future = asyncio.get_running_loop().create_future()
        if (said := self.says[min(self.asked, len(self.says)) - 1]) is not None:
            future.set_result(TurnDetectionEvent("eot_prediction", said, time.time()))
        return future

    def cancel_inference(self, *, timed_out: bool = False) -> None:
        self.cancelled += timed_out

    def flush(self, reason: str | None = None) -> None:
        self.flushed.append(reason)

    def end_input(self) -> None: ...

    async def aclose(self) -> None: ...

    async def supports_language(self, language: LanguageCode | None) -> bool:
        return True

    async def unlikely_threshold(self, language: LanguageCode | None) -> float | None:
        return 0.5

    async def backchannel_threshold(self, language: LanguageCode | None) -> float | None:
        return None
