"""OpenAI's chat completions: POST /v1/chat/completions, streamed or whole.

LiveKit Inference's client (livekit-agents 1.8.9, inference/llm.py), OpenAI's, and through it Ollama's, ask with
`stream` and `stream_options.include_usage`. Other providers' clients have addresses of their own (`lkcook.hosts`).
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from lkcook import hosts
from lkcook.engines.completion import Done, Request, Text
from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway import options
from lkcook.gateway.auth import INFERENCE
from lkcook.gateway.chat import fields, ids
from lkcook.gateway.chat.bodies import named
from lkcook.gateway.chat.core import Dialect, Piece, Reply, handler
from lkcook.gateway.chat.messages import shown
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.refusals import openai_error, openai_type
from lkcook.gateway.socket import ProtocolError

_ROLES = {"system", "developer", "user", "assistant", "tool"}
_SAMPLING = {name: name for name in ("seed", "stop", "response_format", "presence_penalty", "frequency_penalty")}
# LiveKit's client sends provider= and inference_class= as headers
_HEADERS = {"x-livekit-inference-provider": "provider", "x-livekit-inference-priority": "inference_class"}


class Completions(Dialect):
    """One of them."""

    farewell = b"data: [DONE]\n\n"

    def __init__(self, body: dict[str, Any], request: web.Request) -> None:
        super().__init__(body, request)
        host = hosts.of_path(request.path)
        body = {host.renamed.get(name, name): value for name, value in body.items()} if host else body
        self.asked, self.streams = _asked(body), fields.flag(body.get("stream"), "stream", False)
        self._usage = bool(_object(body, "stream_options").get("include_usage")) or bool(host and host.counts)
        provider = f"{host.name}/" if host else "" if request[INFERENCE] else "openai/"
        self.notes += options.unheeded("llm", provider + self.model, body)
        self.notes += [options.only_the_cloud(name) for header, name in _HEADERS.items() if header in request.headers]
        self._head = {"id": f"chatcmpl-{uuid.uuid4().hex[:24]}", "created": int(time.time()), "model": self.model}
        self._began = False

    def check(self) -> None:
        ids.check_openai(self.request, self.model)

    def events(self, piece: Piece, reply: Reply) -> Iterator[dict[str, Any]]:
        if not self._began:
            self._began = True
            yield self._chunk({"role": "assistant", "content": ""})  # once: OpenAI's client adds texts to each other
        if isinstance(piece, Text):
            yield self._chunk({"content": piece.text})
        elif isinstance(piece, ToolCall):
            yield self._chunk({"tool_calls": [{"index": len(reply.calls) - 1, **shown(piece)}]})
        else:
            yield self._chunk({}, piece.reason)
            if self._usage:
                yield {**self._chunk({}), "choices": [], "usage": _usage(piece)}

    def whole(self, reply: Reply) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
        if reply.calls:
            message["tool_calls"] = [shown(call) for call in reply.calls]
        choice = {"index": 0, "message": message, "finish_reason": reply.done.reason}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": _usage(reply.done)}

    def broken(self, error: ProtocolError) -> dict[str, Any]:
        return openai_error(str(error), openai_type(error.code), **named(error))

    def encode(self, event: dict[str, Any]) -> bytes:
        return b"data: " + json.dumps(event).encode() + b"\n\n"

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice]}


def _asked(body: dict[str, Any]) -> Request:
    fields.only(body, n=1, logprobs=False, modalities=["text"])
    messages = fields.objects(body.get("messages"), "messages")
    if not messages:
        raise Rejected('"messages" is a list with at least one message', param="messages")
    tools = fields.objects(body.get("tools"), "tools")
    if not all(isinstance(tool.get("function"), dict) for tool in tools):
        raise Rejected('"tools" is a list of {"type": "function", "function": {...}}', param="tools")
    flat = fields.tools([{**tool["function"], "type": "function"} for tool in tools])
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        choice = {"type": choice.get("type"), **_object(choice, "function")}
    most = "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
    return Request(
        messages=[_message(message, f"messages[{at}]") for at, message in enumerate(messages)],
        tools=tools,  # as they came: to a small model every word of a prompt matters
        tool_choice=fields.tool_choice(choice, flat),
        **fields.sampling(body, max_tokens=most, **_SAMPLING),
    )


def _message(message: dict[str, Any], param: str) -> dict[str, Any]:
    role = message.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise Rejected(f'a message has a "role", one of {", ".join(sorted(_ROLES))}', param=f"{param}.role")
    text = fields.content(message.get("content"), ["text"], f"{param}.content")
    read = {**message, "role": "system" if role == "developer" else role, "content": text}
    calls = fields.objects(read.pop("tool_calls", None), f"{param}.tool_calls")
    return {**read, "tool_calls": [_call(call, f"{param}.tool_calls") for call in calls]} if calls else read


def _call(call: dict[str, Any], param: str) -> dict[str, Any]:
    function = _object(call, "function")
    fields.text(function.get("name"), f"{param}.function.name")
    arguments = fields.arguments(function.get("arguments"), f"{param}.function.arguments")
    return {**call, "function": {**function, "arguments": arguments}}


def _object(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    return {} if value is None else fields.object_(value, name)


def _usage(done: Done) -> dict[str, Any]:
    return {
        "prompt_tokens": done.prompt_tokens,
        "completion_tokens": done.completion_tokens,
        "total_tokens": done.prompt_tokens + done.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": done.cached_tokens},
    }


_PATHS = ["/v1/chat/completions", *(f"{host.path}{host.chat}" for host in hosts.HOSTS)]
ROUTES = [web.post(path, handler(Completions)) for path in _PATHS]
