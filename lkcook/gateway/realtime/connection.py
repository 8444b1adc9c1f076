"""One WebSocket of a realtime protocol: messages in, messages out in order, a limit to its length. Knows no provider.

A dialect has `start()`, `receive(raw message)`, `complain(error)`, `expire()` and `aclose()`; what it has to say it puts
into the outbox, from wherever it is.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable
from typing import Any, Protocol

from aiohttp import WSMessage, WSMsgType, web

from lkcook.gateway.socket import PATIENCE, Closed, ProtocolError, accept
from lkcook.gateway.wire import Wire

logger = logging.getLogger("lkcook.gateway")

LARGEST_AUDIO = 15 << 20  # bytes per message: OpenAI's limit
LARGEST_MESSAGE = 2 * LARGEST_AUDIO  # as base64, with room to be refused in words; beyond it the socket is closed
_REASON = 123  # bytes of a close frame's reason
_CLOSING: set[asyncio.Task[None]] = set()  # connections whose client has gone
_FAREWELL = 2.0  # seconds for the last words to leave


def longest_session() -> float:
    """Seconds, LKCOOK_REALTIME_SESSION; the providers' is an hour."""
    return float(os.environ.get("LKCOOK_REALTIME_SESSION", 3600))


class Dialect(Protocol):
    """What a provider's protocol consists of. `receive` and `start` may raise ProtocolError."""

    async def start(self) -> None:
        """The client is there."""

    async def receive(self, raw: WSMessage) -> None:
        """A text or binary message. Raises Closed when the client ends the session."""

    def complain(self, error: ProtocolError) -> None:
        """Tell the client what is wrong with its last message."""

    def expire(self) -> None:
        """Tell the client that its time is over."""

    async def aclose(self) -> None:
        """Leave nothing behind."""


class Outbox:
    """Whatever is put in leaves in order, in a task of its own. binary: as bytes of JSON, not as text."""

    def __init__(self, ws: web.WebSocketResponse, wire: Wire) -> None:
        self.binary = False
        self._ws, self._wire = ws, wire
        self._messages: asyncio.Queue[dict[str, Any] | tuple[int, str] | None] = asyncio.Queue()
        self._sending = asyncio.create_task(self._send())

    @property
    def waiting(self) -> int:
        """Messages that the client has not taken yet."""
        return self._messages.qsize()

    def put(self, message: dict[str, Any]) -> None:
        """Send it as JSON."""
        self._messages.put_nowait(message)

    def close(self, code: int, reason: str) -> None:
        """End the connection, once all of the above has left. Nothing that is put in afterwards is sent."""
        self._messages.put_nowait((code, reason))

    async def aclose(self) -> None:
        """Send what is left, if the client still takes it."""
        self._messages.put_nowait(None)
        try:
            await asyncio.wait([self._sending], timeout=_FAREWELL)
        finally:
            self._sending.cancel()

    async def _send(self) -> None:
        try:
            while (message := await self._messages.get()) is not None:
                if isinstance(message, tuple):
                    await self._ws.close(code=message[0], message=_fitting(message[1]))
                    return
                self._wire.sent(message)
                await (self._ws.send_bytes(json.dumps(message).encode()) if self.binary else self._ws.send_json(message))
        except ConnectionError:
            logger.info("a realtime client went away")


def _fitting(reason: str) -> bytes:
    """RFC 6455 has room for 123 bytes."""
    encoded = reason.encode()
    return encoded if len(encoded) <= _REASON else encoded[: _REASON - 3].decode(errors="ignore").encode() + "…".encode()


async def serve(request: web.Request, speak: Callable[[Outbox], Dialect]) -> web.WebSocketResponse:
    """Accept and converse until the client leaves, its time is over, or it has broken the protocol too often."""
    ws = await accept(request, LARGEST_MESSAGE)
    wire = request[Wire.KEY] = Wire()
    outbox = Outbox(ws, wire)
    dialect = speak(outbox)
    try:
        async with asyncio.timeout(longest_session()):
            await _converse(ws, dialect, wire)
    except TimeoutError:
        dialect.expire()
    except ConnectionError as error:
        logger.info("%s: the client went away (%s)", request.path, error)
    finally:
        closing = asyncio.create_task(_close(dialect, outbox, ws))
        _CLOSING.add(closing)
        closing.add_done_callback(_CLOSING.discard)
        await asyncio.shield(closing)  # aiohttp cancels the handler of a client that has gone
    return ws


async def _close(dialect: Dialect, outbox: Outbox, ws: web.WebSocketResponse) -> None:
    try:
        await dialect.aclose()
    finally:  # also when the gateway, going down, cancels what closes
        await outbox.aclose()
        await ws.close()


async def _converse(ws: web.WebSocketResponse, dialect: Dialect, wire: Wire) -> None:
    complaints = 0
    try:
        await dialect.start()
        async for raw in ws:
            if raw.type is WSMsgType.ERROR:
                return  # a frame beyond the limit; aiohttp has sent the close code
            wire.received(raw.data)
            try:
                await dialect.receive(raw)
            except ProtocolError as error:
                if error.fatal:
                    raise
                dialect.complain(error)
                complaints += 1
                if complaints >= PATIENCE:
                    return
            except (Closed, ConnectionError):
                raise
            except Exception as error:  # a fault of ours: told like one of the client's, and the session goes on
                logger.exception("a realtime message was not understood")
                dialect.complain(ProtocolError(f"the gateway failed: {error!r}", code=500))
    except ProtocolError as error:
        dialect.complain(error)
    except Closed:
        return
