"""Mistral's Conversations: POST /v1/conversations at its address, streamed or whole.

What `mistralai.LLM` asks by default; it sends the whole conversation each time, and nothing of it is kept here.
(mistralai 2, client/models/conversationrequest.py and conversationevents.py.)
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from lkcook import hosts
from lkcook.engines.completion import Done, Request, Text
from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway import options
from lkcook.gateway.chat import fields, ids
from lkcook.gateway.chat.core import Dialect, Piece, Reply, handler
from lkcook.gateway.chat.messages import Messages
from lkcook.gateway.realtime.items import new_id
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.refusals import openai_type
from lkcook.gateway.socket import ProtocolError

_HEEDED = {"model", "inputs", "instructions", "tools", "completion_args", "stream"}
_SAMPLING = {name: name for name in ("max_tokens", "stop", "response_format", "presence_penalty", "frequency_penalty")}
_ARGUMENTS = {*_SAMPLING.values(), "temperature", "top_p", "random_seed", "tool_choice"}


class Conversation(Dialect):
    """One turn of one."""

    def __init__(self, body: dict[str, Any], request: web.Request) -> None:
        super().__init__(body, request)
        self.asked, self.streams = _asked(body), fields.flag(body.get("stream"), "stream", False)
        more = [f"completion_args.{name}" for name in body.get("completion_args") or () if name not in _ARGUMENTS]
        unheeded = [name for name in body if name not in _HEEDED and body[name] is not None]
        unheeded += more + fields.foreign_tools(body.get("tools"))
        self.notes += map(options.only_the_cloud, unheeded)
        self._id, self._message, self._began = new_id("conv"), new_id("msg"), False

    def check(self) -> None:
        ids.check_openai(self.request, self.model)

    def events(self, piece: Piece, reply: Reply) -> Iterator[dict[str, Any]]:
        if not self._began:
            self._began = True
            yield {"type": "conversation.response.started", "conversation_id": self._id}
        if isinstance(piece, Text):
            yield {"type": "message.output.delta", "id": self._message, "role": "assistant", "content": piece.text}
        elif isinstance(piece, ToolCall):
            yield {"type": "function.call.delta", **_call(piece)}
        else:
            yield {"type": "conversation.response.done", "usage": _usage(piece)}

    def whole(self, reply: Reply) -> dict[str, Any]:
        said = {"type": "message.output", "id": self._message, "role": "assistant", "content": reply.text}
        outputs = [said] if reply.text else []
        outputs += [{"type": "function.call", **_call(call)} for call in reply.calls]
        head = {"object": "conversation.response", "conversation_id": self._id}
        return {**head, "outputs": outputs, "usage": _usage(reply.done)}

    def broken(self, error: ProtocolError) -> dict[str, Any]:
        told = {"message": str(error), "code": error.code, "error_type": openai_type(error.code)}
        return {"type": "conversation.response.error", **told}

    def encode(self, event: dict[str, Any]) -> bytes:
        return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _asked(body: dict[str, Any]) -> Request:
    given = body.get("inputs")
    entries = [{"role": "user", "content": given}] if isinstance(given, str) else fields.objects(given, "inputs")
    messages = Messages()
    for at, entry in enumerate(entries):
        _entry(messages, entry, f"inputs[{at}]")
    told = fields.content(body.get("instructions"), (), "instructions")
    head = [{"role": "system", "content": told}] if told else []
    if not head and not messages:
        raise Rejected("inputs is text, or a list of at least one entry", param="inputs")
    arguments = fields.object_(body.get("completion_args") or {}, "completion_args")
    tools = fields.tools([_flat(tool) for tool in fields.objects(body.get("tools"), "tools")])
    return Request(
        messages=[*head, *messages],
        tools=tools,
        tool_choice=fields.tool_choice(_choice(arguments.get("tool_choice")), tools),
        **fields.sampling(arguments, **_SAMPLING, seed="random_seed"),
    )


def _flat(tool: dict[str, Any]) -> dict[str, Any]:
    if tool.get("type") != "function":
        return tool
    return {**fields.object_(tool.get("function"), "tools.function"), "type": "function"}


def _choice(value: Any) -> Any:
    return "required" if value == "any" else value


def _entry(messages: Messages, entry: dict[str, Any], param: str) -> None:
    kind = entry.get("type", "message.input")
    if kind == "function.call":
        messages.call(entry.get("tool_call_id"), entry.get("name"), entry.get("arguments"), param)
    elif kind == "function.result":
        output = fields.content(entry.get("result"), ["text"], f"{param}.result")
        messages.result(entry.get("tool_call_id"), output, f"{param}.tool_call_id")
    elif kind in ("message.input", "message.output"):
        role = "assistant" if kind == "message.output" or entry.get("role") == "assistant" else "user"
        messages.say(role, fields.content(entry.get("content"), ["text"], f"{param}.content"))
    else:
        known = "message.input, message.output, function.call and function.result"
        raise Rejected(f"an entry of type {str(kind)[:80]!r} is not taken; known are {known}", param=f"{param}.type")


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": new_id("fc"), "tool_call_id": call.id, "name": call.name, "arguments": call.arguments}


def _usage(done: Done) -> dict[str, int]:
    total = done.prompt_tokens + done.completion_tokens
    return {"prompt_tokens": done.prompt_tokens, "completion_tokens": done.completion_tokens, "total_tokens": total}


ROUTES = [web.post(f"{hosts.named('mistral').path}/conversations", handler(Conversation))]
