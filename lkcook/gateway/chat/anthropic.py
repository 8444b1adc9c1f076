"""Anthropic's Messages: POST /v1/messages, streamed or whole, and how many tokens a prompt has.

livekit-plugins-anthropic 1.8.9 streams, and takes the tokens of the prompt from message_start alone.

    server  message_start · content_block_start, _delta (text_delta, input_json_delta), _stop · message_delta ·
            message_stop · ping while the prompt is read · error
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from lkcook import plugin_models
from lkcook.engines.completion import Done, ModelRefused, Text
from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway import options
from lkcook.gateway.chat import anthropic_blocks, fields, ids
from lkcook.gateway.chat.bodies import read_body, refused
from lkcook.gateway.chat.core import Dialect, Piece, Reply, handler
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.refusals import anthropic_error
from lkcook.gateway.socket import ProtocolError

_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}


class Message(Dialect):
    """One of them. counts: only the tokens of its prompt are asked for."""

    beat = b'event: ping\ndata: {"type": "ping"}\n\n'

    def __init__(self, body: dict[str, Any], request: web.Request, *, counts: bool = False) -> None:
        if "anthropic-version" not in request.headers:
            raise Rejected("anthropic-version: header is required")
        super().__init__(body, request)
        self.asked = anthropic_blocks.read(body, counts=counts)
        self.streams = fields.flag(body.get("stream"), "stream", False)
        self.notes += map(options.only_the_cloud, anthropic_blocks.unheeded(body))
        self._id, self._blocks, self._speaking = f"msg_{uuid.uuid4().hex[:24]}", 0, False
        self._started, self._held = False, list[ToolCall]()

    def check(self) -> None:
        ids.check(self.model, plugin_models.anthropic())

    def events(self, piece: Piece, reply: Reply) -> Iterator[dict[str, Any]]:
        """A call is held back until Done, which follows at once: message_start says how long the prompt was."""
        if isinstance(piece, ToolCall):
            self._held.append(piece)
            return
        if not self._started:
            self._started = True
            yield {"type": "message_start", "message": self._message([], _usage(piece, 0), None, None)}
        yield from self._text(piece.text) if isinstance(piece, Text) else self._end(piece)

    def _text(self, text: str) -> Iterator[dict[str, Any]]:
        if not self._speaking:
            self._speaking = True
            yield {"type": "content_block_start", "index": self._blocks, "content_block": {"type": "text", "text": ""}}
        yield {"type": "content_block_delta", "index": self._blocks, "delta": {"type": "text_delta", "text": text}}

    def _end(self, done: Done) -> Iterator[dict[str, Any]]:
        if self._speaking:
            yield self._stop()
        for call in self._held:
            yield {"type": "content_block_start", "index": self._blocks, "content_block": _tool_use(call, {})}
            delta = {"type": "input_json_delta", "partial_json": call.arguments}
            yield {"type": "content_block_delta", "index": self._blocks, "delta": delta}
            yield self._stop()
        ending = dict(zip(("stop_reason", "stop_sequence"), _reason(done)))
        yield {"type": "message_delta", "delta": ending, "usage": _usage(done, done.completion_tokens)}
        yield {"type": "message_stop"}

    def _stop(self) -> dict[str, Any]:
        self._blocks += 1
        return {"type": "content_block_stop", "index": self._blocks - 1}

    def whole(self, reply: Reply) -> dict[str, Any]:
        content = [{"type": "text", "text": reply.text}] if reply.text else []
        content += [_tool_use(call, json.loads(call.arguments)) for call in reply.calls]
        return self._message(content, _usage(reply.done, reply.done.completion_tokens), *_reason(reply.done))

    def _message(
        self, content: list[dict[str, Any]], usage: dict[str, int], reason: str | None, sequence: str | None
    ) -> dict[str, Any]:
        head = {"id": self._id, "type": "message", "role": "assistant", "model": self.model}
        return {**head, "content": content, "stop_reason": reason, "stop_sequence": sequence, "usage": usage}

    def broken(self, error: ProtocolError) -> dict[str, Any]:
        return anthropic_error(error.code, str(error))

    def encode(self, event: dict[str, Any]) -> bytes:
        return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _tool_use(call: ToolCall, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments}


def _reason(done: Done) -> tuple[str, str | None]:
    """stop_reason and stop_sequence."""
    return ("stop_sequence", done.stopped_by) if done.stopped_by else (_REASONS[done.reason], None)


def _usage(known: Text | Done, written: int) -> dict[str, int]:
    """Anthropic counts what was read anew apart from what was read before."""
    new, cached = known.prompt_tokens - known.cached_tokens, known.cached_tokens
    cache = {"cache_read_input_tokens": cached, "cache_creation_input_tokens": 0}
    return {"input_tokens": new, "output_tokens": written, **cache}


async def handle_count(request: web.Request) -> web.Response:
    """The route: how many tokens a prompt has, as the model here counts them."""
    exchange = Exchange(request, "language model")
    try:
        asked = Message(await read_body(request), request, counts=True)
        exchange.record(asked.model, asked.body).answered_by = asked.model
        asked.check()
        exchange.refuse_if_failing(asked.model)
        engine = await request.app[Models.KEY].language_model()
        return web.json_response({"input_tokens": await engine.count(asked.asked)})
    except ModelRefused as error:
        return refused(request, ProtocolError(str(error)))
    except ProtocolError as error:
        return refused(request, error)


ROUTES = [
    web.post("/v1/messages", handler(Message)),
    web.post("/v1/messages/count_tokens", handle_count),
]
