"""What the speech protocols share: messages on a WebSocket, mostly JSON, checked before anybody acts on them."""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiohttp import WSMsgType, web

logger = logging.getLogger("lkcook.gateway")

LARGEST_MESSAGE = 1 << 20  # bytes; 50 ms of audio are about 2 kB
HARD_LIMIT = 4 << 20  # beyond this aiohttp closes with 1009 without reading on
PATIENCE = 20  # malformed messages before the connection is closed


class ProtocolError(Exception):
    """The client broke the protocol. Sent as its error message; `fatal` also closes the connection.

    code: HTTP-like, 400 malformed, 404 unknown model, 503 model not ready.
    """

    def __init__(self, message: str, *, code: int = 400, fatal: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.fatal = fatal


class Closed(Exception):
    """The client asked to end the session."""


@dataclass(frozen=True)
class Form:
    """How a protocol writes its messages.

    read: a frame's type and data → a message, or ProtocolError. complaint, farewell: what goes back for an error, and
    when the client has ended the session. send: puts a message on the wire.
    """

    read: Callable[[WSMsgType, Any], Any]
    complaint: Callable[[ProtocolError], Any]
    farewell: Callable[[], Any]
    send: Callable[[web.WebSocketResponse, Any], Awaitable[None]]


async def accept(request: web.Request, largest: int = HARD_LIMIT) -> web.WebSocketResponse:
    """Open the WebSocket. Without a heartbeat: in the pools of LiveKit's clients nobody reads, nor answers a ping.

    largest: bytes of a message.
    """
    ws = web.WebSocketResponse(max_msg_size=largest)
    await ws.prepare(request)
    return ws


async def serve_messages(
    request: web.Request,
    open_session: Callable[[web.WebSocketResponse], Any],
    handle: Callable[[Any, Any], Awaitable[None]],
    form: Form | None = None,
) -> web.WebSocketResponse:
    """Accept, read messages and hand each to `handle(session, message)`; errors go back, then reading goes on.

    form: None is LiveKit's JSON.
    """
    ws = await accept(request)
    session = open_session(ws)
    try:
        await _converse(ws, session, handle, form or JSON)
    except ConnectionError as error:
        logger.info("%s: the client went away (%s)", request.path, error)
    finally:
        await session.aclose()
        await ws.close()
    return ws


async def _converse(
    ws: web.WebSocketResponse, session: Any, handle: Callable[[Any, Any], Awaitable[None]], form: Form
) -> None:
    """Until the client leaves or says so, or breaks the protocol for good, or often enough."""
    complaints = 0
    async for raw in ws:
        if raw.type is WSMsgType.ERROR:
            return  # a frame beyond the hard limit; aiohttp has sent the close code
        try:
            await handle(session, form.read(raw.type, raw.data))
        except ProtocolError as error:
            complaints += 1
            await form.send(ws, form.complaint(error))
            if error.fatal or complaints >= PATIENCE:
                return
        except Closed:
            await form.send(ws, form.farewell())
            return


def parse(kind: WSMsgType, data: Any, largest: int = LARGEST_MESSAGE) -> dict[str, Any]:
    """One text frame → a JSON object with a `type`; raises ProtocolError otherwise."""
    message = parse_untyped(kind, data, largest)
    if not isinstance(message.get("type"), str):
        raise ProtocolError('a message is a JSON object with a "type"')
    return message


def parse_untyped(kind: WSMsgType, data: Any, largest: int = LARGEST_MESSAGE) -> dict[str, Any]:
    """One text frame → a JSON object; raises ProtocolError otherwise."""
    if kind is not WSMsgType.TEXT:
        raise ProtocolError("messages are JSON text frames, not binary ones")
    check_size(data, largest)
    return json_object(data, "the message")


def check_size(data: Any, largest: int = LARGEST_MESSAGE) -> None:
    """Raises ProtocolError."""
    if len(data) > largest:
        raise ProtocolError(f"the message has {len(data)} bytes; at most {largest} are taken")


JSON = Form(
    read=parse,
    complaint=lambda error: {"type": "error", "code": error.code, "message": str(error)},
    farewell=lambda: {"type": "session.closed"},
    send=web.WebSocketResponse.send_json,
)


def json_object(data: str | bytes, what: str) -> dict[str, Any]:
    """JSON text → an object; raises ProtocolError that says `what` is none."""
    try:
        value = json.loads(data, parse_constant=_no_json)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"{what} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ProtocolError(f"{what} is a JSON object")
    return value


def _no_json(constant: str) -> None:
    """Python reads NaN and Infinity, and would write them back; no other client can read that."""
    raise ValueError(f"{constant} is none")


def base64_bytes(encoded: Any) -> bytes:
    """What `audio` holds; raises ProtocolError."""
    if not isinstance(encoded, str):
        raise ProtocolError('"audio" is base64 text')
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProtocolError(f'"audio" is not base64: {error}') from error


def pcm16(encoded: Any) -> np.ndarray:
    """Base64 of little-endian int16 samples → the samples; raises ProtocolError."""
    return samples_in(base64_bytes(encoded))


def samples_in(raw: bytes) -> np.ndarray:
    """Little-endian int16 samples; raises ProtocolError."""
    if len(raw) % 2:
        raise ProtocolError(f"audio is 16-bit PCM, but {len(raw)} bytes are an odd number")
    return np.frombuffer(raw, "<i2")


def sample_rate(value: Any, default: int) -> int:
    """Accepts numbers and strings, as LiveKit's clients send either; 8 000 to 48 000 Hz."""
    try:
        rate = int(value if value is not None else default)
    except (TypeError, ValueError) as error:
        raise ProtocolError(f"sample_rate {value!r} is not a number", fatal=True) from error
    if not 8_000 <= rate <= 48_000:
        raise ProtocolError(f"sample_rate {rate} is outside 8000 to 48000 Hz", fatal=True)
    return rate


def known_keys(value: Any, name: str) -> dict[str, Any]:
    """`value` as an object; absent means empty."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ProtocolError(f'"{name}" is a JSON object', fatal=True)
    return value
