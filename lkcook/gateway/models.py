"""The engines behind the gateway: loaded once, side by side, in the background; and which ids they answer to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from aiohttp import web

from lkcook import catalog
from lkcook.engines import end_of_turn, weights
from lkcook.engines.completion import Request
from lkcook.engines.interruption import Interruption
from lkcook.engines.language_model import LanguageModel
from lkcook.engines.speech_to_text import SpeechToText
from lkcook.engines.text_to_speech import TextToSpeech
from lkcook.engines.written_turn import WEIGHT, WrittenTurn
from lkcook.errors import CookError, WeightsError
from lkcook.gateway.socket import ProtocolError

logger = logging.getLogger("lkcook.gateway")

AFTER_A_REPLY = 0.5  # seconds: first its last sentence has to become speech
_WORDS = {
    "stt": "speech-to-text",
    "llm": "language",
    "tts": "text-to-speech",
    "turns": "end-of-turn",
    "written": "written-turn",
    "interruption": "interruption",
}


class Models:
    """Whoever needs an engine awaits it here; a model that failed to load says why to every client."""

    KEY: ClassVar[web.AppKey[Models]]

    def __init__(self) -> None:
        self._loading: dict[str, asyncio.Task[Any]] = {}
        self._last_chat: Request | None = None
        self._words: str | None = None  # the newest guess that was not evaluated yet
        self._priming: asyncio.Task[None] | None = None

    def start_loading(self) -> None:
        """Begin to load all of them; returns at once."""
        for kind, load in _LOAD.items():
            self._loading[kind] = asyncio.create_task(self._load(kind, load))

    async def _load(self, kind: str, load: Callable[[], Any]) -> Any:
        if kind in _AFTER:
            await asyncio.wait([self._loading[_AFTER[kind]]])
        engine = await asyncio.to_thread(load)
        logger.info("%s model ready", _WORDS[kind])
        return engine

    async def speech_to_text(self) -> SpeechToText:
        return await self._ready("stt")

    async def language_model(self) -> LanguageModel:
        return await self._ready("llm")

    async def text_to_speech(self) -> TextToSpeech:
        return await self._ready("tts")

    async def end_of_turn(self) -> end_of_turn.Probability:
        return await self._ready("turns")

    async def written_turn(self) -> WrittenTurn:
        return await self._when_asked("written")

    async def interruption(self) -> Interruption:
        return await self._when_asked("interruption")

    async def _when_asked(self, kind: str) -> Any:
        task = self._loading.get(kind)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            self._loading[kind] = asyncio.create_task(self._load(kind, _LOAD_WHEN_ASKED[kind]))
        return await self._ready(kind)

    async def _ready(self, kind: str) -> Any:
        try:
            return await asyncio.shield(self._loading[kind])
        except (CookError, OSError, RuntimeError, ValueError) as error:
            raise ProtocolError(
                f"the {_WORDS[kind]} model could not be loaded: {error}", code=503, fatal=True
            ) from error

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes of the loaded recogniser."""
        return frozenset(self._loading["stt"].result().languages)

    def check(self, kind: catalog.Kind, model: Any) -> None:
        """Refuse an id that LiveKit Inference would not know, with what to write instead."""
        if model not in catalog.ids(kind):
            raise ProtocolError(
                f"unknown {_WORDS[kind]} model {model!r}; {catalog.advice(str(model), kind)}",
                code=404,
                fatal=True,
            )

    def status(self) -> dict[str, str]:
        """Each model that every call needs as "loading", "ready" or "failed: why"."""
        return {kind: _state(task) for kind, task in self._loading.items() if kind in _LOAD}

    def remember(self, request: Request, reply: str) -> None:
        """Keep the conversation so far: the caller's next words will be appended to it."""
        messages = [*request.messages, {"role": "assistant", "content": reply}]
        self._last_chat = replace(request, messages=messages)
        if reply:
            self.anticipate("", delay=AFTER_A_REPLY)

    def expect(self, request: Request, words: str, *, delay: float = 0.0) -> None:
        """The caller of `request`'s conversation is saying `words`, as anticipate() has it."""
        self._last_chat = request
        self.anticipate(words, delay=delay)

    def anticipate(self, words: str, *, delay: float = 0.0) -> None:
        """The caller is saying `words`: evaluate them now, so that only the last ones remain to be read.

        A guess about which conversation they belong to; a wrong one costs idle time, never an answer.
        """
        llm, stt = self._loading["llm"], self._loading["stt"]
        if self._last_chat is None or not _loaded(llm) or not _loaded(stt):
            return
        self._words = words
        if self._priming is None or self._priming.done():
            self._priming = asyncio.create_task(self._prime(llm.result(), stt.result(), delay))

    async def _prime(self, llm: LanguageModel, stt: SpeechToText, delay: float) -> None:
        await asyncio.sleep(delay)
        while (words := self._words) is not None and self._last_chat is not None:
            self._words = None
            messages = [*self._last_chat.messages, {"role": "user", "content": words}]
            # two cores: the decode that may be the last one of the turn is what the caller waits for
            await llm.prime(replace(self._last_chat, messages=messages), give_way=lambda: stt.busy)

    async def aclose(self) -> None:
        """Wait for what is still loading, so that no thread outlives the loop."""
        tasks = [*self._loading.values(), *([self._priming] if self._priming else [])]
        await asyncio.gather(*tasks, return_exceptions=True)


Models.KEY = web.AppKey("models", Models)


def _load_stt() -> SpeechToText:
    return SpeechToText(weights.fetch("whisper-base"))


def _load_tts() -> TextToSpeech:
    engine = TextToSpeech()
    engine.load_all_voices()
    return engine


def _load_llm() -> LanguageModel:
    return LanguageModel(weights.language_model_path())


def _load_turns() -> end_of_turn.Probability:
    end_of_turn.load()
    return end_of_turn.probability


def _load_written_turn() -> WrittenTurn:
    path = weights.locate(WEIGHT)
    if path is None:  # nothing is fetched while a client waits, which it does for 2 s
        raise WeightsError(f"{WEIGHT} is not here.", "Fetch it with `async with lkcook.job(): ...` in a notebook.")
    return WrittenTurn(path)


_LOAD: dict[str, Callable[[], Any]] = {
    "stt": _load_stt,
    "llm": _load_llm,
    "tts": _load_tts,
    "turns": _load_turns,  # without it semantic turn detection goes by silence alone
}

# Few sessions have one: LiveKit's MultilingualModel, adaptive interruption.
_LOAD_WHEN_ASKED: dict[str, Callable[[], Any]] = {"written": _load_written_turn, "interruption": Interruption}

# All import faster_whisper: two threads that enter a package by different modules wait for each other, and one fails.
_AFTER = {"turns": "stt", "interruption": "turns"}


def _loaded(task: asyncio.Task[Any]) -> bool:
    return task.done() and not task.exception()


def _state(task: asyncio.Task[Any]) -> str:
    if not task.done():
        return "loading"
    return f"failed: {error}" if (error := task.exception()) else "ready"
