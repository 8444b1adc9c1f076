"""What is said over Gemini Live: Content with its parts, functions, their calls and responses; JSON in, `items` out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lkcook.gateway.options import only_the_cloud
from lkcook.gateway.realtime.gemini_fields import Refused, blob, choice, fields, flag, many, text
from lkcook.gateway.realtime.items import Call, CallOutput, Item, Message, Part, new_id

PARTS = (
    "text inlineData functionCall functionResponse thought thoughtSignature fileData executableCode codeExecutionResult "
    "videoMetadata mediaResolution partMetadata toolCall toolResponse"
)
_TOOLS = (
    "functionDeclarations googleSearch googleSearchRetrieval codeExecution urlContext googleMaps fileSearch computerUse "
    "mcpServers"
)
_SCHEMA = "type description enum items properties required anyOf minimum maximum minItems maxItems".split()
_LONGEST_SOUND = 30.0  # seconds in one part: the recogniser's window
_PLACEHOLDER = "."  # what LiveKit's plugin says as the user to be answered (google 1.8.9: generate_reply)

Transcribe = Callable[[np.ndarray, int], "asyncio.Future[str]"]


def instructions(value: Any, path: str) -> str:
    """A Content, or text alone."""
    if value is None or isinstance(value, str):
        return text(value or "", path)
    content = fields(value, path, "role parts")
    parts = [fields(part, f"{path}.parts", PARTS) for part in many(content.get("parts"), f"{path}.parts")]
    return "\n".join(text(part.get("text", ""), f"{path}.parts.text") for part in parts)


def turns(value: Any, path: str, transcribe: Transcribe) -> Iterator[Item]:
    """A list of Content: what was said before, or is said now. transcribe: what sound says, later."""
    said = [item for content in many(value, path) for item in _content(content, path, transcribe)]
    if said and _is(said[-1], "user", _PLACEHOLDER):
        # LiveKit's generate_reply(instructions=…): the "model" says what it is to do, the "user" a full stop. Gemini
        # understands that; for a small model it has to be an instruction, and no full stop
        said.pop()
        if said and isinstance(said[-1], Message) and said[-1].role == "assistant":
            said[-1].role = "system"
    yield from said


def _is(item: Item, role: str, words: str) -> bool:
    return isinstance(item, Message) and item.role == role and [part.text for part in item.parts] == [words]


def _content(value: Any, path: str, transcribe: Transcribe) -> Iterator[Item]:
    content = fields(value, path, "role parts")
    role = choice(content.get("role", "user"), f"{path}.role", "USER", "MODEL")
    parts, at = [], f"{path}.parts"
    for part in many(content.get("parts"), at):
        found = fields(part, at, PARTS)
        if "functionCall" in found:
            yield _call(found["functionCall"], f"{at}.function_call")
        elif "functionResponse" in found:
            response = Response.read(found["functionResponse"], f"{at}.function_response")
            yield CallOutput(response.id, response.output)
        elif not found.get("thought"):
            parts += _part(found, at, transcribe)
    if parts:
        yield Message("user" if role == "USER" else "assistant", parts)


def _part(part: dict[str, Any], path: str, transcribe: Transcribe) -> list[Part]:
    if "text" in part:
        return [Part("text", text(part["text"], f"{path}.text"))]
    if "inlineData" not in part or (sound := blob(part["inlineData"], f"{path}.inline_data")) is None:
        return [Part("text", "(something that cannot be seen here)")]
    samples, rate = sound
    if (seconds := len(samples) / rate) > _LONGEST_SOUND:
        raise Refused(f"{seconds:.0f} s of sound at '{path}.inline_data'; at most {_LONGEST_SOUND:.0f} s are taken.")
    return [Part("audio", seconds=seconds, transcript=transcribe(samples, rate))]


def _call(value: Any, path: str) -> Call:
    call = fields(value, path, "id name args")
    arguments = json.dumps(call.get("args", {}))
    return Call(text(call.get("name"), f"{path}.name"), arguments, text(call.get("id") or new_id("call"), f"{path}.id"))


@dataclass(frozen=True)
class Response:
    """What a function returned. id: of its call, or "" (Vertex's clients send none). continues: more is to come."""

    id: str
    name: str
    output: str
    scheduling: str
    continues: bool

    @classmethod
    def read(cls, value: Any, path: str) -> Response:
        """Of its `response` the output is what stands under "output", else all of it."""
        found = fields(value, path, "id name response scheduling willContinue parts")
        response = found.get("response", {})
        if not isinstance(response, dict):
            raise Refused(f"Invalid value at '{path}.response': it is an object.")
        output = response.get("output", response)
        names = ("SCHEDULING_UNSPECIFIED", "SILENT", "WHEN_IDLE", "INTERRUPT")
        return cls(
            text(found.get("id", ""), f"{path}.id"),
            text(found.get("name", ""), f"{path}.name"),
            output if isinstance(output, str) else json.dumps(output),
            choice(found.get("scheduling", names[0]), f"{path}.scheduling", *names),
            flag(found.get("willContinue", False), f"{path}.will_continue"),
        )


@dataclass(frozen=True)
class Tools:
    """functions: in the shape of chat completions. patient: the names of those that nobody waits for. notes."""

    functions: tuple[dict[str, Any], ...]
    patient: frozenset[str]
    notes: tuple[str, ...]

    @classmethod
    def read(cls, value: Any, path: str) -> Tools:
        """Functions are declared; what Google runs by itself (a search, code) is not here."""
        tools = [fields(tool, path, _TOOLS) for tool in many(value, path)]
        at = f"{path}.function_declarations"
        declared = [
            fields(one, at, "name description parameters parametersJsonSchema response responseJsonSchema behavior")
            for tool in tools
            for one in many(tool.get("functionDeclarations"), at)
        ]
        patient = [one["name"] for one in declared if one.get("behavior") == "NON_BLOCKING" and "name" in one]
        others = (name for tool in tools for name in tool if name != "functionDeclarations")
        return cls(
            tuple(_function(one, at) for one in declared), frozenset(patient), tuple(map(only_the_cloud, others))
        )


def _function(declared: dict[str, Any], path: str) -> dict[str, Any]:
    parameters = declared.get("parametersJsonSchema") or json_schema(declared.get("parameters") or {"type": "OBJECT"}, path)
    name = text(declared.get("name"), f"{path}.name")
    description = text(declared.get("description", ""), f"{path}.description")
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def json_schema(schema: Any, path: str) -> dict[str, Any]:
    """Google's Schema → a JSON schema: "OBJECT" is "object"."""
    if not isinstance(schema, dict):
        raise Refused(f"Invalid value at '{path}.parameters': it is a schema.")
    made = {name: schema[name] for name in _SCHEMA if schema.get(name) is not None}
    for snake, name in (("any_of", "anyOf"), ("min_items", "minItems"), ("max_items", "maxItems")):
        if schema.get(snake) is not None:
            made[name] = schema[snake]
    if "type" in made:
        made["type"] = str(made["type"]).lower()
    if made.get("type") == "object":
        made["properties"] = {name: json_schema(one, path) for name, one in (made.get("properties") or {}).items()}
    if "items" in made:
        made["items"] = json_schema(made["items"], path)
    if "anyOf" in made:
        made["anyOf"] = [json_schema(one, path) for one in many(made["anyOf"], path)]
    return made
