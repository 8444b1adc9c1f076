"""Items of OpenAI's Realtime API: JSON in, `items` out, and back (openai 3.57, types/realtime/conversation_item.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lkcook.gateway.realtime.items import Call, CallOutput, Item, Message, Part, new_id
from lkcook.gateway.realtime.rejected import Rejected

_CONTENT = {"user": ("input_text", "input_audio"), "assistant": ("output_text", "text"), "system": ("input_text",)}
_LONGEST = 20_000  # characters of one text

Transcribe = Callable[[Any], "tuple[float, asyncio.Future[str]]"]


def read(value: Any, transcribe: Transcribe, param: str = "item") -> Item:
    """transcribe: base64 sound → its seconds, and what is said in it, later. Raises Rejected."""
    if not isinstance(value, dict):
        raise Rejected("an item is a JSON object", "invalid_type", param=param)
    item_id = value.get("id") or new_id("item")
    if not isinstance(item_id, str) or len(item_id) > 64:
        raise Rejected("an id is text of at most 64 characters", param=f"{param}.id")
    kind = value.get("type")
    if kind == "message":
        return _message(value, item_id, transcribe, param)
    if kind == "function_call":
        fields = [_text(value, name, param) for name in ("name", "arguments", "call_id")]
        return Call(*fields, id=item_id)
    if kind == "function_call_output":
        return CallOutput(_text(value, "call_id", param), _text(value, "output", param), item_id)
    known = "message, function_call and function_call_output"
    raise Rejected(f"an item of type {kind!r} is not taken; known are {known}", param=f"{param}.type")


def _message(value: dict[str, Any], item_id: str, transcribe: Transcribe, param: str) -> Message:
    role, content = value.get("role"), value.get("content")
    if not isinstance(role, str) or role not in _CONTENT:
        raise Rejected(f"role {role!r} is none of {', '.join(_CONTENT)}", param=f"{param}.role")
    if not isinstance(content, list):
        raise Rejected("content is a list of parts", "invalid_type", param=f"{param}.content")
    return Message(role, [_part(part, role, transcribe, f"{param}.content") for part in content], item_id)


def _part(value: Any, role: str, transcribe: Transcribe, param: str) -> Part:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in _CONTENT[role]:
        told = f"content of type {kind!r} is not taken of {role}; known are {', '.join(_CONTENT[role])}"
        raise Rejected(f"{told}; the model on this machine sees no images" if kind == "input_image" else told, param=param)
    if kind != "input_audio":
        return Part("text", _text(value, "text", param))
    seconds, transcript = transcribe(value.get("audio"))
    return Part("audio", seconds=seconds, transcript=transcript)


def _text(value: dict[str, Any], name: str, param: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise Rejected(f"{name} is text", "invalid_type", param=f"{param}.{name}")
    if len(text) > _LONGEST:
        raise Rejected(f"{name} has {len(text)} characters; at most {_LONGEST} are taken", param=f"{param}.{name}")
    return text


def shown(item: Item) -> dict[str, Any]:
    """As the protocol's events have it."""
    head = {"id": item.id, "object": "realtime.item", "status": item.status}
    if isinstance(item, Message):
        content = [_shown_part(part, item.role) for part in item.parts]
        return {**head, "type": "message", "role": item.role, "content": content}
    if isinstance(item, Call):
        return {**head, "type": "function_call", "name": item.name, "call_id": item.call_id, "arguments": item.arguments}
    return {**head, "type": "function_call_output", "call_id": item.call_id, "output": item.output}


def _shown_part(part: Part, role: str) -> dict[str, Any]:
    way = "output" if role == "assistant" else "input"
    if part.kind == "text":
        return {"type": f"{way}_text", "text": part.text}
    # what the caller said is told by its own events: clients append that to the item
    known = role == "assistant" or (part.transcript is not None and part.transcript.done())
    return {"type": f"{way}_audio", "transcript": part.text if known else None}
