"""What Anthropic's Messages ask: system, messages of content blocks, tools → the engine's request.

(anthropic 1.17, types/message_create_params.py.) `cache_control` may stand anywhere: the model here keeps what it read.
"""

from __future__ import annotations

from typing import Any

from lkcook.engines.completion import Request
from lkcook.gateway.chat import fields
from lkcook.gateway.chat.messages import Messages
from lkcook.gateway.realtime.rejected import Rejected

_HEEDED = set("model messages system tools tool_choice max_tokens stop_sequences temperature top_p stream".split())
_SILENT = {"thinking", "redacted_thinking"}  # blocks of a model's thoughts, which no other model needs
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def read(body: dict[str, Any], *, counts: bool = False) -> Request:
    """counts: only the prompt matters, so max_tokens is not required. Raises ProtocolError."""
    if not counts and body.get("max_tokens") is None:
        raise Rejected("max_tokens: field required", "missing_required_parameter", param="max_tokens")
    functions = [tool for tool in fields.objects(body.get("tools"), "tools") if not _is_foreign(tool)]
    tools = fields.tools([_flat(tool) for tool in functions])
    return Request(
        messages=_messages(body),
        tools=tools,
        tool_choice=_choice(body.get("tool_choice"), tools),
        **fields.sampling(body, warmest=1.0, stop="stop_sequences", max_tokens="max_tokens"),
    )


def unheeded(body: dict[str, Any]) -> list[str]:
    """The fields, and the tools that Anthropic runs by itself, which change nothing here."""
    foreign = [str(tool["type"]) for tool in body.get("tools") or () if _is_foreign(tool)]
    return [name for name in body if name not in _HEEDED and body[name] is not None] + foreign


def _is_foreign(tool: dict[str, Any]) -> bool:
    return tool.get("type") not in (None, "custom")


def _flat(tool: dict[str, Any]) -> dict[str, Any]:
    named = {"name": tool.get("name"), "parameters": tool.get("input_schema")}
    return {"type": "function", **named, "description": tool.get("description")}


def _choice(value: Any, tools: list[dict[str, Any]]) -> str | dict[str, Any] | None:
    if value is None:
        return None
    kind = fields.object_(value, "tool_choice").get("type")
    if kind == "tool":
        return fields.tool_choice({"type": "function", "name": value.get("name")}, tools)
    if not isinstance(kind, str) or kind not in _CHOICES:
        raise Rejected(f"tool_choice.type {kind!r} is none of auto, any, tool and none", param="tool_choice")
    return fields.tool_choice(_CHOICES[kind], tools)


def _messages(body: dict[str, Any]) -> Messages:
    messages, given = Messages(), fields.objects(body.get("messages"), "messages")
    if not given:
        raise Rejected("messages: at least one message is required", param="messages")
    if system := fields.content(body.get("system"), ["text"], "system"):
        messages.say("system", system)
    for at, message in enumerate(given):
        _message(messages, message, f"messages.{at}")
    if len(messages) == bool(system):
        raise Rejected("messages: at least one has content", param="messages")
    return messages


def _message(messages: Messages, message: dict[str, Any], param: str) -> None:
    role, content = message.get("role"), message.get("content")
    if role not in ("user", "assistant"):
        told = f"{param}: role {role!r} is none of user and assistant; system is a field of its own"
        raise Rejected(told, param=param)
    written = [{"type": "text", "text": content}] if isinstance(content, str) else content
    blocks = fields.objects(written, f"{param}.content")
    words = [block for block in blocks if block.get("type") not in ("tool_use", "tool_result", *_SILENT)]
    text = fields.content(words, ["text"], f"{param}.content")
    for block in blocks:
        if block.get("type") == "tool_result":
            _of(role, "user", block, param)
            messages.result(block.get("tool_use_id"), _result(block, param), f"{param}.tool_use_id")
    if text:
        messages.say(role, text)
    for block in blocks:
        if block.get("type") == "tool_use":
            _of(role, "assistant", block, param)
            messages.call(block.get("id"), block.get("name"), block.get("input"), f"{param}.tool_use")


def _of(role: str, needed: str, block: dict[str, Any], param: str) -> None:
    if role != needed:
        raise Rejected(f"{param}: `{block['type']}` blocks can only be in `{needed}` messages", param=param)


def _result(block: dict[str, Any], param: str) -> str:
    """The model here knows no failed results, so it is told in words."""
    text = fields.content(block.get("content"), ["text"], f"{param}.tool_result.content")
    return f"Error: {text}" if fields.flag(block.get("is_error"), f"{param}.is_error", False) else text
