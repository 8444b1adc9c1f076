"""A session of GPT-Live once it has started: what the client sends, and what it is told."""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.realtime import events
from lkcook.gateway.realtime.connection import Outbox
from lkcook.gateway.realtime.conversation import Conversation
from lkcook.gateway.realtime.items import Message, Part, new_id
from lkcook.gateway.realtime.live_caller import CallerTurns, transcript
from lkcook.gateway.realtime.live_delegation import Delegations, Told
from lkcook.gateway.realtime.live_items import input_item, text_of
from lkcook.gateway.realtime.live_setup import Setup
from lkcook.gateway.realtime.live_stream import FRAME, Stream
from lkcook.gateway.realtime.openai_errors import error_event
from lkcook.gateway.realtime.openai_events import with_id
from lkcook.gateway.realtime.openai_sound import decode, encode
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.realtime.response import Response
from lkcook.gateway.requests import Record
from lkcook.gateway.socket import Closed

_ALOUD = "Say this to the caller now, in your own words, or do what it asks:\n"
_MOST_WAITING = int(5 / FRAME)  # messages a client has not taken: beyond it sound is lost, as on any line


class Session:
    """`await open()` first, `await aclose()` in any case."""

    HANDLERS: ClassVar[dict[str, Callable[[Session, dict[str, Any]], Awaitable[None] | None]]]

    def __init__(self, outbox: Outbox, exchange: Exchange, setup: Setup) -> None:
        self._outbox, self._exchange, self._setup = outbox, exchange, setup
        self._id, self._muted = new_id("live"), False
        self._owed: deque[tuple[str | None, bool]] = deque()  # answers still to be given: see _answer
        self._delegations = Delegations(setup.target, setup.backend.get("model") or "")
        self._stream = Stream(self._sound, lambda *words: self._put(transcript("output", *words)))
        self._caller = CallerTurns(lambda: self._stream.clock)
        models = exchange.request.app[Models.KEY]
        self._talk = Conversation(models, setup.model, self._tell, setup.settings, exchange.fails)
        self._streaming: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Wait for the engines; from then on there is sound."""
        await self._talk.open()
        for item in self._setup.history:
            self._talk.items.add(item)
        self._put({"type": "session.started", "session": {"id": self._id, "model": self._setup.model}})
        self._streaming = asyncio.create_task(self._stream.run())

    async def receive(self, message: dict[str, Any]) -> None:
        """One of HANDLERS. Raises ProtocolError, and Closed when the client ends the session."""
        if (pending := self.HANDLERS[message["type"]](self, message)) is not None:
            await pending

    def end(self, reason: str) -> None:
        """Tell that it is over."""
        self._put({"type": "session.closed", "reason": reason, "usage": self._usage()})

    async def aclose(self) -> None:
        """Stop everything."""
        if self._streaming is not None:
            self._streaming.cancel()
            await asyncio.gather(self._streaming, return_exceptions=True)
        self._owed.clear()
        await self._talk.aclose()

    # client events

    async def _hear(self, message: dict[str, Any]) -> None:
        samples, rate = decode(message.get("audio"), self._setup.format)
        samples = np.zeros_like(samples) if self._muted else samples
        for at in range(0, len(samples), rate):  # a second at a time: others are served in between
            piece = samples[at : at + rate]
            self._caller.heard += len(piece) / rate
            await self._talk.hear(piece, rate)

    def _mute(self, message: dict[str, Any]) -> None:
        self._record(message)
        self._muted = message["type"] == "session.input_audio.mute"
        self._acknowledge(message, "session.input_audio.muted" if self._muted else "session.input_audio.unmuted")

    def _update(self, message: dict[str, Any]) -> None:
        record = self._record(message)
        updated = self._setup.updated(message.get("session"))
        record.notes += updated.notes
        self._talk.configure(updated.settings)
        self._setup, self._delegations.model = updated, updated.backend.get("model") or ""
        self._acknowledge(message, "session.updated")

    def _instruct(self, message: dict[str, Any]) -> None:
        content = self._content(message)
        updated = replace(self._setup, instructions=f"{self._setup.instructions}\n{content}")
        self._talk.configure(updated.settings)
        self._setup = updated
        self._acknowledge(message, "session.instructions.appended")

    def _think(self, message: dict[str, Any]) -> None:
        content = self._content(message)
        self._learn(message, content, content)
        self._acknowledge(message, "session.thinking.appended")

    def _comment(self, message: dict[str, Any]) -> None:
        content = self._content(message)
        self._learn(message, content, _ALOUD + content)
        self._acknowledge(message, "session.commentary.appended")
        self._answer()

    def _queue_item(self, message: dict[str, Any]) -> None:
        self._record(message)
        if self._setup.target == "client":
            raise Rejected("work is delegated to the client here: there is no response to add to", param="type")
        self._delegations.queue(input_item(message.get("item")))

    def _continue(self, message: dict[str, Any]) -> None:
        self._record(message)
        if self._setup.target == "client":
            raise Rejected("work is delegated to the client here: there is no response to create", param="type")
        delegation, queued = self._delegations.take()
        for item, after in queued:
            self._talk.add(item, after)
        self._answer(delegation, asked=True)

    def _close(self, message: dict[str, Any]) -> None:
        self._record(message)
        self.end("close_requested")
        raise Closed

    # answers

    def _answer(self, delegation: str | None = None, *, asked: bool = False) -> None:
        """As soon as nobody speaks. asked: the client wants to be told of it, as part of `delegation`."""
        self._owed.append((delegation, asked))
        self._next()

    def _next(self) -> None:
        if not self._owed or self._caller.listening or self._talk.active is not None:
            return
        delegation, asked = self._owed.popleft()
        response = self._talk.respond()
        if asked:
            self._put(*self._delegations.begun(response, delegation))

    def _tell(self, event: events.Event) -> None:
        self._put(*self._delegations.of(event))
        if isinstance(event, events.AudioDelta):
            self._stream.add(event.item, event.part, event.samples)
        elif isinstance(event, events.PartDone):
            self._stream.end(event.item, event.part)
        elif isinstance(event, events.ResponseDone):
            self._done(event.response)
        elif isinstance(event, events.Problem):
            self._owed.appendleft((None, False))  # the caller spoke while the model had begun to
        else:
            self._follow_caller(event)

    def _follow_caller(self, event: events.Event) -> None:
        self._put(*self._caller.of(event))
        if isinstance(event, events.SpeechStarted):
            for item, heard in self._stream.drop():
                self._talk.truncate(item.id, heard)
        elif isinstance(event, events.NotUnderstood) or (isinstance(event, events.Understood) and not event.text):
            asyncio.get_running_loop().call_soon(self._next)  # otherwise the caller is answered first

    def _done(self, response: Response) -> None:
        for call in self._delegations.abandoned(response):
            self._talk.delete(call.id)
        if response.status == "failed":
            limited = response.error_code == 429
            reason = "rate_limit_exceeded" if limited else "server_error"
            kind = "rate_limit_error" if limited else "server_error"
            self._put(error_event(response.error, reason, kind=kind, named="client_event_id"))
        self._put({"type": "session.usage.updated", "usage": self._usage()})
        asyncio.get_running_loop().call_soon(self._next)  # the answer's own task has to end first

    # inside

    def _learn(self, message: dict[str, Any], answer: str, context: str) -> None:
        """The client tells the model something: the answer to a delegation, or context."""
        output = self._delegations.answer(message.get("delegation_id"), answer)
        self._talk.add(output or Message("system", [Part("text", context)]))

    def _content(self, message: dict[str, Any]) -> str:
        self._record(message)
        return text_of(message.get("content"), "content")

    def _record(self, message: dict[str, Any]) -> Record:
        record = self._exchange.record(self._setup.model, message)
        record.answered_by = self._setup.model
        return record

    def _acknowledge(self, message: dict[str, Any], kind: str) -> None:
        self._put({"type": kind, "client_event_id": message.get("event_id")})

    def _usage(self) -> Told:
        return {"seconds": round(self._stream.clock, 3)}

    def _sound(self, samples: np.ndarray) -> None:
        if self._outbox.waiting < _MOST_WAITING:
            sound = base64.b64encode(encode(samples, self._setup.format)).decode()
            self._put({"type": "session.output_audio.delta", "delta": sound})

    def _put(self, *told: Told) -> None:
        for message in told:
            self._outbox.put(with_id(message))


Session.HANDLERS = {
    "session.update": Session._update,
    "session.close": Session._close,
    "session.input_audio.append": Session._hear,
    "session.input_audio.mute": Session._mute,
    "session.input_audio.unmute": Session._mute,
    "session.instructions.append": Session._instruct,
    "session.thinking.append": Session._think,
    "session.commentary.append": Session._comment,
    "response.item.create": Session._queue_item,
    "response.create": Session._continue,
}
