"""Messages and outputs of functions as GPT-Live's clients write them: JSON in, `items` out."""

from __future__ import annotations

from typing import Any

from lkcook.gateway.realtime.items import CallOutput, Item, Message, Part
from lkcook.gateway.realtime.rejected import Rejected

_LONGEST = 20_000  # characters of one text


def input_item(value: Any, param: str = "item") -> Item:
    """An input item of the Responses API: a function's output, or a message. Raises Rejected for any other."""
    kind = value.get("type", "message") if isinstance(value, dict) else None
    if kind == "function_call_output":
        call_id = value.get("call_id")
        if not isinstance(call_id, str):
            raise Rejected("call_id is text", "invalid_type", param=f"{param}.call_id")
        return CallOutput(call_id, text_of(value.get("output"), f"{param}.output"))
    if kind == "message":
        return message(value, param)
    raise Rejected(f"an item of type {kind!r} is not taken; known are message and function_call_output", param=f"{param}.type")


def message(value: Any, param: str) -> Message:
    """{"role": …, "content": …}, the content text or parts. Raises Rejected."""
    if not isinstance(value, dict) or value.get("type", "message") != "message":
        raise Rejected("a message is a JSON object of type message", "invalid_type", param=param)
    role = {"developer": "system"}.get(str(value.get("role")), value.get("role"))
    if role not in ("system", "user", "assistant"):
        raise Rejected(f"role {role!r} is none of developer, user and assistant", param=f"{param}.role")
    return Message(role, [Part("text", text_of(value.get("content"), f"{param}.content"))])


def text_of(value: Any, param: str) -> str:
    """Text, or a list of parts of text."""
    for part in value if isinstance(value, list) else ():
        if not isinstance(part, dict) or part.get("type") not in ("input_text", "output_text"):
            kind = part.get("type") if isinstance(part, dict) else part
            raise Rejected(f"content of type {kind!r} is not taken; known are input_text and output_text", param=param)
    if isinstance(value, list):
        value = "\n".join(part["text"] for part in value if isinstance(part.get("text"), str))
    if not isinstance(value, str):
        raise Rejected(f"{param} is text, or a list of parts", "invalid_type", param=param)
    if len(value) > _LONGEST:
        raise Rejected(f"{param} has {len(value)} characters; at most {_LONGEST} are taken", param=param)
    return value
