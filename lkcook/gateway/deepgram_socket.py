"""How Deepgram's sockets write their messages: sound in binary frames, everything else as JSON with a type."""

from __future__ import annotations

from typing import Any

from aiohttp import WSMsgType, web

from lkcook.gateway.socket import Form, ProtocolError, parse


def read(kind: WSMsgType, data: Any) -> bytes | dict[str, Any]:
    """A frame; raises ProtocolError."""
    return data if kind is WSMsgType.BINARY else parse(kind, data)


def _complaint(error: ProtocolError) -> dict[str, Any]:
    return {"type": "Error", "code": str(error.code), "description": str(error), "message": str(error)}


async def _send(ws: web.WebSocketResponse, message: dict[str, Any] | None) -> None:
    """Nothing is said to a client that ends the session."""
    if message is not None:
        await ws.send_json(message)


FORM = Form(read=read, complaint=_complaint, farewell=lambda: None, send=_send)
"""For `socket.serve_messages`."""
