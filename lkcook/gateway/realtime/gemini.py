"""Gemini Live: WebSocket /ws/google.ai.generativelanguage.{version}.GenerativeService.BidiGenerateContent, over TLS.

    client  setup (first, and once) · realtimeInput · clientContent · toolResponse
    server  setupComplete · serverContent · toolCall · toolCallCancellation · sessionResumptionUpdate · goAway

JSON in binary frames, as Google sends it; either kind of frame is taken. There are no error messages: what is wrong
closes the connection with 1007 (the message), 1008 (no such model, no such session) or 1011 (the model failed), and a
sentence, of which 123 bytes arrive; the request log has all of it.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

from aiohttp import WSMessage, web

from lkcook.gateway.auth import error_response
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.realtime import gemini_setup
from lkcook.gateway.realtime.connection import Outbox, longest_session, serve
from lkcook.gateway.realtime.gemini_fields import POLICY, Refused, close_code, fields
from lkcook.gateway.realtime.gemini_session import Session
from lkcook.gateway.socket import ProtocolError, json_object

_SERVICE = re.compile(r"google\.ai\.generativelanguage\.(v\w+)\.GenerativeService\.BidiGenerateContent")
_MESSAGES = "setup clientContent realtimeInput toolResponse"
_NOTICE = 60.0  # seconds between goAway and the end


async def handle_live(request: web.Request) -> web.StreamResponse:
    """The route."""
    service = _SERVICE.fullmatch(request.match_info["service"])
    if service is None:
        told = "served is google.ai.generativelanguage.v1.GenerativeService.BidiGenerateContent, of any version"
        return error_response(404, told, "invalid_request_error")
    exchange = Exchange(request, "realtime model")
    return await serve(request, lambda outbox: _Client(outbox, exchange, service[1]))


class _Client:
    """A connection.Dialect. version: of the API, "v1beta"."""

    def __init__(self, outbox: Outbox, exchange: Exchange, version: str) -> None:
        outbox.binary = True
        self._outbox, self._exchange, self._version = outbox, exchange, version
        self._session: Session | None = None
        self._warning = asyncio.create_task(self._warn(time.monotonic() + longest_session()))

    async def start(self) -> None:
        """Nothing is said before the setup is there."""

    async def receive(self, raw: WSMessage) -> None:
        try:
            message = fields(json_object(raw.data, "the message"), "", _MESSAGES)
            if len(message) != 1:
                raise Refused(f"Request contains an invalid argument: a message has one of {', '.join(_MESSAGES.split())}.")
            [(kind, value)] = message.items()
            if (kind == "setup") != (self._session is None):
                raise Refused("setup must be the first message and only the first")
            await (self._begin(value) if self._session is None else self._go_on(self._session, kind, value))
        except ProtocolError as error:
            error.fatal = True  # Gemini Live knows no other kind
            raise

    def complain(self, error: ProtocolError) -> None:
        self._outbox.close(close_code(error), str(error))

    def expire(self) -> None:
        self._outbox.close(POLICY, "The operation was aborted.")

    async def aclose(self) -> None:
        self._warning.cancel()
        if self._session is not None:
            await self._session.aclose()

    async def _begin(self, value: Any) -> None:
        with self._exchange.recorded("", {"setup": value}) as record:
            setup = gemini_setup.read(value, self._version)
            record.model, record.notes = setup.model, [*setup.notes]
            self._exchange.refuse_if_failing(setup.model)
            self._session = Session(self._outbox, self._exchange, setup)
            await self._session.open()

    async def _go_on(self, session: Session, kind: str, value: Any) -> None:
        session.received += 1
        handlers = {"clientContent": session.content, "realtimeInput": session.input, "toolResponse": session.returned}
        await handlers[kind](value)

    async def _warn(self, end: float) -> None:
        notice = min(_NOTICE, longest_session() / 2)
        await asyncio.sleep(end - time.monotonic() - notice)
        self._outbox.put({"goAway": {"timeLeft": f"{notice:g}s"}})


ROUTES = [web.get("/ws/{service}", handle_live)]
