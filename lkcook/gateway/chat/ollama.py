"""Ollama's own API: POST /api/chat and /api/generate, a JSON object a line, and what is asked about models.

    GET /api/tags · POST /api/show · GET /api/version

Ollama asks for no key, this gateway does. Its OpenAI face is /v1/chat/completions, and `openai.LLM.with_ollama` always
sends `Bearer ollama`; but a key in its address goes before that: base_url=os.environ["OLLAMA_BASE_URL"], which is
http://ollama:<key>@127.0.0.1:<port>/v1. Any other client sends the key of this gateway as `Authorization: Bearer`
(Ollama's own does so with OLLAMA_API_KEY).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from lkcook.engines.completion import Done, Request, Text
from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway import options
from lkcook.gateway.chat import fields, ollama_fields, ollama_models
from lkcook.gateway.chat.core import Dialect, Piece, Reply, handler
from lkcook.gateway.refusals import ollama_error
from lkcook.gateway.socket import ProtocolError

_NS = 1_000_000_000


class _Lines(Dialect):
    """What both have in common. read: a body → the engine's request."""

    read: Callable[[dict[str, Any]], Request]
    media = "application/x-ndjson"

    def __init__(self, body: dict[str, Any], request: web.Request) -> None:
        super().__init__(body, request)
        self.asked, self.streams = self.read(body), fields.flag(body.get("stream"), "stream", True)
        self.notes += map(options.only_ollama, ollama_fields.unheeded(body))
        self.beat = self.encode(self._line(self._said("")))

    def check(self) -> None:
        ollama_models.check(self.model)

    def events(self, piece: Piece, reply: Reply) -> Iterator[dict[str, Any]]:
        if isinstance(piece, Done):
            yield self._line(self._said(""), reply)
        else:
            yield self._line(self._said(piece.text) if isinstance(piece, Text) else self._said("", piece))

    def whole(self, reply: Reply) -> dict[str, Any]:
        return self._line(self._said(reply.text, *reply.calls), reply)

    def broken(self, error: ProtocolError) -> dict[str, Any]:
        return ollama_error(str(error))

    def encode(self, event: dict[str, Any]) -> bytes:
        return json.dumps(event).encode() + b"\n"

    def _said(self, text: str, *calls: ToolCall) -> dict[str, Any]:
        raise NotImplementedError

    def _line(self, said: dict[str, Any], ended: Reply | None = None) -> dict[str, Any]:
        head = {"model": self.model, "created_at": datetime.now(UTC).isoformat().replace("+00:00", "Z")}
        return {**head, **said, "done": ended is not None, **(_counts(ended) if ended else {})}


class Chat(_Lines):
    """POST /api/chat."""

    read = staticmethod(ollama_fields.chat)

    def _said(self, text: str, *calls: ToolCall) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if calls:
            message["tool_calls"] = [_shown(call) for call in calls]
        return {"message": message}


class Generate(_Lines):
    """POST /api/generate."""

    read = staticmethod(ollama_fields.generate)

    def _said(self, text: str, *_: ToolCall) -> dict[str, Any]:
        return {"response": text}


def _shown(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "function": {"name": call.name, "arguments": json.loads(call.arguments)}}


def _counts(reply: Reply) -> dict[str, Any]:
    """Times are nanoseconds. The model is always loaded; what waited for its turn counts as reading."""
    done, (first, whole) = reply.done, reply.seconds
    return {
        "done_reason": "length" if done.reason == "length" else "stop",
        "total_duration": int(whole * _NS),
        "load_duration": 0,
        "prompt_eval_count": done.prompt_tokens,
        "prompt_eval_duration": int(first * _NS),
        "eval_count": done.completion_tokens,
        "eval_duration": int((whole - first) * _NS),
    }


ROUTES = [web.post("/api/chat", handler(Chat)), web.post("/api/generate", handler(Generate)), *ollama_models.ROUTES]
