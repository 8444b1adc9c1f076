"""Gemini's generateContent: POST /v1/models/{model}:generateContent, or :streamGenerateContent for a stream of events.

google-genai 3.6, and so livekit-plugins-google 1.8.9, asks /v1; older ones ask /v1beta. The model stands in the path
alone. An event is a GenerateContentResponse; nothing marks the last one but its finishReason. Google's client reads no
comments in a stream, so a response without candidates says that the prompt is being read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from lkcook import plugin_models
from lkcook.engines.completion import Done, Text
from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway import options
from lkcook.gateway.chat import gemini_contents, ids
from lkcook.gateway.chat.core import Dialect, Piece, Reply, handler
from lkcook.gateway.realtime.items import new_id
from lkcook.gateway.refusals import google_error
from lkcook.gateway.socket import ProtocolError

_REASONS = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP"}


class Content(Dialect):
    """One of them."""

    def __init__(self, body: dict[str, Any], request: web.Request) -> None:
        super().__init__({**body, "model": request.match_info["model"]}, request)
        self.asked, unheeded = gemini_contents.read(body)
        self.streams = request.path.endswith(":streamGenerateContent")
        self.notes += [*map(options.only_the_cloud, unheeded), *gemini_contents.tool_notes(body)]
        self._head = {"modelVersion": self.model, "responseId": new_id("resp")}
        self.beat = self.encode(self._head)

    def check(self) -> None:
        ids.check(self.model, plugin_models.gemini())

    def events(self, piece: Piece, reply: Reply) -> Iterator[dict[str, Any]]:
        if isinstance(piece, Done):
            yield self._response([{"text": ""}], piece)
        else:
            yield self._response([_part(piece)])

    def whole(self, reply: Reply) -> dict[str, Any]:
        said = [{"text": reply.text}] if reply.text or not reply.calls else []
        return self._response([*said, *map(_part, reply.calls)], reply.done)

    def broken(self, error: ProtocolError) -> dict[str, Any]:
        return google_error(error.code, str(error))

    def encode(self, event: dict[str, Any]) -> bytes:
        return b"data: " + json.dumps(event).encode() + b"\n\n"

    def _response(self, parts: list[dict[str, Any]], done: Done | None = None) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if done is None:
            return {"candidates": [candidate], **self._head}
        ended = {**candidate, "finishReason": _REASONS[done.reason]}
        return {"candidates": [ended], "usageMetadata": _usage(done), **self._head}


def _part(piece: Text | ToolCall) -> dict[str, Any]:
    if isinstance(piece, Text):
        return {"text": piece.text}
    return {"functionCall": {"id": piece.id, "name": piece.name, "args": json.loads(piece.arguments)}}


def _usage(done: Done) -> dict[str, int]:
    return {
        "promptTokenCount": done.prompt_tokens,
        "cachedContentTokenCount": done.cached_tokens,
        "candidatesTokenCount": done.completion_tokens,
        "totalTokenCount": done.prompt_tokens + done.completion_tokens,
    }


ROUTES = [
    web.post(f"/{version}/models/{{model}}:{method}", handler(Content))
    for version in ("v1", "v1beta", "v1alpha")
    for method in ("generateContent", "streamGenerateContent")
]
