"""Tool calls as small models write them, read into real ones.

llama.cpp renders `tools` through the model's own template but leaves the reply as text. Qwen-Coder answers
with bare JSON, with one brace too many, in a ```json fence or between <tool_call> tags.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Any

_OPENINGS = ("{", "[", "```", "<")
_BEGUN = re.compile(r"""(?:```(?:json)?|<\w+>|[\[{\s])*["']name["']\s*:""")  # a call, readable or not


@dataclass(frozen=True)
class ToolCall:
    """`arguments` is a JSON object in text form, as OpenAI's API has it."""

    name: str
    arguments: str
    id: str = field(default_factory=lambda: f"call_{uuid.uuid4().hex[:24]}")


def looks_like_a_call(text: str) -> bool:
    """True for text that opens as calls do, with code or markup, which nobody would say; and while it is too short."""
    text = text.lstrip()
    return any(text.startswith(opening) or opening.startswith(text) for opening in _OPENINGS)


def parse(text: str, tools: list[dict[str, Any]]) -> list[ToolCall] | None:
    """The calls in `text`; [] when it means a call that does not fit `tools`; None when it is no call at all."""
    wanted = [entry for entry in _objects(text) if "name" in entry] or _written_as_code(text, tools)
    if not wanted:
        return [] if _BEGUN.match(text) else None
    parameters = {t["function"]["name"]: t["function"].get("parameters") or {} for t in tools}
    calls = []
    for entry in wanted:
        name, arguments = entry["name"], entry.get("arguments", entry.get("parameters", {}))
        if not isinstance(name, str) or name not in parameters or not isinstance(arguments, dict):
            return []
        if set(parameters[name].get("required", ())) - set(arguments):
            return []
        calls.append(ToolCall(name, json.dumps(arguments)))
    return calls


def repeats(calls: list[ToolCall], messages: list[dict[str, Any]]) -> bool:
    """True when every one of `calls` was already made, and answered, since the user last spoke."""
    made: list[tuple[str, Any]] = []
    for message in reversed(messages):
        if message["role"] == "user":
            break
        for call in message.get("tool_calls") or ():
            made.append((call["function"]["name"], json.loads(call["function"]["arguments"] or "{}")))
    return all((call.name, json.loads(call.arguments)) in made for call in calls)


def _objects(text: str) -> list[dict[str, Any]]:
    """Every JSON object at the top level of `text`, whatever stands around it."""
    text = text.replace("{{", "{", 1) if text.lstrip("`json\n <tool_call>").startswith("{{") else text
    decoder, found, at = json.JSONDecoder(strict=False), [], text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            end = at + 1
        except RecursionError:  # a model that loops can open thousands of brackets
            break
        else:
            found.append(value)
        at = text.find("{", end)
    return found


def _written_as_code(text: str, tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """book_table({"people": 4}) → {"name": "book_table", "arguments": {"people": 4}}"""
    names = "|".join(re.escape(str(tool["function"]["name"])) for tool in tools)
    found = re.search(rf"\b({names})\((?=\s*\{{)", text) if names else None
    return [{"name": found[1], "arguments": each} for each in _objects(text[found.end() :])[:1]] if found else []


def schema_of(
    tools: list[dict[str, Any]], choice: str | dict[str, Any] | None
) -> dict[str, Any] | None:
    """The JSON schema that forces a call: of any tool ("required") or of the named one; None when free."""
    if choice == "required":
        names = None
    elif isinstance(choice, dict):
        names = {choice["function"]["name"]}
    else:
        return None
    options, definitions = [], {}
    for tool in tools:
        name = tool["function"]["name"]
        if names is not None and name not in names:
            continue
        parameters, own = _with_definitions_apart(name, tool["function"].get("parameters") or {"type": "object"})
        definitions.update(own)
        options.append(
            {
                "type": "object",
                "properties": {"name": {"const": name}, "arguments": parameters},
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
        )
    if not options:
        return None
    return {"anyOf": options, "$defs": definitions} if definitions else {"anyOf": options}


def _with_definitions_apart(name: str, parameters: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `#/$defs/` refers to (an Enum argument has it) belongs to the root; there several tools' must not clash."""
    moved = json.loads(json.dumps(parameters).replace('"#/$defs/', f'"#/$defs/{name}.'))
    return moved, {f"{name}.{key}": value for key, value in moved.pop("$defs", {}).items()}
