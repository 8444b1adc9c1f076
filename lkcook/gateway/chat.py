"""LiveKit Inference language models: POST /v1/chat/completions, in OpenAI's shapes, streamed or whole.

livekit-agents 1.8.9 (inference/llm.py) asks with `stream` and `stream_options.include_usage`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from aiohttp import web

from lkcook import catalog
from lkcook.engines.completion import Done, ModelRefused, Request, Text
from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway import options
from lkcook.gateway.auth import OWNER, error_response
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.failing import quota_headers, why
from lkcook.gateway.models import Models
from lkcook.gateway.requests import Record, RequestLog
from lkcook.gateway.socket import ProtocolError

logger = logging.getLogger("lkcook.gateway")

_ROLES = {"system", "developer", "user", "assistant", "tool"}
_KEEPALIVE = 2.0  # seconds; LiveKit's client gives up after 10 s without a byte, a cold prompt may take longer
_SAMPLING = ("top_p", "seed", "stop", "response_format", "presence_penalty", "frequency_penalty", "tool_choice")


async def handle_chat(request: web.Request) -> web.StreamResponse:
    """The route."""
    models, exchange = request.app[Models.KEY], Exchange(request, "language model")
    try:
        body = await request.json()
    except ValueError as error:
        return error_response(400, f"the body is not JSON: {error}", "invalid_request_error")
    try:
        asked = read_request(body)
        record = exchange.record(body.get("model"), body)
        record.notes += options.unheeded("llm", str(body.get("model")), body) + _header_notes(record)
        models.check("llm", body.get("model"))
        if status := exchange.fails(body["model"]):
            return _failed(exchange, body["model"], status)
        engine = await models.language_model()
    except ProtocolError as error:
        code = "model_not_found" if error.code == 404 else None
        return error_response(error.code, str(error), "invalid_request_error", code)
    record.answered_by = body["model"]
    reply = _Reply(body["model"], bool((body.get("stream_options") or {}).get("include_usage")))
    async with aclosing(engine.chat(asked)) as pieces:
        try:
            if body.get("stream"):
                return await _stream(request, reply, pieces)
            return await _whole(reply, pieces)
        except ModelRefused as refused:
            return error_response(400, str(refused), "invalid_request_error", "context_length_exceeded")
        finally:
            record.tokens = reply.tokens
            models.remember(asked, reply.text)


def _failed(exchange: Exchange, model: str, status: int) -> web.Response:
    response = error_response(status, why(model, status), "rate_limit_error" if status == 429 else "server_error")
    if status == 429:
        response.headers.update(quota_headers(exchange.request.app[RequestLog.KEY], exchange.request[OWNER]))
    return response


def _header_notes(record: Record) -> list[str]:
    """LiveKit's client sends provider= and inference_class= as headers."""
    names = {"x-livekit-inference-provider": "provider", "x-livekit-inference-priority": "inference_class"}
    return [options.only_the_cloud(name) for header, name in names.items() if header in record.headers]


async def handle_models(request: web.Request) -> web.Response:
    """GET /v1/models: every id the gateway answers to."""
    data = [
        {"id": model, "object": "model", "created": 0, "owned_by": model.partition("/")[0], "kind": kind}
        for kind in ("llm", "stt", "tts", "realtime")
        for model in catalog.ids(kind)
    ]
    return web.json_response({"object": "list", "data": data})


def read_request(body: Any) -> Request:
    """The JSON body → the engine's request; raises ProtocolError naming the field that is wrong."""
    if not isinstance(body, dict):
        raise ProtocolError("the body is a JSON object")
    if not isinstance(body.get("messages"), list) or not body["messages"]:
        raise ProtocolError('"messages" is a list with at least one message')
    if not all(isinstance(tool, dict) and "function" in tool for tool in body.get("tools") or ()):
        raise ProtocolError('"tools" is a list of {"type": "function", "function": {...}}')
    return Request(
        messages=[_message(message) for message in body["messages"]],
        tools=body.get("tools") or [],
        temperature=body["temperature"] if body.get("temperature") is not None else 0.0,
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens") or 512,
        **{name: body[name] for name in _SAMPLING if body.get(name) is not None},
    )


def _message(message: Any) -> dict[str, Any]:
    if not isinstance(message, dict) or message.get("role") not in _ROLES:
        raise ProtocolError(f'a message has a "role", one of {", ".join(sorted(_ROLES))}')
    role = "system" if message["role"] == "developer" else message["role"]
    return {**message, "role": role, "content": _text(message.get("content"))}


def _text(content: Any) -> str:
    """Content is text, or a list of text parts; this machine's model reads nothing else."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(p, dict) and p.get("type") == "text" for p in content):
        return "\n".join(str(part.get("text", "")) for part in content)
    raise ProtocolError("message content is text or a list of text parts; images and audio are not read here")


class _Reply:
    """Pieces of the engine → OpenAI's chunks; `text` grows with what was said."""

    def __init__(self, model: str, usage: bool) -> None:
        self.text = ""
        self.tokens = 0
        self._began = time.monotonic()
        self._first: float | None = None
        self._usage = usage
        self._calls = 0
        self._head = {
            "id": f"chatcmpl-{uuid.uuid4().hex[:24]}",
            "created": int(time.time()),
            "model": model,
        }

    def chunks(self, piece: Text | ToolCall | Done) -> list[dict[str, Any]]:
        self._first = self._first or time.monotonic()
        if isinstance(piece, Text):
            self.text += piece.text
            return [self._chunk({"role": "assistant", "content": piece.text})]
        if isinstance(piece, ToolCall):
            call = {"index": self._calls, **_call(piece)}
            self._calls += 1
            return [self._chunk({"role": "assistant", "tool_calls": [call]})]
        logger.info(
            "chat: %d prompt tokens, %d of them warm; first token after %.2f s, %d tokens after %.2f s",
            piece.prompt_tokens,
            piece.cached_tokens,
            self._first - self._began,
            piece.completion_tokens,
            time.monotonic() - self._began,
        )
        self.tokens = piece.prompt_tokens + piece.completion_tokens
        last = [self._chunk({}, piece.reason)]
        if self._usage:
            last.append({**self._chunk({}), "choices": [], "usage": _usage(piece)})
        return last

    def whole(self, calls: list[ToolCall], done: Done) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": self.text or None}
        if calls:
            message["tool_calls"] = [_call(call) for call in calls]
        choice = {"index": 0, "message": message, "finish_reason": done.reason}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": _usage(done)}

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice]}


async def _stream(
    request: web.Request, reply: _Reply, pieces: AsyncIterator[Text | ToolCall | Done]
) -> web.StreamResponse:
    """Server-sent events. Nothing is sent before the first piece, so a refusal is still a plain 400."""
    first = asyncio.ensure_future(anext(pieces))
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    try:
        while not (await asyncio.wait([first], timeout=_KEEPALIVE))[0]:
            if not response.prepared:
                await response.prepare(request)
            await response.write(b": reading the prompt\n\n")
        piece = first.result()
    finally:
        if not first.done():
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
    if not response.prepared:
        await response.prepare(request)
    for chunk in reply.chunks(piece):
        await _event(response, chunk)
    async for piece in pieces:
        for chunk in reply.chunks(piece):
            await _event(response, chunk)
    await response.write(b"data: [DONE]\n\n")
    return response


async def _whole(reply: _Reply, pieces: AsyncIterator[Text | ToolCall | Done]) -> web.Response:
    calls: list[ToolCall] = []
    done = Done("stop", 0, 0, 0)
    async for piece in pieces:
        reply.chunks(piece)
        if isinstance(piece, ToolCall):
            calls.append(piece)
        elif isinstance(piece, Done):
            done = piece
    return web.json_response(reply.whole(calls, done))


async def _event(response: web.StreamResponse, chunk: dict[str, Any]) -> None:
    await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")


def _call(call: ToolCall) -> dict[str, Any]:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }


def _usage(done: Done) -> dict[str, Any]:
    return {
        "prompt_tokens": done.prompt_tokens,
        "completion_tokens": done.completion_tokens,
        "total_tokens": done.prompt_tokens + done.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": done.cached_tokens},
    }
