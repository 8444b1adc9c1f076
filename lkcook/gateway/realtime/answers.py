"""The model's answers: at most one at a time, begun ahead of time where that may save the caller's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from lkcook.engines.completion import Request
from lkcook.engines.prosody import NEUTRAL
from lkcook.gateway.failing import why
from lkcook.gateway.models import AFTER_A_REPLY, Models
from lkcook.gateway.realtime import events
from lkcook.gateway.realtime.draft import Draft, Plan
from lkcook.gateway.realtime.items import Item, Items, Message, Part, chat_messages, prompted
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.realtime.response import Response, Telling
from lkcook.gateway.realtime.settings import Ask, Settings
from lkcook.gateway.speaking import ForeignLanguage, UnknownVoice, speaker


class Answers:
    """To `items`, which they join. settings may be changed at any time; unanswered: seconds of sound since the last one.

    after: called when an answer has ended by itself.
    """

    def __init__(
        self,
        models: Models,
        model: str,
        emit: Callable[[events.Event], None],
        items: Items,
        settings: Settings,
        fails: Callable[[str], int],
        after: Callable[[], None],
    ) -> None:
        self.settings, self.unanswered = settings, 0.0
        self._models, self._model, self._emit, self._items = models, model, emit, items
        self._fails, self._after = fails, after
        self._response: Response | None = None  # the last one, active or not
        self._teller: Telling | None = None  # who tells it, and the task in which it does
        self._telling: asyncio.Task[None] | None = None
        self._draft: Draft | None = None  # begun in a pause, of which nobody knows yet whether it ends the turn
        self.voice_of(settings)

    async def open(self) -> None:
        """Wait for the engines."""
        self._llm = await self._models.language_model()
        self._tts = await self._models.text_to_speech()

    @property
    def last(self) -> Response | None:
        """The newest one, over or not."""
        return self._response

    @property
    def active(self) -> Response | None:
        """The answer under way."""
        response = self._response
        return response if response is not None and response.status == "in_progress" else None

    @property
    def playing(self) -> float:
        """Seconds of sound that the client cannot have played yet, if it plays without pauses."""
        return self._response.playing if self._response is not None else 0.0

    def respond(self, ask: Ask) -> Response:
        """Answer now. Raises Rejected while another answer is under way."""
        self._refuse_second()
        voice = self.voice_of(self.settings, ask.voice)
        modality = ask.modality or self.settings.modality
        name = ask.voice or self.settings.voice
        response = Response(modality, name, ask.metadata, ask.apart, ask.max_tokens, ask.audio_format)
        return self._start(response, lambda: self._asked(ask, voice))

    def say(self, text: str) -> Response:
        """The model says just this."""
        self._refuse_second()
        plan = replace(self._plan(Ask(), self.voice_of(self.settings)), text=text)
        return self._start(Response(plan.modality, self.settings.voice), lambda: plan)

    def cancel(self, reason: str = "client_cancelled") -> None:
        """Stop the answer under way. Raises Rejected when there is none."""
        if self.active is None or self._telling is None or self._teller is None:
            raise Rejected("Cancellation failed: no active response found", "response_cancel_not_active")
        self._teller.end("cancelled", reason)
        self._telling.cancel()

    def begin(self, said: str) -> None:
        """Draft the answer to `said`, which may be all that the caller says."""
        plan = self._plan(Ask(), self.voice_of(self.settings), Message("user", [Part("audio", said)]))
        if self._draft is not None and self._draft.plan == plan:
            return
        self.drop_draft()
        if not self._fails(self._model):
            self._draft = Draft(plan, self._llm, self._tts)

    def drop_draft(self) -> None:
        """What was begun is not needed."""
        if self._draft is not None:
            self._draft.cancel()
            self._draft = None

    def anticipate(self, words: str, delay: float = 0.0) -> None:
        """What the model would read if the caller had said `words`: it may as well begin now."""
        request = self._plan(Ask(), self.voice_of(self.settings)).request
        self._models.expect(request, words, delay=delay)

    def voice_of(self, settings: Settings, name: str | None = None) -> str:
        """The machine's voice for the one asked for; raises Rejected that names the known ones."""
        try:
            return speaker(self._model, name or settings.voice, settings.language)
        except UnknownVoice as unknown:
            raise Rejected(str(unknown), param="voice") from unknown
        except ForeignLanguage as foreign:
            raise Rejected(str(foreign), param="language") from foreign

    async def aclose(self) -> None:
        """Stop the one under way, and the draft."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)
        if self._draft is not None:
            await self._draft.aclose()

    def _refuse_second(self) -> None:
        if (active := self.active) is not None:
            told = f"Conversation already has an active response in progress: {active.id}. Wait until it is finished"
            raise Rejected(told, "conversation_already_has_active_response")

    def _start(self, response: Response, plan: Callable[[], Plan]) -> Response:
        self._response, self._teller = response, Telling(response, self._emit, self._items.add)
        self._emit(events.ResponseCreated(response))
        self._telling = asyncio.create_task(self._respond(response, self._teller, plan))
        return response

    async def _respond(self, response: Response, teller: Telling, plan: Callable[[], Plan]) -> None:
        await self._items.until_understood()
        if status := self._fails(self._model):
            teller.fail(why(self._model, status), status)
            return
        response.usage.heard_seconds, self.unanswered = self.unanswered, 0.0
        await teller.tell(self._adopt(plan()))
        self.anticipate("", delay=AFTER_A_REPLY)
        self._after()

    def _asked(self, ask: Ask, voice: str) -> Plan:
        plan = self._plan(ask, voice)
        messages = prompted(plan.request.messages, ask.instructions)
        return replace(plan, request=replace(plan.request, messages=messages))

    def _plan(self, ask: Ask, voice: str, *more: Item) -> Plan:
        settings = self.settings
        items = [*(self._items if ask.items is None else ask.items), *more]
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

    def _adopt(self, plan: Plan) -> Draft:
        """The draft begun in the pause, if that was the end of the turn and it is about the same."""
        draft, self._draft = self._draft, None
        if draft is not None and draft.plan == plan:
            return draft
        if draft is not None:
            draft.cancel()
        return Draft(plan, self._llm, self._tts)
