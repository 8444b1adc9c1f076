"""Bodies of requests: read and checked, or refused in the client's words."""

from __future__ import annotations

import json
from typing import Any

import msgpack
from aiohttp import web

from lkcook.gateway.auth import INFERENCE, OWNER
from lkcook.gateway.failing import quota_headers
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.refusals import refusal
from lkcook.gateway.requests import RequestLog
from lkcook.gateway.socket import ProtocolError, json_object

_PACKED = "application/vnd.msgpack"
_DEEPEST = 100  # of brackets within brackets


def refused(request: web.Request, error: ProtocolError) -> web.Response:
    """In the client's words; LiveKit Inference's also hears how much of its quota is used up."""
    answer = refusal(request, error.code, str(error), **named(error))
    if error.code == 429 and request[INFERENCE]:
        answer.headers.update(quota_headers(request.app[RequestLog.KEY], request[OWNER]))
    return answer


def named(error: ProtocolError) -> dict[str, Any]:
    """What else OpenAI's clients are told of an error: a `code` for programs, and the `param` that is wrong."""
    if error.code == 404:
        return {"code": "model_not_found", "param": "model"}
    return {"code": error.reason, "param": error.param} if isinstance(error, Rejected) else {}


async def read_body(request: web.Request) -> dict[str, Any]:
    """The object that was sent: JSON, or MessagePack, as cerebras.LLM packs it. Raises ProtocolError.

    aiohttp has unpacked what was compressed, up to its largest size.
    """
    try:
        data = await request.read()
        return checked_depth(json_object(_as_json(data) if request.content_type == _PACKED else data, "the body"))
    except web.HTTPRequestEntityTooLarge as error:
        raise ProtocolError(f"the body is larger than {request.client_max_size} bytes", code=413) from error


def _as_json(packed: bytes) -> str:
    try:
        return json.dumps(msgpack.unpackb(packed))
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:  # TypeError: bytes, no text
        raise ProtocolError(f"the body is no MessagePack of JSON's types: {error}") from error


def checked_depth(body: dict[str, Any]) -> dict[str, Any]:
    """The same. Raises ProtocolError for one that nobody could walk through."""
    level: list[Any] = [body]
    for _ in range(_DEEPEST):
        containers = [value for value in level if isinstance(value, dict | list)]
        level = [inner for each in containers for inner in (each.values() if isinstance(each, dict) else each)]
        if not level:
            return body
    raise ProtocolError(f"the body is nested more than {_DEEPEST} levels deep")
