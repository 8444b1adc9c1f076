"""An answer in the making: the language model writes, and what is written is spoken sentence by sentence.

A draft may be begun before anybody knows that the caller has finished; what it has by then is there at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from lkcook.engines.completion import Done, ModelRefused, Request, Text
from lkcook.engines.language_model import LanguageModel
from lkcook.engines.prosody import NEUTRAL, Prosody
from lkcook.engines.text_to_speech import TextToSpeech
from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway.realtime.settings import Modality
from lkcook.gateway.speaking import spoken

_AHEAD = 4  # sentences written before they are spoken: the two share two cores


@dataclass(frozen=True)
class Plan:
    """What is to be answered, and how: two drafts of the same plan are the same. text: say this, ask no model."""

    request: Request
    modality: Modality
    voice: str
    prosody: Prosody = NEUTRAL
    text: str | None = None


@dataclass(frozen=True)
class Spoken:
    """A piece of the answer, "" when it belongs to the text before: a long sentence comes in several sounds."""

    text: str
    samples: np.ndarray


Piece = Text | Spoken | ToolCall | Done


class Draft:
    """Begins at once. Iterate over `pieces()` once; `cancel()` stops both models and is final."""

    def __init__(self, plan: Plan, llm: LanguageModel, tts: TextToSpeech) -> None:
        self.plan = plan
        self._llm, self._tts = llm, tts
        self._pieces: asyncio.Queue[Piece | None] = asyncio.Queue()
        self._work = asyncio.create_task(self._make())
        self._work.add_done_callback(lambda _: self._pieces.put_nowait(None))

    async def pieces(self) -> AsyncIterator[Piece]:
        """As they come, Done last. Raises what a model raised."""
        while (piece := await self._pieces.get()) is not None:
            yield piece
        await self._work

    def cancel(self) -> None:
        """Stop: the language model within 0.1 s, the voice after the sentence at hand."""
        self._work.cancel()

    async def aclose(self) -> None:
        """Stop, and return when both models have let go."""
        self.cancel()
        await asyncio.gather(self._work, return_exceptions=True)

    async def _make(self) -> None:
        if self.plan.modality == "text":
            async for piece in self._written():
                self._pieces.put_nowait(piece)
            return
        sentences: asyncio.Queue[str | ToolCall | Done | None] = asyncio.Queue(maxsize=_AHEAD)
        writing = asyncio.create_task(self._write(sentences))
        try:
            while (sentence := await sentences.get()) is not None:
                await self._speak(sentence)
            await writing
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _write(self, sentences: asyncio.Queue[str | ToolCall | Done | None]) -> None:
        """The reply, cut into sentences."""
        pending = ""
        try:
            async for piece in self._written():
                if isinstance(piece, Text):
                    *whole, pending = split(pending + piece.text)
                    for sentence in whole:
                        await sentences.put(sentence)
                    continue
                if pending.strip():
                    await sentences.put(pending)
                pending = ""
                await sentences.put(piece)
        finally:
            if not asyncio.current_task().cancelling():  # type: ignore[union-attr]
                await sentences.put(None)

    async def _speak(self, sentence: str | ToolCall | Done) -> None:
        if not isinstance(sentence, str):
            self._pieces.put_nowait(sentence)
            return
        text, plan = sentence, self.plan
        async for samples in spoken(self._tts, sentence.strip(), plan.voice, plan.prosody):
            self._pieces.put_nowait(Spoken(text, samples))
            text = ""
        if text:  # nothing of it can be pronounced
            self._pieces.put_nowait(Spoken(text, np.zeros(0, np.int16)))

    async def _written(self) -> AsyncIterator[Text | ToolCall | Done]:
        if self.plan.text is not None:
            yield Text(self.plan.text)
            yield Done("stop", 0, 0, 0)
            return
        request = self.plan.request
        while True:
            try:
                async with aclosing(self._llm.chat(request)) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except ModelRefused:
                if (shorter := _forgetting(request)) is None:
                    raise
                request = shorter


def split(text: str) -> list[str]:
    """Sentences, white space kept; the last one may be incomplete (and is "" at the beginning)."""
    return _sentences().tokenize(text) or [""]


@cache
def _sentences() -> Any:
    from livekit.agents.tokenize import blingfire

    return blingfire.SentenceTokenizer(min_sentence_len=1, retain_format=True)


def _forgetting(request: Request) -> Request | None:
    """Without the older half of the conversation, which no longer fits the context; None when nothing is left to drop.

    Realtime APIs truncate like this by themselves. The rest begins with something said, never with a call's output.
    """
    first = 1 if request.messages[:1] and request.messages[0]["role"] == "system" else 0
    rest = request.messages[first:]
    keep = rest[max(1, len(rest) // 2) :]
    while keep and (keep[0]["role"] == "tool" or keep[0].get("tool_calls")):
        keep = keep[1:]
    return replace(request, messages=[*request.messages[:first], *keep]) if keep else None
