"""Amazon Bedrock's Converse: POST /model/{id}/converse-stream for a stream of events, or /converse for a whole reply.

livekit-plugins-aws 1.8.9 streams. The model stands in the path alone. AWS's clients sign the request: gateway/sigv4.py.

    server  messageStart · contentBlockStart (of a toolUse), contentBlockDelta, contentBlockStop · messageStop ·
            metadata · ping while the prompt is read, which no client knows, so that none minds it · …Exception
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
from lkcook.gateway.chat import bedrock_blocks, ids
from lkcook.gateway.chat.bedrock_frames import frame
from lkcook.gateway.chat.core import Dialect, Piece, Reply, handler
from lkcook.gateway.refusals import amazon_headers, amazon_type, refusal
from lkcook.gateway.socket import ProtocolError

_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}


class Conversation(Dialect):
    """One turn of it. An event is an object with one field: its name."""

    media = "application/vnd.amazon.eventstream"
    beat = frame("ping", {})

    def __init__(self, body: dict[str, Any], request: web.Request) -> None:
        super().__init__({**body, "model": request.match_info["model"]}, request)
        self.asked = bedrock_blocks.read(body)
        self.streams = request.path.endswith("/converse-stream")
        self.notes += map(options.only_the_cloud, bedrock_blocks.unheeded(body))
        self.headers = amazon_headers()
        self._started, self._speaking, self._blocks = False, False, 0

    def check(self) -> None:
        ids.check(plugin_models.without_region(self.model), plugin_models.BEDROCK)

    def events(self, piece: Piece, reply: Reply) -> Iterator[dict[str, Any]]:
        if not self._started:
            self._started = True
            yield {"messageStart": {"role": "assistant"}}
        if isinstance(piece, Text):
            self._speaking = True
            yield self._delta({"text": piece.text})
            return
        if self._speaking:
            self._speaking = False
            yield self._stop()
        yield from self._call(piece) if isinstance(piece, ToolCall) else self._end(piece, reply)

    def _call(self, call: ToolCall) -> Iterator[dict[str, Any]]:
        start = {"toolUse": {"toolUseId": call.id, "name": call.name}}
        yield {"contentBlockStart": {"start": start, "contentBlockIndex": self._blocks}}
        yield self._delta({"toolUse": {"input": call.arguments}})
        yield self._stop()

    def _end(self, done: Done, reply: Reply) -> Iterator[dict[str, Any]]:
        yield {"messageStop": {"stopReason": _reason(done)}}
        yield {"metadata": _counted(done, reply)}

    def _delta(self, delta: dict[str, Any]) -> dict[str, Any]:
        return {"contentBlockDelta": {"delta": delta, "contentBlockIndex": self._blocks}}

    def _stop(self) -> dict[str, Any]:
        self._blocks += 1
        return {"contentBlockStop": {"contentBlockIndex": self._blocks - 1}}

    def whole(self, reply: Reply) -> dict[str, Any]:
        content: list[dict[str, Any]] = [{"text": reply.text}] if reply.text or not reply.calls else []
        content += [
            {"toolUse": {"toolUseId": call.id, "name": call.name, "input": json.loads(call.arguments)}}
            for call in reply.calls
        ]
        message = {"role": "assistant", "content": content}
        return {"output": {"message": message}, "stopReason": _reason(reply.done), **_counted(reply.done, reply)}

    def broken(self, error: ProtocolError) -> dict[str, Any]:
        name = amazon_type(error.code)
        return {name[0].lower() + name[1:]: {"message": str(error)}}

    def encode(self, event: dict[str, Any]) -> bytes:
        ((name, payload),) = event.items()
        return frame(name, payload)


def _reason(done: Done) -> str:
    return "stop_sequence" if done.stopped_by else _REASONS[done.reason]


def _counted(done: Done, reply: Reply) -> dict[str, Any]:
    """Amazon counts what was read anew apart from what was read before."""
    usage = {
        "inputTokens": done.prompt_tokens - done.cached_tokens,
        "outputTokens": done.completion_tokens,
        "totalTokens": done.prompt_tokens + done.completion_tokens,
        "cacheReadInputTokens": done.cached_tokens,
        "cacheWriteInputTokens": 0,
    }
    return {"usage": usage, "metrics": {"latencyMs": round(reply.seconds[1] * 1000)}}


async def handle_others(request: web.Request) -> web.Response:
    """The route of what else a model does at Bedrock."""
    told = f"{request.match_info['method']!r} does not run offline; of Bedrock's operations"
    return refusal(request, 404, f"{told} converse and converse-stream do")


_CONVERSE = handler(Conversation)
ROUTES = [
    web.post("/model/{model}/converse", _CONVERSE),
    web.post("/model/{model}/converse-stream", _CONVERSE),
    web.post("/model/{model}/{method}", handle_others),
]
