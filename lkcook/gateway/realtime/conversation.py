"""A realtime conversation: who may speak when, what was said, and what the model answers. See the package's docstring."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from lkcook import pcm
from lkcook.engines.completion import Request
from lkcook.engines.prosody import NEUTRAL
from lkcook.engines.speech_to_text import SAMPLE_RATE
from lkcook.gateway.failing import why
from lkcook.gateway.models import AFTER_A_REPLY, Models
from lkcook.gateway.realtime import events
from lkcook.gateway.realtime.draft import Draft, Plan
from lkcook.gateway.realtime.items import Item, Items, Message, Part, chat_messages
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.realtime.response import Response, Telling
from lkcook.gateway.realtime.settings import Ask, ServerVAD, Settings
from lkcook.gateway.realtime.turns import Ear, Turn
from lkcook.gateway.speaking import ForeignLanguage, UnknownVoice, speaker

T = TypeVar("T")

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
        self._models, self._emit, self._fails = models, tell, fails
        self._ear: Ear | None = None
        self._resampler, self._rate = pcm.Resampler(SAMPLE_RATE, SAMPLE_RATE), SAMPLE_RATE
        self._response: Response | None = None  # the last one, active or not
        self._teller: Telling | None = None  # who tells it, and the task in which it does
        self._telling: asyncio.Task[None] | None = None
        self._draft: Draft | None = None  # begun in a pause, of which nobody knows yet whether it ends the turn
        self._idle: asyncio.Task[None] | None = None
        self._unanswered = 0.0  # seconds of sound heard since the last answer
        self._tasks: set[asyncio.Task[Any]] = set()
        self._voice_of(settings.voice)

    async def open(self) -> None:
        """Wait for the engines. Raises ProtocolError when one cannot be loaded."""
        self._llm = await self._models.language_model()
        self._tts = await self._models.text_to_speech()
        self._stt = await self._models.speech_to_text()
        self._ear = Ear(self._stt, self, self.settings)
        self._anticipate("")

    def configure(self, settings: Settings) -> None:
        """From now on; an answer under way keeps what it began with. Raises Rejected, and nothing is changed."""
        if settings.language is not None and settings.language not in self._models.languages:
            raise Rejected(f"language {settings.language!r} is not known", param="language")
        self._voice_of(settings.voice, settings.language)
        self.settings = settings
        self._hearing.heed(settings)
        self._drop_draft()
        self._anticipate("")
        if self.active is None:
            self._wait_for_caller()

    @property
    def active(self) -> Response | None:
        """The answer under way."""
        response = self._response
        return response if response is not None and response.status == "in_progress" else None

    @property
    def playing(self) -> float:
        """Seconds of sound that the client cannot have played yet, if it plays without pauses."""
        return self._response.playing if self._response is not None else 0.0

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
        message = self._commit(turn)
        if answer:
            self._spawn(self._answer(turn))
        return message

    def clear(self) -> None:
        """Forget what was heard since the last commit."""
        self._hearing.clear()
        self._drop_draft()
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

        return self._spawn(text())

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
        self._refuse_second()
        voice = self._voice_of(ask.voice or self.settings.voice)
        modality = ask.modality or self.settings.modality
        response = Response(modality, ask.voice or self.settings.voice, ask.metadata, ask.apart)
        return self._start(response, lambda: self._plan(ask, voice))

    def say(self, text: str) -> Response:
        """The model says just this."""
        self._refuse_second()
        plan = replace(self._plan(Ask(), self._voice_of(self.settings.voice)), text=text)
        return self._start(Response(plan.modality, self.settings.voice), lambda: plan)

    def cancel(self, reason: str = "client_cancelled") -> None:
        """Stop the answer under way. Raises Rejected when there is none."""
        if self.active is None or self._telling is None or self._teller is None:
            raise Rejected("Cancellation failed: no active response found", "response_cancel_not_active")
        self._teller.end("cancelled", reason)
        self._telling.cancel()

    def interrupt(self) -> None:
        """Somebody speaks over the answer, if there is one: it stops, and what nobody heard of it was never said."""
        if self.settings.truncates:
            self._truncate_by_clock()
        if self.active is not None:
            self.cancel("turn_detected")

    async def aclose(self) -> None:
        """Stop everything."""
        tasks = [task for task in (self._telling, self._idle, *self._tasks) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._draft is not None:
            await self._draft.aclose()
        if self._ear is not None:
            await self._ear.aclose()

    # what the ear tells: turns.Listener

    def on_speech(self, turn: Turn) -> None:
        """The caller begins; whoever speaks is interrupted, if that is wanted."""
        self._emit(events.SpeechStarted(turn.id, turn.start))
        self._stop_waiting()
        if self.settings.turns is not None and self.settings.turns.interrupt_response:
            self.interrupt()

    def on_words(self, turn: Turn, text: str, *, pause: bool) -> None:
        """Guesses are read ahead; what may be all of a turn is answered ahead."""
        if self.settings.turns is not None and self.settings.transcribes:
            self._emit(events.Hearing(turn.id, text))
        if self.active is not None:
            return
        if not pause:
            self._anticipate(text)
        elif self.settings.turns is None or self.settings.turns.create_response:
            spoken = Message("user", [Part("audio", text)])
            self._begin_draft(self._plan(Ask(), self._voice_of(self.settings.voice), spoken))

    def on_resumed(self, turn: Turn) -> None:
        """Too early."""
        self._drop_draft()

    def on_turn(self, turn: Turn) -> None:
        """The turn is over: it becomes a message, and is answered if anything was said."""
        self._emit(events.SpeechStopped(turn.id, turn.end))
        self._commit(turn)
        if self.settings.turns is not None and self.settings.turns.create_response:
            self._spawn(self._answer(turn))

    # inside

    @property
    def _hearing(self) -> Ear:
        assert self._ear is not None, "open() was not awaited"
        return self._ear

    def _voice_of(self, name: str, language: str | None = None) -> str:
        try:
            return speaker(self.model, name, language or self.settings.language)
        except UnknownVoice as unknown:
            raise Rejected(str(unknown), param="voice") from unknown
        except ForeignLanguage as foreign:
            raise Rejected(str(foreign), param="language") from foreign

    def _refuse_second(self) -> None:
        if (active := self.active) is not None:
            told = f"Conversation already has an active response in progress: {active.id}. Wait until it is finished"
            raise Rejected(told, "conversation_already_has_active_response")

    def _commit(self, turn: Turn) -> Message:
        part = Part("audio", seconds=turn.end - turn.start, transcript=turn.transcript)
        message = Message("user", [part], turn.id)
        self._unanswered += part.seconds
        self._emit(events.Committed(turn.id, self.items.last_id))
        self.add(message)
        return message

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

    async def _answer(self, turn: Turn) -> None:
        """A noise is no turn: when nothing was understood, nobody answers."""
        await asyncio.wait([turn.transcript])
        if turn.transcript.cancelled() or turn.transcript.exception() or not turn.transcript.result():
            return
        try:
            self.respond()
        except Rejected as error:  # the client let the model speak on while the caller spoke
            self._emit(events.Problem(str(error), error.reason))

    def _start(self, response: Response, plan: Callable[[], Plan]) -> Response:
        self._stop_waiting()
        self._response, self._teller = response, Telling(response, self._emit, self.items.add)
        self._emit(events.ResponseCreated(response))
        self._telling = asyncio.create_task(self._respond(response, self._teller, plan))
        return response

    async def _respond(self, response: Response, teller: Telling, plan: Callable[[], Plan]) -> None:
        await self._until_understood()
        if status := self._fails(self.model):
            teller.fail(why(self.model, status), status)
            return
        response.usage.heard_seconds, self._unanswered = self._unanswered, 0.0
        await teller.tell(self._adopt(plan()))
        self._anticipate("", delay=AFTER_A_REPLY)
        self._wait_for_caller()

    async def _until_understood(self) -> None:
        waiting = [
            part.transcript
            for item in self.items
            if isinstance(item, Message)
            for part in item.parts
            if part.transcript is not None and not part.transcript.done()
        ]
        if waiting:
            await asyncio.wait(waiting)

    def _plan(self, ask: Ask, voice: str, *more: Item) -> Plan:
        settings = self.settings
        items = [*(self.items if ask.items is None else ask.items), *more]
        tools = settings.tools if ask.tools is None else ask.tools
        instructions = settings.instructions if ask.instructions is None else ask.instructions
        request = Request(
            messages=chat_messages(instructions, items),
            tools=list(tools),
            tool_choice=(settings.tool_choice if ask.tool_choice is None else ask.tool_choice) if tools else None,
            temperature=settings.temperature,
            max_tokens=min(ask.max_tokens or settings.max_tokens, settings.max_tokens),
        )
        return Plan(request, ask.modality or settings.modality, voice, NEUTRAL.faster(settings.speed))

    def _begin_draft(self, plan: Plan) -> None:
        if self._draft is not None and self._draft.plan == plan:
            return
        self._drop_draft()
        if not self._fails(self.model):
            self._draft = Draft(plan, self._llm, self._tts)

    def _adopt(self, plan: Plan) -> Draft:
        """The draft begun in the pause, if that was the end of the turn and it is about the same."""
        draft, self._draft = self._draft, None
        if draft is not None and draft.plan == plan:
            return draft
        if draft is not None:
            draft.cancel()
        return Draft(plan, self._llm, self._tts)

    def _drop_draft(self) -> None:
        if self._draft is not None:
            self._draft.cancel()
            self._draft = None

    def _anticipate(self, words: str, delay: float = 0.0) -> None:
        """What the model would read if the caller had said `words`: it may as well begin now."""
        request = self._plan(Ask(), self._voice_of(self.settings.voice)).request
        self._models.expect(request, words, delay=delay)

    def _truncate_by_clock(self) -> None:
        response, unheard = self._response, self.playing
        if response is None or not unheard:
            return
        for item in response.output:
            if isinstance(item, Message) and item.parts and item.parts[0].kind == "audio":
                self.truncate(item.id, max(0.0, item.parts[0].seconds - unheard))
        response.sounding_since = None  # it sounds no more: who speaks on must not cut it again

    def _wait_for_caller(self) -> None:
        self._stop_waiting()
        turns = self.settings.turns
        if isinstance(turns, ServerVAD) and turns.idle_timeout is not None:
            self._idle = asyncio.create_task(self._speak_up(turns.idle_timeout))

    def _stop_waiting(self) -> None:
        if self._idle is not None and self._idle is not asyncio.current_task():
            self._idle.cancel()
        self._idle = None

    async def _speak_up(self, seconds: float) -> None:
        start = self._hearing.now
        await asyncio.sleep(self.playing + seconds)
        if self._hearing.speaking or self.active is not None:
            return
        turn = self._hearing.commit()
        self._emit(events.TimedOut(turn.id, start, self._hearing.now))
        self._commit(turn)
        self.respond()

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
