"""The session object of OpenAI's Realtime API: what a client may write into it, and the settings that follow from it.

Shapes: openai 3.57, types/realtime/realtime_session_create_request.py; xAI's differ in that `voice` and `turn_detection`
stand at the top level, and any sample rate is taken.
"""

from __future__ import annotations

import copy
import time
from typing import Any

from lkcook import voices
from lkcook.gateway import options
from lkcook.gateway.realtime import g711
from lkcook.gateway.realtime.connection import longest_session
from lkcook.gateway.realtime.items import new_id
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.realtime.settings import LONGEST_REPLY, SemanticVAD, ServerVAD, Settings, Turns
from lkcook.gateway.socket import ProtocolError, sample_rate

INSTRUCTIONS = "You are a helpful and friendly assistant in a spoken conversation. Answer in one or two short sentences."
PCM_RATE = 24_000
_PCM = {"type": "audio/pcm", "rate": PCM_RATE}
_SERVER_VAD = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "create_response": True,
    "interrupt_response": True,
    "idle_timeout_ms": None,
}
_SEMANTIC_VAD = {"type": "semantic_vad", "eagerness": "auto", "create_response": True, "interrupt_response": True}
_HONOURED = {"type", "model", "instructions", "output_modalities", "tools", "tool_choice", "max_output_tokens", "audio"}
_ONLY_THE_CLOUD = {"tracing", "truncation", "reasoning", "prompt", "include", "parallel_tool_calls"}
_XAI = {"voice", "turn_detection", "temperature"}
_USUAL = {"tracing": None, "truncation": "auto", "parallel_tool_calls": True}  # asked for unasked: no note about it


class Session:
    """The object as the client sees it, and as `settings`. provider: "openai" or "xai"."""

    def __init__(self, model: str, provider: str, kind: str = "realtime") -> None:
        self.id, self.provider, self.kind = new_id("sess"), provider, kind
        self.notes: list[str] = []
        known = voices.of_provider(provider)
        self._state: dict[str, Any] = {
            "type": kind,
            "model": model,
            "instructions": INSTRUCTIONS,
            "output_modalities": ["audio"],
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "audio": {
                "input": {"format": _PCM, "transcription": None, "noise_reduction": None, "turn_detection": _SERVER_VAD},
                "output": {"format": _PCM, "voice": known[0].id if known else "", "speed": 1.0},
            },
        }
        self._expires = int(time.time() + longest_session())

    def shown(self) -> dict[str, Any]:
        """As session.created and session.updated have it."""
        shown = {"id": self.id, "object": f"realtime.{_OBJECTS[self.kind]}", "expires_at": self._expires, **self._state}
        if self.kind == "transcription":
            kept = ("id", "object", "type", "expires_at")
            return {**{key: shown[key] for key in kept}, "audio": {"input": self._state["audio"]["input"]}}
        if self.provider == "xai":
            audio = self._state["audio"]
            shown |= {"voice": audio["output"]["voice"], "turn_detection": audio["input"]["turn_detection"]}
        return shown

    @property
    def formats(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Of the sound that comes, and of that which goes."""
        return self._state["audio"]["input"]["format"], self._state["audio"]["output"]["format"]

    def updated(self, patch: Any) -> Session:
        """With the fields of `patch`; what it does not name stays. Raises Rejected that names the field at fault."""
        if not isinstance(patch, dict):
            raise Rejected('"session" is a JSON object', "invalid_type", param="session")
        new = copy.copy(self)
        new._state, new.notes = copy.deepcopy(self._state), []
        patch = new._with_xais_fields(patch)
        for name, value in patch.items():
            new._take(name, value)
        new.settings()  # raises what is wrong with it
        return new

    def settings(self) -> Settings:
        """For the conversation."""
        state, audio = self._state, self._state["audio"]
        heard, said = audio["input"], audio["output"]
        transcription = heard["transcription"] or {}
        return Settings(
            instructions=state["instructions"] or "",
            voice=self._voice(said["voice"]),
            speed=_number(said["speed"] or 1.0, "session.audio.output.speed", 0.25, 1.5),
            language=_language(transcription.get("language")),
            modality=modality(state["output_modalities"], "session.output_modalities"),
            tools=tools(state["tools"], "session.tools"),
            tool_choice=tool_choice(state["tool_choice"], "session.tool_choice"),
            max_tokens=max_tokens(state["max_output_tokens"], "session.max_output_tokens"),
            temperature=_number(state.get("temperature") or 0.0, "session.temperature", 0.0, 2.0),
            turns=_turns(heard["turn_detection"]),
            transcribes=heard["transcription"] is not None,
            keyterms=tuple(options.keyterms(transcription)),
        )

    def _voice(self, value: Any) -> str:
        """A name, or {"id": …} of a custom voice, of which there are none here."""
        value = value.get("id") if isinstance(value, dict) else value
        if value is not None and not isinstance(value, str):
            raise Rejected("a voice is text", "invalid_type", param="session.audio.output.voice")
        if self.provider == "google" and value == "marin":
            return ""  # OpenAI's: LiveKit Inference's client sends it unasked, whatever the model
        return value or ""

    def _with_xais_fields(self, patch: dict[str, Any]) -> dict[str, Any]:
        """xAI's top-level fields, moved to where OpenAI has them."""
        if self.provider != "xai":
            return patch
        patch = copy.deepcopy(patch)
        for name, where in (("voice", "output"), ("turn_detection", "input")):
            if name in patch:
                patch.setdefault("audio", {}).setdefault(where, {})[name] = patch.pop(name)
        return patch

    def _take(self, name: str, value: Any) -> None:
        param = f"session.{name}"
        if name == "type" and value != self.kind:
            raise Rejected(f"this is a session of type {self.kind!r}", param=param)
        if name == "model" and value != self._state["model"]:
            raise Rejected(f"the model of a session cannot be changed: it is {self._state['model']!r}", param=param)
        if name == "audio":
            self._take_audio(value)
        elif name in _ONLY_THE_CLOUD:
            if value is not None and value != _USUAL.get(name):
                self.notes.append(options.only_the_cloud(name))
        elif name in _HONOURED or (name in _XAI and self.provider == "xai"):
            if name == "instructions" and not isinstance(value, str):
                raise Rejected("instructions are text", "invalid_type", param=param)
            self._state[name] = value
        else:
            raise Rejected(f"Unknown parameter: {param!r}.", "unknown_parameter", param=param)

    def _take_audio(self, audio: Any) -> None:
        for where, fields in _object(audio, "session.audio").items():
            if where not in ("input", "output"):
                raise Rejected(f"Unknown parameter: 'session.audio.{where}'.", "unknown_parameter", param="session.audio")
            state = self._state["audio"][where]
            for name, value in _object(fields, f"session.audio.{where}").items():
                param = f"session.audio.{where}.{name}"
                if name not in state:
                    raise Rejected(f"Unknown parameter: {param!r}.", "unknown_parameter", param=param)
                state[name] = self._audio_field(name, value, param)

    def _audio_field(self, name: str, value: Any, param: str) -> Any:
        if name == "format":
            return _format(value, param, any_rate=self.provider == "xai")
        if name == "noise_reduction" and value is not None:
            self.notes.append(options.only_the_cloud("noise_reduction"))
        if name == "turn_detection" and value is not None:
            return _turn_detection(value, param)
        if name == "transcription" and value is not None:
            self.notes += [
                options.only_the_cloud(f"transcription.{key}") for key in _object(value, param) if key in ("prompt", "delay")
            ]
        return value


_OBJECTS = {"realtime": "session", "transcription": "transcription_session"}


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


def tool_choice(value: Any, param: str) -> str | dict[str, Any] | None:
    """"auto", "none", "required" or one function, in the shape of chat completions."""
    if value in ("auto", "none", "required", None):
        return value
    if isinstance(value, dict) and value.get("type") == "function" and isinstance(value.get("name"), str):
        return {"type": "function", "function": {"name": value["name"]}}
    raise Rejected(f'{value!r} is none of "auto", "none", "required" and {{"type": "function", "name": …}}', param=param)


def _language(tag: Any) -> str | None:
    return str(tag).lower().partition("-")[0] if tag else None


def _format(value: Any, param: str, *, any_rate: bool) -> dict[str, Any]:
    kind = _object(value, param).get("type", "audio/pcm")
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


def rate_of(audio_format: dict[str, Any]) -> int:
    """Samples per second."""
    return int(audio_format.get("rate", g711.SAMPLE_RATE))


def _turn_detection(value: Any, param: str) -> dict[str, Any]:
    kind = _object(value, param).get("type", "server_vad")
    usual = {"server_vad": _SERVER_VAD, "semantic_vad": _SEMANTIC_VAD}.get(str(kind))
    if usual is None:
        raise Rejected(f"turn detection {kind!r} is none of server_vad, semantic_vad and null", param=f"{param}.type")
    if unknown := set(value) - set(_SERVER_VAD) - set(_SEMANTIC_VAD):
        name = f"{param}.{sorted(unknown)[0]}"
        raise Rejected(f"Unknown parameter: {name!r}.", "unknown_parameter", param=name)
    return {**usual, **{key: given for key, given in value.items() if key in usual and given is not None}}


def _turns(value: dict[str, Any] | None) -> Turns:
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
        threshold=_number(value["threshold"], f"{param}.threshold", 0.0, 1.0),
        prefix_padding=_number(value["prefix_padding_ms"], f"{param}.prefix_padding_ms", 0, 5_000) / 1000,
        silence=_number(value["silence_duration_ms"], f"{param}.silence_duration_ms", 0, 10_000) / 1000,
        idle_timeout=None if idle is None else _number(idle, f"{param}.idle_timeout_ms", 1_000, 600_000) / 1000,
        **flags,
    )


def _number(value: Any, param: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise Rejected(f"it is a number from {least:g} to {most:g}, not {value!r}", param=param)
    return float(value)


def _object(value: Any, param: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Rejected(f"{param} is a JSON object", "invalid_type", param=param)
    return value
