"""A realtime conversation: what was said, what the model answers, and what a client may ask for. See the package's docstring."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from lkcook import pcm
from lkcook.engines.speech_to_text import SAMPLE_RATE
from lkcook.gateway.models import Models
from lkcook.gateway.realtime import events
from lkcook.gateway.realtime.answers import Answers
from lkcook.gateway.realtime.floor import Floor
from lkcook.gateway.realtime.items import Item, Items, Message, Part
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.realtime.response import Response
from lkcook.gateway.realtime.settings import Ask, Settings
from lkcook.gateway.realtime.tasks import Tasks
from lkcook.gateway.realtime.turn import Turn
from lkcook.gateway.realtime.turns import Ear

LEAST_COMMIT = 0.1  # seconds of sound, as OpenAI has it


class Conversation:
    """One client's. model: with its provider, "openai/gpt-realtime". fails: the status `model` shall fail with, or 0."""

    def __init__(
        self,
        models: Models,
        model: str,
        tell: Callable[[events.Event], None],
        settings: Settings,
        fails: Callable[[str], int] = lambda _: 0,
    ) -> None:
        self.model, self.settings, self.items = model, settings, Items()
        self._models, self._emit = models, tell
        self._ear: Ear | None = None
        self._answers = Answers(models, model, tell, self.items, settings, fails, lambda: self._floor.wait_for_caller())
        self._floor = Floor(self, self._answers, tell)
        self._resampler, self._rate = pcm.Resampler(SAMPLE_RATE, SAMPLE_RATE), SAMPLE_RATE
        self._tasks = Tasks()

    async def open(self) -> None:
        """Wait for the engines. Raises ProtocolError when one cannot be loaded."""
        await self._answers.open()
        self._stt = await self._models.speech_to_text()
        self._ear = self._floor.ear = Ear(self._stt, self._floor, self.settings)
        self._answers.anticipate("")

    def configure(self, settings: Settings) -> None:
        """From now on; an answer under way keeps what it began with. Raises Rejected, and nothing is changed."""
        if settings.language is not None and settings.language not in self._models.languages:
            raise Rejected(f"language {settings.language!r} is not known", param="language")
        self._answers.voice_of(settings)
        self.settings = self._answers.settings = settings
        self._hearing.heed(settings)
        self._answers.drop_draft()
        self._answers.anticipate("")
        if self.active is None:
            self._floor.wait_for_caller()

    @property
    def active(self) -> Response | None:
        """The answer under way."""
        return self._answers.active

    @property
    def playing(self) -> float:
        """Seconds of sound that the client cannot have played yet, if it plays without pauses."""
        return self._answers.playing

    @property
    def buffered(self) -> float:
        """Seconds of sound since the last commit."""
        return self._hearing.buffered

    async def hear(self, samples: np.ndarray, rate: int) -> None:
        """int16 mono. Returns once it is judged."""
        if rate != self._rate:
            self._resampler, self._rate = pcm.Resampler(rate, SAMPLE_RATE), rate
        await self._hearing.push(self._resampler.push(samples))

    def commit(self, *, answer: bool = False) -> Message:
        """What was heard so far becomes the caller's message; nobody answers before respond().

        answer: it is answered as soon as it is understood, unless nothing was said.
        """
        if self.buffered < LEAST_COMMIT:
            heard = f"{self.buffered * 1000:.2f} ms"
            raise Rejected(f"the buffer has {heard} of sound; at least 100 ms are needed", "input_audio_buffer_commit_empty")
        turn = self._hearing.commit()
        message = self.take(turn)
        if answer:
            self._floor.answer(turn)
        return message

    def take(self, turn: Turn) -> Message:
        """What was heard in `turn` becomes the caller's message."""
        part = Part("audio", seconds=turn.end - turn.start, transcript=turn.transcript)
        message = Message("user", [part], turn.id)
        self._answers.unanswered += part.seconds
        self._emit(events.Committed(turn.id, self.items.last_id))
        self.add(message)
        return message

    def clear(self) -> None:
        """Forget what was heard since the last commit."""
        self._hearing.clear()
        self._answers.drop_draft()
        self._emit(events.Cleared())

    def add(self, item: Item, after: str | None = None) -> None:
        """Behind the item with the id `after`, "root" for the beginning, None for the end."""
        previous = self.items.add(item, after)
        self._emit(events.ItemAdded(item, previous))
        self._emit(events.ItemDone(item, previous))
        for part in item.parts if isinstance(item, Message) else ():
            if part.transcript is not None:
                part.transcript.add_done_callback(partial(self._understood, item.id, part))

    def transcribe(self, samples: np.ndarray, rate: int) -> asyncio.Future[str]:
        """What is said in int16 mono sound (at most 30 s) that did not come through hear(): for an item's Part."""
        sound = pcm.to_float(pcm.resample(samples, rate, SAMPLE_RATE))
        heard = asyncio.to_thread(self._stt.transcribe, sound, language=self.settings.language or "en")

        async def text() -> str:
            return (await heard).text

        return self._tasks.spawn(text())

    def find(self, item_id: Any) -> Item:
        """The item with that id."""
        return self.items.find(item_id, "item_retrieve_invalid_item_id")

    def delete(self, item_id: Any) -> None:
        """Forget an item."""
        self.items.delete(item_id)
        self._emit(events.ItemDeleted(item_id))

    def truncate(self, item_id: Any, seconds: float) -> None:
        """Of the model's spoken message only the first `seconds` were heard: what follows was never said."""
        item = self.items.find(item_id, "item_truncate_invalid_item_id")
        if not isinstance(item, Message) or item.role != "assistant" or not any(p.kind == "audio" for p in item.parts):
            raise Rejected("only the model's spoken messages can be truncated", "invalid_value", param="item_id")
        part = next(part for part in item.parts if part.kind == "audio")
        if seconds > part.seconds + 0.001:
            told = f"sound of {part.seconds * 1000:.0f} ms is shorter than {seconds * 1000:.0f} ms already"
            raise Rejected(told, "invalid_value", param="audio_end_ms")
        part.truncate(seconds)
        self._emit(events.ItemTruncated(item.id, seconds))

    def respond(self, ask: Ask = Ask()) -> Response:
        """Answer now. Raises Rejected while another answer is under way."""
        response = self._answers.respond(ask)
        self._floor.taken()
        return response

    def say(self, text: str) -> Response:
        """The model says just this."""
        response = self._answers.say(text)
        self._floor.taken()
        return response

    def cancel(self, reason: str = "client_cancelled") -> None:
        """Stop the answer under way. Raises Rejected when there is none."""
        self._answers.cancel(reason)

    def interrupt(self) -> None:
        """Somebody speaks over the answer, if there is one: it stops, and what nobody heard of it was never said."""
        if self.settings.truncates:
            self._truncate_by_clock()
        if self.active is not None:
            self.cancel("turn_detected")

    async def aclose(self) -> None:
        """Stop everything."""
        await self._tasks.aclose()
        await self._floor.aclose()
        await self._answers.aclose()
        if self._ear is not None:
            await self._ear.aclose()

    # inside

    @property
    def _hearing(self) -> Ear:
        assert self._ear is not None, "open() was not awaited"
        return self._ear

    def _understood(self, item_id: str, part: Part, transcript: asyncio.Future[str]) -> None:
        """Write down what was heard. A callback, so that it is written before anybody who waits goes on."""
        if transcript.cancelled():
            return
        if error := transcript.exception():
            self._emit(events.NotUnderstood(item_id, f"the recogniser failed: {error}"))
            return
        part.text = transcript.result()
        if self.settings.transcribes:
            self._emit(events.Understood(item_id, part.text, part.seconds))

    def _truncate_by_clock(self) -> None:
        response, unheard = self._answers.last, self.playing
        if response is None or not unheard:
            return
        for item in response.output:
            if isinstance(item, Message) and item.parts and item.parts[0].kind == "audio":
                self.truncate(item.id, max(0.0, item.parts[0].seconds - unheard))
        response.sounding_since = None  # it sounds no more: who speaks on must not cut it again
