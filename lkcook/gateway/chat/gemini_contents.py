"""A body of Gemini's generateContent → the engine's request. Names come in camelCase or snake_case.

(google-genai 3.6, types.py: GenerateContentConfig; LiveKit's plugin puts the schema of a function in
parameters_json_schema.) Every function raises ProtocolError that names the field.
"""

from __future__ import annotations

import json
from typing import Any

from lkcook.engines.completion import Request
from lkcook.gateway.chat.fields import only, sampling
from lkcook.gateway.chat.messages import Messages
from lkcook.gateway.realtime.gemini_content import PARTS, Response, Tools, instructions, json_schema
from lkcook.gateway.realtime.gemini_fields import Refused, choice, fields, many, text

_HEEDED = "contents systemInstruction generationConfig tools toolConfig model"
_BODY = f"{_HEEDED} safetySettings cachedContent serviceTier labels"
_SAMPLING = {
    "temperature": "temperature",
    "top_p": "topP",
    "max_tokens": "maxOutputTokens",
    "stop": "stopSequences",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "response_format": "responseFormat",
}
_FORMAT = {"responseMimeType", "responseSchema", "responseJsonSchema"}
_UNHEEDED = (
    "topK candidateCount thinkingConfig responseModalities mediaResolution speechConfig responseLogprobs logprobs "
    "audioTimestamp enableEnhancedCivicAnswers routingConfig continuationToken"
)
_CONFIG = " ".join((*_SAMPLING.values(), *_FORMAT, _UNHEEDED))
_MODES = "MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"
_PLACEHOLDER = "."  # what LiveKit's plugin says as the user to be answered when the user has said nothing new


def read(body: dict[str, Any]) -> tuple[Request, list[str]]:
    """The engine's request, and the fields that change nothing here."""
    given = fields(body, "", _BODY)
    config = fields(given.get("generationConfig", {}), "generation_config", _CONFIG)
    only(config, candidateCount=1, responseLogprobs=False)
    tools = Tools.read(given.get("tools"), "tools")
    told = instructions(given.get("systemInstruction"), "system_instruction")
    messages = _messages(given.get("contents"))
    head = [{"role": "system", "content": told}] if told else []
    if not head and not messages:
        raise Refused("contents are not specified")
    request = Request(
        messages=[*head, *messages],
        tools=list(tools.functions),
        tool_choice=_choice(given.get("toolConfig"), [tool["function"]["name"] for tool in tools.functions]),
        **sampling({**config, "responseFormat": _format(config)}, **_SAMPLING),
    )
    others = [f"generationConfig.{name}" for name in config if name not in {*_SAMPLING.values(), *_FORMAT}]
    return request, [*(name for name in given if name not in _HEEDED.split()), *others]


def tool_notes(body: dict[str, Any]) -> tuple[str, ...]:
    """About tools that Google runs by itself."""
    return Tools.read(body.get("tools"), "tools").notes


def _messages(contents: Any) -> Messages:
    messages = Messages()
    for at, value in enumerate(many(contents, "contents")):
        path = f"contents[{at}]"
        content = fields(value, path, "role parts")
        role = choice(content.get("role", "user"), f"{path}.role", "USER", "MODEL", "FUNCTION")
        _say(messages, "assistant" if role == "MODEL" else "user", many(content.get("parts"), f"{path}.parts"), path)
    if messages and messages[-1] == {"role": "user", "content": _PLACEHOLDER}:
        messages.pop()
    return messages


def _say(messages: Messages, role: str, parts: list[Any], path: str) -> None:
    """Texts beside each other are one message."""
    said: list[str] = []
    for at, value in enumerate(parts):
        where = f"{path}.parts[{at}]"
        part = fields(value, where, PARTS)
        if "functionCall" in part or "functionResponse" in part:
            _flush(messages, role, said)
        if "functionCall" in part:
            _call(messages, part["functionCall"], where)
        elif "functionResponse" in part:
            _result(messages, part["functionResponse"], where)
        elif "text" in part:
            said += [] if part.get("thought") else [text(part["text"], f"{where}.text")]
        else:
            raise Refused(f"{where} is no text, which is all that the model on this machine reads")
    _flush(messages, role, said)


def _flush(messages: Messages, role: str, said: list[str]) -> None:
    if said:
        messages.say(role, "\n".join(said))
        said.clear()


def _call(messages: Messages, value: Any, path: str) -> None:
    """Without an id, as older clients send it, its place stands for one."""
    call = fields(value, f"{path}.function_call", "id name args")
    call_id = call.get("id") or f"call_{len(messages.called())}"
    messages.call(call_id, call.get("name"), json.dumps(call.get("args", {})), f"{path}.function_call")


def _result(messages: Messages, value: Any, path: str) -> None:
    result = Response.read(value, f"{path}.function_response")
    waiting = [call["id"] for call in messages.unanswered() if call["function"]["name"] == result.name]
    messages.result(result.id or next(iter(waiting), ""), result.output, f"{path}.function_response")


def _choice(config: Any, names: list[str]) -> str | dict[str, Any] | None:
    known = "functionCallingConfig retrievalConfig includeServerSideToolInvocations"
    calling = fields(config or {}, "tool_config", known)
    at = "tool_config.function_calling_config"
    asked = fields(
        calling.get("functionCallingConfig", {}), at, "mode allowedFunctionNames streamFunctionCallArguments"
    )
    mode = choice(asked.get("mode", _MODES[0]), f"{at}.mode", *_MODES)
    given = many(asked.get("allowedFunctionNames"), f"{at}.allowed_function_names")
    allowed = [text(name, f"{at}.allowed_function_names") for name in given]
    if unknown := [name for name in allowed if name not in names]:
        raise Refused(f"{at}.allowed_function_names: {unknown[0]!r} is none of the functions")
    if mode == "ANY" and len(allowed) == 1 and len(names) > 1:
        return {"type": "function", "function": {"name": allowed[0]}}
    return {"ANY": "required", "NONE": "none", "AUTO": "auto"}.get(mode)


def _format(config: dict[str, Any]) -> dict[str, Any] | None:
    """As chat completions have it; plain text is the default."""
    kind = config.get("responseMimeType", "text/plain")
    if kind not in ("text/plain", "application/json"):
        raise Refused(f"response_mime_type {kind!r} is neither text/plain nor application/json")
    if kind == "text/plain":
        return None
    schema = config.get("responseJsonSchema")
    if schema is None and (googles := config.get("responseSchema")) is not None:
        schema = json_schema(googles, "generation_config.response_schema")
    if schema is None:
        return {"type": "json_object"}
    if not isinstance(schema, dict):
        raise Refused("generation_config.response_json_schema is an object")
    return {"type": "json_schema", "json_schema": {"schema": schema}}
