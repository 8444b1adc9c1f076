"""OpenAI's Responses over a WebSocket: GET /v1/responses, as livekit-plugins-openai 1.8.9 has them by default.

    client  response.create, the fields of POST /v1/responses beside its type; one after the other is answered
    server  the events of a stream; {"type": "error", "status", "error"} for a request that cannot be served

LiveKit's client ends an answer that nobody wants any more by closing the connection.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from lkcook.gateway.chat.bodies import checked_depth, named
from lkcook.gateway.chat.core import handler, replying
from lkcook.gateway.chat.responses import Response
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.refusals import openai_error, openai_type
from lkcook.gateway.socket import HARD_LIMIT, Form, ProtocolError, parse, serve_messages

_WAITING = 8  # requests of one connection


class _Client:
    """A connection, and the answers that are under way or wait for it."""

    def __init__(self, request: web.Request, ws: web.WebSocketResponse) -> None:
        self._request, self._ws = request, ws
        self._answers: list[asyncio.Task[None]] = []

    async def receive(self, message: dict[str, Any]) -> None:
        """Does not wait for the answer, so that the end of the connection is noticed meanwhile."""
        if message["type"] != "response.create":
            raise Rejected(f"{message['type']!r} is not taken; send response.create", param="type")
        self._answers = [answer for answer in self._answers if not answer.done()]
        if len(self._answers) >= _WAITING:
            raise Rejected(f"{_WAITING} requests wait to be answered already", "too_many_requests")
        self._answers.append(asyncio.create_task(self._answer(message, self._answers[-1:])))

    async def _answer(self, message: dict[str, Any], before: list[asyncio.Task[None]]) -> None:
        await asyncio.gather(*before, return_exceptions=True)
        try:
            asked = Response(message, self._request)
            async with replying(asked) as reply:
                async for piece in reply:
                    for event in asked.events(piece, reply):
                        await self._ws.send_json(event)
        except ProtocolError as error:
            await self._ws.send_json(_complaint(error))

    async def aclose(self) -> None:
        """Nothing of it goes on."""
        for answer in self._answers:
            answer.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)


def _complaint(error: ProtocolError) -> dict[str, Any]:
    return {"type": "error", "status": error.code, **openai_error(str(error), openai_type(error.code), **named(error))}


_FORM = Form(
    read=lambda kind, data: checked_depth(parse(kind, data, HARD_LIMIT)),
    complaint=_complaint,
    farewell=dict,
    send=web.WebSocketResponse.send_json,
)


async def handle_socket(request: web.Request) -> web.StreamResponse:
    """The route."""
    return await serve_messages(request, lambda ws: _Client(request, ws), _Client.receive, _FORM)


ROUTES = [web.post("/v1/responses", handler(Response)), web.get("/v1/responses", handle_socket)]
