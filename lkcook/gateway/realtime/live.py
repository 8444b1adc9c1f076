"""GPT-Live, OpenAI's full-duplex model: WebSocket /v1/live/sessions, with ?model=… for LiveKit Inference's client.

    client  session.start (first, and once), .update, .close · session.input_audio.append, .mute, .unmute ·
            session.instructions.append, .thinking.append, .commentary.append · response.item.create · response.create
    server  session.started, .updated, .usage.updated, .closed · session.output_audio.delta, without a pause ·
            session.output_transcript.delta, .input_transcript.delta · session.delegation.created · response.event · error

The stream of sound is the session's clock: all times are milliseconds of it. What the caller said is told once it is
understood, in one piece, because what is told of it cannot be taken back. Shapes: livekit-agents 1.8.9,
llm/_realtime/gpt_live_types.py.
"""

from __future__ import annotations

from aiohttp import WSMessage, web

from lkcook.gateway.exchange import Exchange
from lkcook.gateway.realtime import live_setup
from lkcook.gateway.realtime.connection import LARGEST_MESSAGE, Outbox, serve
from lkcook.gateway.realtime.ids import duplex_model
from lkcook.gateway.realtime.live_session import Session
from lkcook.gateway.realtime.openai import ready, refusal
from lkcook.gateway.realtime.openai_errors import complaint
from lkcook.gateway.realtime.openai_events import with_id
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.socket import ProtocolError, parse


async def handle_live(request: web.Request) -> web.StreamResponse:
    """The route. What is wrong with its address is refused before it becomes a socket: clients would try again."""
    exchange, asked = Exchange(request, "realtime model"), request.query.get("model")
    try:
        model = duplex_model(asked) if asked else None  # OpenAI's own client names it in session.start
        if model:
            exchange.refuse_if_failing(model)
        await ready(request)
    except ProtocolError as error:
        return refusal(error)
    return await serve(request, lambda outbox: _Client(outbox, exchange, model))


class _Client:
    """A connection.Dialect. asked: the model in the address."""

    def __init__(self, outbox: Outbox, exchange: Exchange, asked: str | None) -> None:
        self._outbox, self._exchange, self._asked = outbox, exchange, asked
        self._session: Session | None = None
        self._cause: object = None

    async def start(self) -> None:
        """Nothing is said before session.start."""

    async def receive(self, raw: WSMessage) -> None:
        self._cause = None
        message = parse(raw.type, raw.data, LARGEST_MESSAGE)
        self._cause, kind = message.get("event_id"), message["type"]
        if kind not in Session.HANDLERS and kind != "session.start":
            known = ", ".join(["session.start", *Session.HANDLERS])
            raise Rejected(f"Invalid value: {kind!r}. Supported values are: {known}.", param="type")
        if kind == "session.start":
            await self._begin(message)
        elif self._session is None:
            raise Rejected(f"{kind} before session.start", "session_not_started", param="type")
        else:
            await self._session.receive(message)

    def complain(self, error: ProtocolError) -> None:
        self._outbox.put(with_id(complaint(error, self._cause, "client_event_id")))

    def expire(self) -> None:
        if self._session is not None:
            self._session.end("expired")

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.aclose()

    async def _begin(self, message: dict[str, object]) -> None:
        if self._session is not None:
            raise Rejected("the session has started already", "session_already_started", param="type")
        try:
            with self._exchange.recorded(self._asked or "", message) as record:
                setup = live_setup.read(message.get("session"), self._asked)
                record.model, record.notes = setup.model, [*setup.notes]
                self._exchange.refuse_if_failing(setup.model)
                self._session = Session(self._outbox, self._exchange, setup)
                await self._session.open()
        except ProtocolError as error:
            error.fatal = True  # the client waits for session.started, and for nothing else
            raise


ROUTES = [web.get("/v1/live/sessions", handle_live)]
