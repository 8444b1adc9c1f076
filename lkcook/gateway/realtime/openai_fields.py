"""Fields of OpenAI's Realtime API, each read and checked: of the session, of a response, or of both.

Every function raises Rejected that names the parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.realtime.settings import LONGEST_REPLY, SemanticVAD, ServerVAD, Turns
from lkcook.gateway.socket import ProtocolError, sample_rate

PCM_RATE = 24_000
SERVER_VAD = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "create_response": True,
    "interrupt_response": True,
    "idle_timeout_ms": None,
}
_SEMANTIC_VAD = {"type": "semantic_vad", "eagerness": "auto", "create_response": True, "interrupt_response": True}
_REQUIRED = {
    "session.update": ["session"],
    "input_audio_buffer.append": ["audio"],
    "conversation.item.create": ["item"],
    "conversation.item.retrieve": ["item_id"],
    "conversation.item.delete": ["item_id"],
    "conversation.item.truncate": ["item_id", "content_index", "audio_end_ms"],
}


def require(message: dict[str, Any], *names: str, path: str = "") -> None:
    """names: the fields it must have; by default those of a client event."""
    for name in names or _REQUIRED.get(message["type"], ()):
        if name not in message:
            told = f"Missing required parameter: {path + name!r}."
            raise Rejected(told, "missing_required_parameter", param=path + name)


def heard_seconds(message: dict[str, Any]) -> float:
    """Of a conversation.item.truncate."""
    end = message["audio_end_ms"]
    if isinstance(end, bool) or not isinstance(end, int | float) or end < 0:
        raise Rejected("audio_end_ms is a number of milliseconds", "invalid_type", param="audio_end_ms")
    if message["content_index"] != 0:
        raise Rejected("content_index is 0: messages have one part", param="content_index")
    return end / 1000


def modality(value: Any, param: str) -> Any:
    """["audio"] or ["text"]."""
    if value not in (["audio"], ["text"]):
        raise Rejected(f'{value!r} is not possible; it is ["audio"] or ["text"]', param=param)
    return value[0]


def max_tokens(value: Any, param: str) -> int:
    """1 to 4096, or "inf"; more than the model here can write is cut."""
    if value in ("inf", None):
        return LONGEST_REPLY
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 4096:
        raise Rejected(f'it is a number from 1 to 4096 or "inf", not {value!r}', param=param)
    return min(value, LONGEST_REPLY)


def tools(value: Any, param: str) -> tuple[dict[str, Any], ...]:
    """Functions, in the shape of chat completions; what a provider runs by itself (mcp, web_search) is not here."""
    if not isinstance(value, list) or not all(isinstance(tool, dict) for tool in value):
        raise Rejected("tools are a list of objects", "invalid_type", param=param)
    functions = [tool for tool in value if tool.get("type") == "function"]
    for tool in functions:
        if not isinstance(tool.get("name"), str) or not isinstance(tool.get("parameters", {}), dict | None):
            raise Rejected('a function has a "name" and "parameters", a JSON schema', param=param)
    fields = ("name", "description", "parameters")
    return tuple(
        {"type": "function", "function": {key: tool[key] for key in fields if tool.get(key) is not None}}
        for tool in functions
    )


def foreign_tools(value: Any) -> list[str]:
    """The types of tools that a provider runs by itself."""
    tools = [tool for tool in value if isinstance(tool, dict)] if isinstance(value, list) else []
    return [str(tool.get("type")) for tool in tools if tool.get("type") != "function"]


def tool_choice(value: Any, param: str) -> str | dict[str, Any] | None:
    """"auto", "none", "required" or one function, in the shape of chat completions."""
    if value in ("auto", "none", "required", None):
        return value
    if isinstance(value, dict) and value.get("type") == "function" and isinstance(value.get("name"), str):
        return {"type": "function", "function": {"name": value["name"]}}
    raise Rejected(f'{value!r} is none of "auto", "none", "required" and {{"type": "function", "name": …}}', param=param)


def language(tag: Any) -> str | None:
    """A BCP-47 tag → ISO 639-1."""
    return str(tag).lower().partition("-")[0] if tag else None


def prompt(transcription: dict[str, Any]) -> tuple[str, ...]:
    """What the recogniser is told about the sound: one text, or none."""
    value = transcription.get("prompt")
    if value is not None and not isinstance(value, str):
        raise Rejected("prompt is text", "invalid_type", param="session.audio.input.transcription.prompt")
    return (value,) if value and value.strip() else ()


def known(find: Callable[[Any], Any], value: Any, param: str) -> Any:
    """What `find` knows of `value`; what it refuses is the fault of `param`."""
    try:
        return find(value)
    except ProtocolError as error:
        raise Rejected(str(error), "invalid_value", param=param) from error


def audio_format(value: Any, param: str, *, any_rate: bool) -> dict[str, Any]:
    """PCM or one of the telephone's codes. Rates are numbers, or text."""
    kind = object_(value, param).get("type", "audio/pcm")
    if kind in ("audio/pcmu", "audio/pcma"):
        return {"type": kind}
    if kind != "audio/pcm":
        raise Rejected(f"format {kind!r} is none of audio/pcm, audio/pcmu and audio/pcma", param=f"{param}.type")
    try:
        rate = sample_rate(value.get("rate"), PCM_RATE)
    except ProtocolError as error:
        raise Rejected(str(error), param=f"{param}.rate") from error
    if rate != PCM_RATE and not any_rate:
        raise Rejected(f"audio/pcm has {PCM_RATE} Hz, not {rate}", param=f"{param}.rate")
    return {"type": kind, "rate": rate}


def turn_detection(value: Any, param: str) -> dict[str, Any]:
    """With the defaults of what is not given."""
    kind = object_(value, param).get("type", "server_vad")
    usual = {"server_vad": SERVER_VAD, "semantic_vad": _SEMANTIC_VAD}.get(str(kind))
    if usual is None:
        raise Rejected(f"turn detection {kind!r} is none of server_vad, semantic_vad and null", param=f"{param}.type")
    if unknown := set(value) - set(SERVER_VAD) - set(_SEMANTIC_VAD):
        name = f"{param}.{sorted(unknown)[0]}"
        raise Rejected(f"Unknown parameter: {name!r}.", "unknown_parameter", param=name)
    return {**usual, **{key: given for key, given in value.items() if key in usual and given is not None}}


def turns(value: dict[str, Any] | None) -> Turns:
    """For the conversation."""
    if value is None:
        return None
    param = "session.audio.input.turn_detection"
    flags = {name: value[name] is True for name in ("create_response", "interrupt_response")}
    if value["type"] == "semantic_vad":
        if value["eagerness"] not in ("low", "medium", "high", "auto"):
            raise Rejected("eagerness is low, medium, high or auto", param=f"{param}.eagerness")
        return SemanticVAD(value["eagerness"], **flags)
    idle = value["idle_timeout_ms"]
    return ServerVAD(
        threshold=number(value["threshold"], f"{param}.threshold", 0.0, 1.0),
        prefix_padding=number(value["prefix_padding_ms"], f"{param}.prefix_padding_ms", 0, 5_000) / 1000,
        silence=number(value["silence_duration_ms"], f"{param}.silence_duration_ms", 0, 10_000) / 1000,
        idle_timeout=None if idle is None else number(idle, f"{param}.idle_timeout_ms", 1_000, 600_000) / 1000,
        **flags,
    )


def number(value: Any, param: str, least: float, most: float) -> float:
    """Within its range."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise Rejected(f"{param} is a number from {least:g} to {most:g}, not {value!r}", param=param)
    return float(value)


def object_(value: Any, param: str) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise Rejected(f"{param} is a JSON object", "invalid_type", param=param)
    return value
