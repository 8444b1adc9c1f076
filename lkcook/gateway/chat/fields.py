"""Fields of chat protocols, each read and checked. What several share is here once, whatever they call it.

Every function raises ProtocolError that names the parameter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from lkcook.gateway.realtime import openai_fields
from lkcook.gateway.realtime.openai_fields import foreign_tools, number, object_
from lkcook.gateway.realtime.rejected import Rejected

__all__ = ["foreign_tools", "number", "object_"]
LONGEST_REPLY = 512  # tokens, unless the client says otherwise: the model here has a context of 4096
_MOST_TOKENS = 1 << 20


def text(value: Any, param: str) -> str:
    """Text that says something."""
    if not isinstance(value, str) or not value:
        raise Rejected(f"{param} is text, and it is required", "missing_required_parameter", param=param)
    return value


def flag(value: Any, param: str, default: bool) -> bool:
    """true or false; null is the default."""
    if value is None:
        return default
    if not isinstance(value, bool):
        raise Rejected(f"{param} is true or false, not {value!r}", "invalid_type", param=param)
    return value


def objects(value: Any, param: str) -> list[dict[str, Any]]:
    """A list of objects; null is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise Rejected(f"{param} is a list of objects", "invalid_type", param=param)
    return value


def count(value: Any, param: str) -> int:
    """A whole number of tokens, at least one."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST_TOKENS:
        raise Rejected(f"{param} is a whole number, at least 1, not {value!r}", param=param)
    return value


def stops(value: Any, param: str) -> list[str]:
    """One text, or a list of them."""
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(stop, str) for stop in found):
        raise Rejected(f"{param} is a text, or a list of texts", "invalid_type", param=param)
    return [stop for stop in found if stop]


def seed(value: Any, param: str) -> int:
    """Any whole number; llama.cpp's have 32 bits."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Rejected(f"{param} is a whole number, not {value!r}", "invalid_type", param=param)
    return value % (1 << 32)


def response_format(value: Any, param: str) -> dict[str, Any]:
    """As chat completions have it: text, json_object, or json_schema with its schema."""
    kind, known = object_(value, param).get("type"), ("text", "json_object", "json_schema")
    if not isinstance(kind, str) or kind not in known:
        raise Rejected(f"{param}.type {kind!r} is none of {', '.join(known)}", param=f"{param}.type")
    if kind == "json_schema":
        object_(object_(value.get(kind), f"{param}.{kind}").get("schema", {}), f"{param}.{kind}.schema")
    return value


_SAMPLING = {
    "temperature": lambda value, param: number(value, param, 0.0, 2.0),
    "top_p": lambda value, param: number(value, param, 0.0, 1.0),
    "presence_penalty": lambda value, param: number(value, param, -2.0, 2.0),
    "frequency_penalty": lambda value, param: number(value, param, -2.0, 2.0),
    "seed": seed,
    "stop": stops,
    "max_tokens": count,
    "response_format": response_format,
}


def only(body: dict[str, Any], **possible: Any) -> None:
    """Fields that change the shape of a reply, and have one value here: a client that got another shape would break."""
    for name, value in possible.items():
        if body.get(name) not in (None, value):
            raise Rejected(f"{name} is {json.dumps(value)} here, not {body[name]!r}", param=name)


def sampling(body: dict[str, Any], *, warmest: float = 2.0, **names: str) -> dict[str, Any]:
    """Fields of `completion.Request`: what the protocol calls each, where it says something. Null is the default.

    warmest: the highest temperature of the protocol.
    """
    named = {name: name for name in ("temperature", "top_p")} | names
    said = {name: called for name, called in named.items() if body.get(called) is not None}
    if "temperature" in said:
        number(body["temperature"], "temperature", 0.0, warmest)
    return {name: _SAMPLING[name](body[called], called) for name, called in said.items()}


def content(value: Any, kinds: Iterable[str], param: str) -> str:
    """Text, or parts of text: this machine's model reads nothing else. kinds: what the protocol calls such parts."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    kinds = tuple(kinds)
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise Rejected(f"{param} is text or a list of parts", "invalid_type", param=param)
    if wrong := [part.get("type") for part in value if part.get("type") not in kinds]:
        told = f"{param} is text or a list of text parts, not {wrong[0]!r}; images and audio are not read here"
        raise Rejected(told, param=param)
    return "\n".join(str(part.get("text") or "") for part in value)


def tools(flat: list[dict[str, Any]], param: str = "tools") -> list[dict[str, Any]]:
    """{"type": "function", "name", "description", "parameters"}, as OpenAI's Responses have it → the engine's shape."""
    read = list(openai_fields.tools(flat, param))
    for tool in read:
        schema = tool["function"].get("parameters") or {}
        required = schema.get("required", [])
        if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
            raise Rejected(f"required of {tool['function']['name']} is a list of names", "invalid_type", param=param)
        object_(schema.get("$defs", {}), f"{param}.parameters.$defs")
    return read


def tool_choice(value: Any, tools: list[dict[str, Any]]) -> str | dict[str, Any] | None:
    """"auto", "none", "required" or {"type": "function", "name"}, one of `tools` → the engine's shape."""
    param = "tool_choice"
    choice = openai_fields.tool_choice(value, param)
    names = [tool["function"]["name"] for tool in tools]
    if choice == "required" and not names:
        raise Rejected(f"{param} is {value!r}, but there are no tools", param=param)
    if isinstance(choice, dict) and choice["function"]["name"] not in names:
        raise Rejected(f"{param} is {choice['function']['name']!r}, which is none of the tools", param=param)
    return choice


def arguments(value: Any, param: str) -> str:
    """Of a call, as a JSON object or its text → the text."""
    try:
        found = json.loads(value or "{}") if isinstance(value, str) else value
    except (ValueError, RecursionError) as error:
        raise Rejected(f"{param} is no JSON: {error}", param=param) from error
    if not isinstance(found, dict):
        raise Rejected(f"{param} is a JSON object", "invalid_type", param=param)
    return value if isinstance(value, str) and value else json.dumps(found)
