"""Models that say what a test wants, and a conversation with them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import numpy as np

from lkcook.engines.completion import Done, Request, Text
from lkcook.engines.prosody import NEUTRAL, Prosody
from lkcook.engines.text_to_speech import SAMPLE_RATE
from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway.models import Models
from lkcook.gateway.realtime import events
from lkcook.gateway.realtime.conversation import Conversation
from lkcook.gateway.realtime.settings import Settings
from tests.scripted_engines import Asked, ScriptedEngine
from tests.speech import say

MORNING = "Good morning, can you hear me?"
LONG = "One two three four five. Six seven eight nine ten. Eleven twelve."
TOOL = {"type": "function", "function": {"name": "book", "parameters": {"type": "object"}}}
LETTER = SAMPLE_RATE // 20  # samples: a letter takes 50 ms to say
Reply = str | ToolCall | Exception


class ScriptedLanguageModel:
    """Answers `replies` in turn, the last one again and again, word by word. hold: each word waits for `go`."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies) or ["Of course."]
        self.asked: list[Request] = []
        self.primed: list[Request] = []
        self.under_way = 0
        self.go = asyncio.Event()
        self.go.set()

    async def chat(self, request: Request) -> AsyncIterator[Text | ToolCall | Done]:
        self.asked.append(request)
        self.under_way += 1
        try:
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            if isinstance(reply, Exception):
                raise reply
            if isinstance(reply, ToolCall):
                yield reply
            for word in re.findall(r"\S+\s*", reply) if isinstance(reply, str) else ():
                await self.go.wait()
                yield Text(word)
            yield Done("tool_calls" if isinstance(reply, ToolCall) else "stop", 40, 30, 8)
        finally:
            self.under_way -= 1

    async def prime(self, request: Request, give_way: Callable[[], bool] = lambda: False) -> None:
        self.primed.append(request)


class ScriptedVoice:
    """Each letter takes 50 ms; remembers what it was asked to say."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, float]] = []

    def stream(self, text: str, *, voice: str, prosody: Prosody = NEUTRAL, seed: int = 0) -> Iterator[np.ndarray]:
        self.said.append((text, voice, prosody.speed))
        yield np.full(len(text) * LETTER, 1000, np.int16)


class Ear(ScriptedEngine):
    """A recogniser with languages."""

    languages = ("en", "es", "de")


class ScriptedModels(Models):
    """Loaded at once. The recogniser hears `hears`, a text or one for each turn."""

    def __init__(self, llm: ScriptedLanguageModel, hears: str | Callable[[Asked], str] = "Good morning.") -> None:
        super().__init__()
        self.llm, self.voice = llm, ScriptedVoice()
        self.ear = Ear((lambda _: hears) if isinstance(hears, str) else hears)

    def start_loading(self) -> None:
        for kind, engine in (("stt", self.ear), ("llm", self.llm), ("tts", self.voice)):
            self._loading[kind] = asyncio.ensure_future(_ready(engine))


async def _ready(engine: Any) -> Any:
    return engine


class Talk:
    """A conversation on scripted models, and all that it told."""

    def __init__(self, *replies: Reply, hears: str | Callable[[Asked], str] = "Good morning.", **options: Any) -> None:
        self.llm = ScriptedLanguageModel(*replies)
        self.models = ScriptedModels(self.llm, hears)
        self.models.start_loading()
        self.told: list[events.Event] = []
        self.conversation = Conversation(self.models, "openai/gpt-realtime", self.told.append, Settings(**options))

    async def hear(self, *parts: str | float) -> None:
        """Words in a caller's voice, numbers as seconds of silence: 24 kHz, 0.1 s at a time."""
        samples = say(*parts, rate=24_000)
        for at in range(0, len(samples), 2400):
            await self.conversation.hear(samples[at : at + 2400], 24_000)
            await asyncio.sleep(0.002)

    def kinds(self) -> list[str]:
        """The events in order, repeated ones once."""
        names = [type(event).__name__ for event in self.told]
        return [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]

    def all(self, kind: type) -> list[Any]:
        return [event for event in self.told if isinstance(event, kind)]

    async def until(self, kind: type, count: int = 1) -> Any:
        """The `count`-th event of that kind, waited for if need be."""
        async with asyncio.timeout(40):
            while len(self.all(kind)) < count:
                await asyncio.sleep(0.005)
        return self.all(kind)[count - 1]


async def opened(talk: Talk) -> Talk:
    """`talk`, whose conversation has begun."""
    await talk.conversation.open()
    return talk
