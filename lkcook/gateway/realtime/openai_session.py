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
from lkcook.gateway.openai_models import realtime_only, transcription_model
from lkcook.gateway.realtime import openai_fields as fields
from lkcook.gateway.realtime.connection import longest_session
from lkcook.gateway.realtime.items import new_id
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.realtime.settings import Settings

INSTRUCTIONS = "You are a helpful and friendly assistant in a spoken conversation. Answer in one or two short sentences."
_PCM = {"type": "audio/pcm", "rate": fields.PCM_RATE}
_HONOURED = {"type", "model", "instructions", "output_modalities", "tools", "tool_choice", "max_output_tokens", "audio"}
_ONLY_THE_CLOUD: dict[str, Any] = {
    "tracing": None, "truncation": "auto", "reasoning": None, "prompt": None, "include": None, "parallel_tool_calls": True
}  # fmt: skip
_XAI = {"voice", "turn_detection", "temperature"}
_OBJECTS = {"realtime": "session", "transcription": "transcription_session"}


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
                "input": {"format": _PCM, "transcription": None, "noise_reduction": None, "turn_detection": fields.SERVER_VAD},
                "output": {"format": _PCM, "voice": known[0].id if known else "", "speed": 1.0},
            },
            **_ONLY_THE_CLOUD,
        }
        self._expires = int(time.time() + longest_session())
        self._leave_turns_to_client({})

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

    @property
    def max_output_tokens(self) -> Any:
        """A number, or "inf"."""
        return self._state["max_output_tokens"]

    def updated(self, patch: Any) -> Session:
        """With the fields of `patch`; what it does not name stays. Raises Rejected that names the field at fault."""
        if not isinstance(patch, dict):
            raise Rejected('"session" is a JSON object', "invalid_type", param="session")
        if self.provider != "xai":
            fields.require(patch, "type", path="session.")
        new = copy.copy(self)
        new._state, new.notes = copy.deepcopy(self._state), []
        patch = new._with_xais_fields(patch)
        for name, value in patch.items():
            new._take(name, value)
        new._leave_turns_to_client(patch)
        new.settings()  # raises what is wrong with it
        return new

    def settings(self) -> Settings:
        """For the conversation."""
        state, audio = self._state, self._state["audio"]
        heard, said = audio["input"], audio["output"]
        transcription = heard["transcription"] or {}
        tag = transcription.get("language") or options.language(transcription)
        return Settings(
            instructions=state["instructions"] or "",
            voice=self._voice(said["voice"]),
            speed=fields.number(said["speed"] or 1.0, "session.audio.output.speed", 0.25, 1.5),
            language=fields.language(tag if tag != "multi" else None),
            modality=fields.modality(state["output_modalities"], "session.output_modalities"),
            tools=fields.tools(state["tools"], "session.tools"),
            tool_choice=fields.tool_choice(state["tool_choice"], "session.tool_choice"),
            max_tokens=fields.max_tokens(state["max_output_tokens"], "session.max_output_tokens"),
            temperature=fields.number(state.get("temperature") or 0.0, "session.temperature", 0.0, 2.0),
            turns=fields.turns(heard["turn_detection"]),
            transcribes=heard["transcription"] is not None,
            keyterms=(*options.keyterms(transcription), *fields.prompt(transcription)),
            detects=tag == "multi" or (self.kind == "transcription" and not tag),
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
        detection = patch.get("audio", {}).get("input", {})
        if isinstance(found := detection.get("turn_detection"), dict) and found.get("type", "") is None:
            detection["turn_detection"] = None  # how xAI says that the client decides
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
            if value is not None and value != _ONLY_THE_CLOUD[name]:
                self.notes.append(options.only_the_cloud(name))
            self._state[name] = value
        elif name in _HONOURED or (name in _XAI and self.provider == "xai"):
            if name == "instructions" and not isinstance(value, str):
                raise Rejected("instructions are text", "invalid_type", param=param)
            self._state[name] = value
            self.notes += [options.only_the_cloud(kind) for kind in fields.foreign_tools(value) if name == "tools"]
        else:
            raise Rejected(f"Unknown parameter: {param!r}.", "unknown_parameter", param=param)

    def _take_audio(self, audio: Any) -> None:
        for where, given in fields.object_(audio, "session.audio").items():
            if where not in ("input", "output"):
                raise Rejected(f"Unknown parameter: 'session.audio.{where}'.", "unknown_parameter", param="session.audio")
            state = self._state["audio"][where]
            for name, value in fields.object_(given, f"session.audio.{where}").items():
                param = f"session.audio.{where}.{name}"
                if name not in state:
                    raise Rejected(f"Unknown parameter: {param!r}.", "unknown_parameter", param=param)
                state[name] = self._audio_field(name, value, param)

    def _audio_field(self, name: str, value: Any, param: str) -> Any:
        if name == "format":
            return fields.audio_format(value, param, any_rate=self.provider == "xai")
        if name == "noise_reduction" and value is not None:
            self.notes.append(options.only_the_cloud("noise_reduction"))
        if name == "turn_detection" and value is not None:
            return fields.turn_detection(value, param)
        if name == "transcription" and value is not None:
            if self.kind == "transcription" and fields.object_(value, param).get("model"):
                fields.known(transcription_model, value["model"], f"{param}.model")
            if "delay" in fields.object_(value, param):
                self.notes.append(options.only_the_cloud("transcription.delay"))
        return value

    def _leave_turns_to_client(self, patch: dict[str, Any]) -> None:
        """Some models only transcribe, and find no turns: turn detection is null, and stays so."""
        heard = self._state["audio"]["input"]
        model = (heard["transcription"] or {}).get("model") or self._state["model"]
        if self.kind != "transcription" or not realtime_only(model) or heard["turn_detection"] is None:
            return
        if (patch.get("audio") or {}).get("input", {}).get("turn_detection") is not None:
            told = f"turn_detection is not supported by {model}: commit the buffer"
            raise Rejected(told, param="session.audio.input.turn_detection")
        heard["turn_detection"] = None
