"""What all chat protocols share: a request is checked, recorded and answered, and its reply handed on as it comes."""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from lkcook.engines.completion import Done, ModelRefused, PromptTooLong, Request, Text
from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway.chat import fields
from lkcook.gateway.chat.bodies import read_body, refused
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.socket import ProtocolError

logger = logging.getLogger("lkcook.gateway")

KEEPALIVE = 2.0  # seconds; LiveKit's client gives up after 10 s without a byte, a cold prompt may take longer
Piece = Text | ToolCall | Done


class Reply:
    """An iterator over the pieces of the engine's answer, and all it has answered so far. Raises Rejected.

    beat: is awaited again and again while the client has nothing else to read.
    """

    def __init__(self, pieces: AsyncIterator[Piece]) -> None:
        self.text, self.calls, self.done = "", list[ToolCall](), Done("stop", 0, 0, 0)
        self.beat: Callable[[], Awaitable[None]] | None = None
        self.refused = False
        self._pieces, self._began, self._first = pieces, time.monotonic(), 0.0

    @property
    def seconds(self) -> tuple[float, float]:
        """Until the first piece, and until now."""
        now = time.monotonic()
        return (self._first or now) - self._began, now - self._began

    def __aiter__(self) -> Reply:
        return self

    async def __anext__(self) -> Piece:
        upcoming = asyncio.ensure_future(anext(self._pieces, None))
        try:
            while not (await asyncio.wait([upcoming], timeout=KEEPALIVE))[0]:
                if self.beat is not None:
                    await self.beat()
            piece = upcoming.result()
        except ModelRefused as refused:
            self.refused = True
            too_long = isinstance(refused, PromptTooLong)
            raise Rejected(str(refused), "context_length_exceeded" if too_long else "invalid_value") from refused
        finally:
            if not upcoming.done():
                upcoming.cancel()
                await asyncio.gather(upcoming, return_exceptions=True)
        if piece is None:
            raise StopAsyncIteration
        self._take(piece)
        return piece

    def _take(self, piece: Piece) -> None:
        self._first = self._first or time.monotonic()
        if isinstance(piece, Text):
            self.text += piece.text
        elif isinstance(piece, ToolCall):
            self.calls.append(piece)
        else:
            self.done = piece
            told = "chat: %d prompt tokens, %d of them warm; first token after %.2f s, %d tokens after %.2f s"
            first, all_ = self.seconds
            logger.info(told, piece.prompt_tokens, piece.cached_tokens, first, piece.completion_tokens, all_)


class Dialect(ABC):
    """One request and its reply in a provider's protocol. What is wrong with the body raises ProtocolError.

    model: as the client calls it. asked: for the engine. streams: piece by piece. notes: what is not done as asked.
    headers: of the answer, beside those that every one has.
    """

    media = "text/event-stream"
    beat = b": reading the prompt\n\n"
    farewell = b""
    model: str
    asked: Request
    streams: bool

    def __init__(self, body: dict[str, Any], request: web.Request) -> None:
        self.body, self.request = body, request
        self.notes: list[str] = []
        self.headers: dict[str, str] = {}
        self.model = fields.text(body.get("model") or request.match_info.get("model"), "model")

    @abstractmethod
    def check(self) -> None:
        """Raises ProtocolError (404) with the nearest name for a model that this client cannot have."""

    @abstractmethod
    def events(self, piece: Piece, reply: Reply) -> Iterator[dict[str, Any]]:
        """What a streaming client is told of a piece."""

    @abstractmethod
    def whole(self, reply: Reply) -> dict[str, Any]:
        """The whole reply."""

    @abstractmethod
    def broken(self, error: ProtocolError) -> dict[str, Any]:
        """The event of a stream that cannot go on."""

    @abstractmethod
    def encode(self, event: dict[str, Any]) -> bytes:
        """An event as it goes over the wire."""

    def finished(self, reply: Reply) -> None:
        """Called once, at the end of a complete reply."""


def handler(dialect: type[Dialect]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The route of a protocol."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            asked = dialect(await read_body(request), request)
            async with replying(asked) as reply:
                return await (_stream if asked.streams else _whole)(asked, reply)
        except ProtocolError as error:
            return refused(request, error)

    return handle


@asynccontextmanager
async def replying(asked: Dialect) -> AsyncIterator[Reply]:
    """Check and record what is asked, and begin to answer it. Raises ProtocolError before that, and Rejected after."""
    exchange, models = Exchange(asked.request, "language model"), asked.request.app[Models.KEY]
    record = exchange.record(asked.model, asked.body)
    record.notes += asked.notes
    asked.check()
    exchange.refuse_if_failing(asked.model)
    engine = await models.language_model()
    record.answered_by = asked.model
    pieces = engine.chat(asked.asked)
    reply = Reply(pieces)
    try:
        yield reply
        asked.finished(reply)
    finally:
        await pieces.aclose()
        record.tokens = reply.done.prompt_tokens + reply.done.completion_tokens
        if not reply.refused:
            models.remember(asked.asked, reply.text)


async def _whole(asked: Dialect, reply: Reply) -> web.Response:
    async for _ in reply:
        continue
    return web.json_response(asked.whole(reply), headers=asked.headers)


async def _stream(asked: Dialect, reply: Reply) -> web.StreamResponse:
    """Nothing is sent before the first piece, or the first beat, so that a refusal is still a plain 400."""
    headers = {"Content-Type": asked.media, "Cache-Control": "no-cache", **asked.headers}
    response = web.StreamResponse(headers=headers)

    async def write(data: bytes) -> None:
        if not response.prepared:
            await response.prepare(asked.request)
        await response.write(data)

    reply.beat = lambda: write(asked.beat)
    try:
        async for piece in reply:
            for event in asked.events(piece, reply):
                await write(asked.encode(event))
    except ProtocolError as error:
        if not response.prepared:
            raise
        await write(asked.encode(asked.broken(error)))
    else:
        await write(asked.farewell)
    return response
