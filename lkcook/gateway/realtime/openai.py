"""OpenAI's GA Realtime API: WebSocket /v1/realtime?model=…, for OpenAI's clients, xAI's and LiveKit Inference's.

    client  session.update · input_audio_buffer.append, .commit, .clear · conversation.item.create, .retrieve, .delete,
            .truncate · response.create, .cancel
    server  session.created, .updated · input_audio_buffer.* · conversation.item.* · response.* · error

LiveKit Inference's client names the provider in the model ("openai/gpt-realtime"), a provider's own does not. Of
xAI's messages `voice` and `turn_detection` stand at the top level of the session, and an item force_message is spoken
as it is. ?intent=transcription only listens.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from aiohttp import WSMessage, web

from lkcook.gateway.auth import error_response
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.openai_models import transcription_model
from lkcook.gateway.realtime import events, openai_fields, openai_items
from lkcook.gateway.realtime.connection import LARGEST_MESSAGE, Outbox, serve
from lkcook.gateway.realtime.conversation import Conversation
from lkcook.gateway.realtime.ids import known_model
from lkcook.gateway.realtime.items import new_id
from lkcook.gateway.realtime.openai_ask import ask_of, notes_on
from lkcook.gateway.realtime.openai_errors import complaint, error_event
from lkcook.gateway.realtime.openai_events import Wording, with_id
from lkcook.gateway.realtime.openai_session import Session
from lkcook.gateway.realtime.openai_sound import decode
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.realtime.settings import Settings
from lkcook.gateway.socket import ProtocolError, parse

_ONLY_LISTENING = {"session.update", "input_audio_buffer.append", "input_audio_buffer.commit", "input_audio_buffer.clear",
                   "conversation.item.retrieve", "conversation.item.delete"}  # fmt: skip


async def handle_realtime(request: web.Request) -> web.StreamResponse:
    """The route. What is wrong with its address is refused before it becomes a socket: clients would try again."""
    listens = request.query.get("intent") == "transcription"
    exchange = Exchange(request, "speech to text" if listens else "realtime model")
    try:
        model = (transcription_model if listens else known_model)(request.query.get("model"))
        exchange.refuse_if_failing(model)
        await ready(request)
    except ProtocolError as error:
        return refusal(error)
    return await serve(request, lambda outbox: _Client(outbox, exchange, model, listens=listens))


async def ready(request: web.Request) -> None:
    """Wait for the engines that every conversation needs. Raises ProtocolError when one cannot be loaded."""
    for engine in (request.app[Models.KEY].language_model, request.app[Models.KEY].speech_to_text):
        await engine()


def refusal(error: ProtocolError) -> web.Response:
    """The answer instead of a socket; the sentence also stands in a header, because LiveKit's clients show no body."""
    code = {404: "model_not_found", 429: "rate_limit_exceeded"}.get(error.code)
    refused = error_response(error.code, str(error), "invalid_request_error" if error.code < 429 else "server_error", code)
    refused.headers["x-refused"] = " ".join(str(error).encode("ascii", "backslashreplace").decode().split())[:1000]
    return refused


class _Client:
    """A connection.Dialect. model: with its provider."""

    def __init__(self, outbox: Outbox, exchange: Exchange, model: str, *, listens: bool) -> None:
        self._outbox, self._exchange, self._model, self._listens = outbox, exchange, model, listens
        provider, _, name = model.partition("/")
        shown = exchange.request.query.get("model") or name
        self._session = Session(shown, provider, "transcription" if listens else "realtime")
        self._conversation_id, self._cause = new_id("conv"), None
        self._wording = Wording(self._conversation_id, lambda: self._session)
        self._conversation = Conversation(exchange.request.app[Models.KEY], model, self._tell, self._settings(), exchange.fails)
        self._handlers: dict[str, Callable[[dict[str, Any]], Awaitable[None] | None]] = {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": lambda _: self._commit(),
            **({"conversation.item.commit": lambda _: self._commit()} if provider == "xai" else {}),  # the same in xAI's words
            "input_audio_buffer.clear": lambda _: self._conversation.clear(),
            "conversation.item.create": self._create_item,
            "conversation.item.retrieve": self._retrieve,
            "conversation.item.delete": lambda message: self._conversation.delete(message["item_id"]),
            "conversation.item.truncate": self._truncate,
            "response.create": self._respond,
            "response.cancel": self._cancel,
        }

    async def start(self) -> None:
        await self._conversation.open()
        self._send({"type": "session.created", "session": self._session.shown()})
        if not self._listens:
            conversation = {"id": self._conversation_id, "object": "realtime.conversation"}
            self._send({"type": "conversation.created", "conversation": conversation})

    async def receive(self, raw: WSMessage) -> None:
        self._cause = None
        message = parse(raw.type, raw.data, LARGEST_MESSAGE)
        self._cause, kind = message.get("event_id"), message["type"]
        handler = self._handlers.get(kind)
        if handler is None or (self._listens and kind not in _ONLY_LISTENING):
            known = ", ".join(name for name in self._handlers if not self._listens or name in _ONLY_LISTENING)
            raise Rejected(f"Invalid value: {kind!r}. Supported values are: {known}.", param="type")
        openai_fields.require(message)
        if (pending := handler(message)) is not None:
            await pending

    def complain(self, error: ProtocolError) -> None:
        self._send(complaint(error, self._cause))

    def expire(self) -> None:
        told = "Your session hit the maximum duration; open another connection."
        self._send(error_event(told, "session_expired"))

    async def aclose(self) -> None:
        await self._conversation.aclose()

    # client events

    def _update(self, message: dict[str, Any]) -> None:
        record = self._exchange.record(self._model, message)
        updated = self._session.updated(message.get("session"))
        record.answered_by, record.notes = self._model, record.notes + updated.notes
        self._refuse_another_voice(updated)
        before, self._session = self._session, updated
        try:
            self._conversation.configure(self._settings())
        except ProtocolError:
            self._session = before
            raise
        self._send({"type": "session.updated", "session": updated.shown()})

    async def _append(self, message: dict[str, Any]) -> None:
        samples, rate = decode(message.get("audio"), self._session.formats[0])
        for at in range(0, len(samples), rate):  # a second at a time: others are served in between
            await self._conversation.hear(samples[at : at + rate], rate)

    def _commit(self) -> None:
        self._conversation.commit()

    def _create_item(self, message: dict[str, Any]) -> None:
        self._exchange.record(self._model, message)
        item, after = message.get("item"), message.get("previous_item_id")
        if isinstance(item, dict) and item.get("type") == "force_message" and self._session.provider == "xai":
            texts = [str(part.get("text", "")) for part in item.get("content") or () if isinstance(part, dict)]
            self._conversation.say(" ".join(texts))
            return
        if after is not None and not isinstance(after, str):
            raise Rejected("previous_item_id is text", "invalid_type", param="previous_item_id")
        self._conversation.add(openai_items.read(item, self._transcribe), after)

    def _retrieve(self, message: dict[str, Any]) -> None:
        item = self._conversation.find(message["item_id"])
        self._send({"type": "conversation.item.retrieved", "item": openai_items.shown(item)})

    def _truncate(self, message: dict[str, Any]) -> None:
        self._exchange.record(self._model, message)
        self._conversation.truncate(message["item_id"], openai_fields.heard_seconds(message))

    def _respond(self, message: dict[str, Any]) -> None:
        record = self._exchange.record(self._model, message)
        asked = message.get("response") or {}
        if not isinstance(asked, dict):
            raise Rejected('"response" is a JSON object', "invalid_type", param="response")
        xai = self._session.provider == "xai"
        record.notes += notes_on(asked, strict=not xai)
        self._conversation.respond(ask_of(asked, self._conversation.find, self._transcribe, any_rate=xai))
        record.answered_by = self._model

    def _cancel(self, message: dict[str, Any]) -> None:
        self._exchange.record(self._model, message)
        active, wanted = self._conversation.active, message.get("response_id")
        if wanted and (active is None or active.id != wanted):
            raise Rejected(f"Cancellation failed: no active response {wanted!r} found", "response_cancel_not_active")
        self._conversation.cancel()

    # inside

    def _refuse_another_voice(self, updated: Session) -> None:
        """OpenAI's models keep theirs once it was heard."""
        changed = updated.settings().voice != self._session.settings().voice
        if changed and self._session.provider == "openai" and self._conversation.items.sounded:
            told = "Cannot update a conversation's voice if assistant audio is present."
            raise Rejected(told, "cannot_update_voice", param="session.audio.output.voice")

    def _settings(self) -> Settings:
        settings = self._session.settings()
        if not self._listens:
            return settings
        turns = replace(settings.turns, create_response=False) if settings.turns is not None else None
        return replace(settings, turns=turns, transcribes=True, voice="", listens=True)

    def _transcribe(self, audio: Any) -> tuple[float, Any]:
        samples, rate = decode(audio, self._session.formats[0])
        return len(samples) / rate, self._conversation.transcribe(samples, rate)

    def _tell(self, event: events.Event) -> None:
        for told in self._wording.of(event):
            self._send(told)

    def _send(self, told: dict[str, Any]) -> None:
        self._outbox.put(with_id(told))


ROUTES = [web.get("/v1/realtime", handle_realtime)]
