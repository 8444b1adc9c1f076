"""What Bedrock's Converse asks: system, messages of content blocks, toolConfig, inferenceConfig → the engine's request.

(botocore 1.43, data/bedrock-runtime/2023-09-30/service-2.json.) A block is an object with one field, which says what it
is. `cachePoint` may stand anywhere: the model here keeps what it read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from lkcook.engines.completion import Request
from lkcook.gateway.chat import fields
from lkcook.gateway.chat.messages import Messages
from lkcook.gateway.realtime.rejected import Rejected

_HEEDED = {"messages", "system", "toolConfig", "inferenceConfig"}
_SILENT = {"cachePoint", "reasoningContent"}  # the latter: a model's thoughts, which no other model needs
_SAMPLING = {"top_p": "topP", "max_tokens": "maxTokens", "stop": "stopSequences"}
_CHOICES = {"auto": "auto", "any": "required"}
Block = tuple[str, Any]  # what it is, and its content


def read(body: dict[str, Any]) -> Request:
    """Raises ProtocolError."""
    config = _optional(body, "toolConfig")
    tools = fields.tools([_flat(*tool) for tool in _tools(config) if tool[0] == "toolSpec"], "toolConfig.tools")
    return Request(
        messages=_messages(body),
        tools=tools,
        tool_choice=_choice(config.get("toolChoice"), tools),
        **fields.sampling(_optional(body, "inferenceConfig"), **_SAMPLING),
    )


def unheeded(body: dict[str, Any]) -> list[str]:
    """The fields, and the tools that Amazon runs by itself, which change nothing here."""
    foreign = [kind for kind, _ in _tools(_optional(body, "toolConfig")) if kind != "toolSpec"]
    return [name for name in body if name not in _HEEDED and body[name]] + foreign


def _optional(body: dict[str, Any], name: str) -> dict[str, Any]:
    return fields.object_(body.get(name) or {}, name)


def _blocks(value: Any, param: str) -> list[Block]:
    blocks = [_block(each, f"{param}.{at}") for at, each in enumerate(fields.objects(value, param))]
    return [block for block in blocks if block[0] not in _SILENT]


def _block(value: Any, param: str) -> Block:
    if len(fields.object_(value, param)) != 1:
        raise Rejected(f"{param} is an object with exactly one field, which says what it is", param=param)
    return next(iter(value.items()))


def _tools(config: dict[str, Any]) -> list[Block]:
    return _blocks(config.get("tools"), "toolConfig.tools")


def _flat(_: str, value: Any) -> dict[str, Any]:
    spec = fields.object_(value, "toolSpec")
    schema = fields.object_(spec.get("inputSchema"), "toolSpec.inputSchema").get("json")
    return {"type": "function", "name": spec.get("name"), "description": spec.get("description"), "parameters": schema}


def _choice(value: Any, tools: list[dict[str, Any]]) -> str | dict[str, Any] | None:
    if value is None:
        return None
    kind, content = _block(value, "toolConfig.toolChoice")
    if kind == "tool":
        named = fields.object_(content, "toolConfig.toolChoice.tool").get("name")
        return fields.tool_choice({"type": "function", "name": named}, tools)
    if kind not in _CHOICES:
        raise Rejected(f"toolConfig.toolChoice {kind!r} is none of auto, any and tool", param="toolConfig.toolChoice")
    return fields.tool_choice(_CHOICES[kind], tools)


def _messages(body: dict[str, Any]) -> Messages:
    messages, given = Messages(), fields.objects(body.get("messages"), "messages")
    if not given or given[0].get("role") != "user":
        raise Rejected("A conversation must start with a user message", param="messages")
    if system := _text(_blocks(body.get("system"), "system"), "system"):
        messages.say("system", system)
    for at, message in enumerate(given):
        _message(messages, message, f"messages.{at}")
    return messages


def _message(messages: Messages, message: dict[str, Any], param: str) -> None:
    """Texts beside each other are one message."""
    role = message.get("role")
    if role not in ("user", "assistant"):
        raise Rejected(f"{param}.role {role!r} is none of user and assistant", param=param)
    blocks = _blocks(message.get("content"), f"{param}.content")
    for kind, group in groupby(blocks, key=lambda block: block[0]):
        if kind == "toolUse" and role == "assistant":
            for _, use in group:
                use = fields.object_(use, f"{param}.toolUse")
                messages.call(use.get("toolUseId"), use.get("name"), use.get("input"), f"{param}.toolUse")
        elif kind == "toolResult" and role == "user":
            for _, result in group:
                result = fields.object_(result, f"{param}.toolResult")
                messages.result(result.get("toolUseId"), _result(result, param), f"{param}.toolResult")
        elif text := _text(group, f"{param}.content"):
            messages.say(role, text)
        else:
            raise Rejected(f"The text field in {param}.content is blank", param=param)


def _result(result: dict[str, Any], param: str) -> str:
    """The model here knows no failed results, so it is told in words."""
    where = f"{param}.toolResult.content"
    blocks = _blocks(result.get("content"), where)
    text = _text([("text", json.dumps(value)) if kind == "json" else (kind, value) for kind, value in blocks], where)
    return f"Error: {text}" if result.get("status") == "error" else text


def _text(blocks: Iterable[Block], param: str) -> str:
    """This machine's model reads nothing else."""
    parts = [{"type": kind, "text": value} for kind, value in blocks]
    if any(part["type"] == "text" and not isinstance(part["text"], str) for part in parts):
        raise Rejected(f"{param}.text is text", "invalid_type", param=param)
    return fields.content(parts, ["text"], param)
