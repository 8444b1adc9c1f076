"""The session object of GPT-Live: what session.start and session.update say, and the settings that follow from it.

Shapes: livekit-agents 1.8.9, llm/_realtime/gpt_live_types.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from lkcook.gateway.options import only_the_cloud
from lkcook.gateway.realtime import live_items
from lkcook.gateway.realtime import openai_fields as fields
from lkcook.gateway.realtime.ids import delegated_model, duplex_model
from lkcook.gateway.realtime.items import Item
from lkcook.gateway.realtime.live_delegation import HAND_OVER
from lkcook.gateway.realtime.openai_session import INSTRUCTIONS
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.realtime.settings import SemanticVAD, Settings
from lkcook.gateway.socket import ProtocolError

_SESSION = ("model", "instructions", "input", "audio", "delegation")
_RESPONSES = (
    "model", "instructions", "tools", "tool_choice", "parallel_tool_calls", "reasoning", "text", "service_tier",
    "max_output_tokens",
)  # fmt: skip
_ONLY_THE_CLOUD = ("parallel_tool_calls", "reasoning", "text")
_MOST_ITEMS = 128  # of the startup history
_PCM = {"type": "audio/pcm", "rate": fields.PCM_RATE}


@dataclass(frozen=True)
class Setup:
    """model: with its provider. format: of the sound, both ways. target: who does delegated work, "responses" or "client".

    backend: the settings of the Responses model, as the client sent them. notes: what is not done as asked.
    """

    model: str
    instructions: str = INSTRUCTIONS
    voice: str = ""
    format: dict[str, Any] = field(default_factory=lambda: _PCM)
    history: tuple[Item, ...] = ()
    target: str = "responses"
    backend: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def settings(self) -> Settings:
        """For the conversation. Raises Rejected."""
        param, backend = "session.delegation.responses", self.backend
        told = [self.instructions, backend.get("instructions")]
        tools = fields.tools(backend.get("tools") or [], f"{param}.tools")
        return Settings(
            instructions="\n".join(text for text in told if text),
            voice=self.voice,
            tools=tools if self.target == "responses" else (HAND_OVER,),
            tool_choice=fields.tool_choice(backend.get("tool_choice"), f"{param}.tool_choice"),
            max_tokens=fields.max_tokens(backend.get("max_output_tokens"), f"{param}.max_output_tokens"),
            turns=SemanticVAD(),
        )

    def updated(self, session: Any) -> Setup:
        """After a session.update, which can only change the backend. Raises Rejected."""
        patch = _known(session, "session", ("delegation",))
        delegation = _delegation(patch.get("delegation"))
        if delegation["type"] != self.target:
            told = f"the type of a delegation cannot be changed: it is {self.target!r}"
            raise Rejected(told, "immutable", param="session.delegation.type")
        return self._with(delegation)

    def _with(self, delegation: dict[str, Any]) -> Setup:
        given, target = delegation.get("responses") or {}, delegation["type"]
        if given and target == "client":
            raise Rejected("a delegation to the client has no responses", param="session.delegation.responses")
        _check_backend(given)
        notes = tuple(only_the_cloud(f"responses.{name}") for name in _ONLY_THE_CLOUD if given.get(name) is not None)
        new = replace(self, target=target, backend={**self.backend, **given}, notes=notes)
        _ = new.settings  # raises what is wrong with it
        return new


def read(session: Any, asked: str | None) -> Setup:
    """What session.start says. asked: the model in the address, with its provider. Raises ProtocolError."""
    given = _known(session, "session", _SESSION)
    model = _model(given.get("model"), asked)
    audio = _known(given.get("audio") or {}, "session.audio", ("format", "output"))
    output = _known(audio.get("output") or {}, "session.audio.output", ("voice",))
    start = Setup(
        model,
        _text(given.get("instructions"), "session.instructions") or INSTRUCTIONS,
        _voice(output.get("voice")),
        fields.audio_format(audio.get("format") or _PCM, "session.audio.format", any_rate=False),
        _history(given.get("input") or []),
    )
    return start._with(_delegation(given.get("delegation") or {"type": "responses"}))


def _model(given: Any, asked: str | None) -> str:
    try:
        model = duplex_model(given)
    except ProtocolError as unknown:
        raise Rejected(str(unknown), "invalid_model", param="session.model") from unknown
    if asked not in (None, model):
        raise Rejected(f"this connection is for {asked}, not for {model}", "invalid_model", param="session.model")
    return model


def _delegation(value: Any) -> dict[str, Any]:
    delegation = {"type": "responses", **_known(value, "session.delegation", ("type", "responses"))}
    if delegation["type"] not in ("responses", "client"):
        told = f"a delegation of type {delegation['type']!r} is none of responses and client"
        raise Rejected(told, param="session.delegation.type")
    return delegation


def _check_backend(given: Any) -> None:
    param = "session.delegation.responses"
    _known(given, param, _RESPONSES)
    _text(given.get("instructions"), f"{param}.instructions")
    if given.get("model") is not None:
        try:
            delegated_model(given["model"])
        except ProtocolError as unknown:
            raise Rejected(str(unknown), "invalid_delegated_model", param=f"{param}.model") from unknown
    for tool in given.get("tools") or () if isinstance(given.get("tools"), list) else ():
        if isinstance(tool, dict) and tool.get("type") != "function":
            told = f"a tool of type {tool.get('type')!r} runs on the provider's servers; here there are functions"
            raise Rejected(told, "unsupported_server_tool", param=f"{param}.tools")
    if given.get("service_tier") not in (None, "auto", "default"):
        told = f"service_tier {given['service_tier']!r} is not served; there is one tier here, the default"
        raise Rejected(told, "unsupported_service_tier", param=f"{param}.service_tier")


def _history(value: Any) -> tuple[Item, ...]:
    if not isinstance(value, list) or len(value) > _MOST_ITEMS:
        raise Rejected(f"input is a list of at most {_MOST_ITEMS} messages", param="session.input")
    return tuple(live_items.message(item, "session.input") for item in value)


def _voice(value: Any) -> str:
    """A name, or {"id": …} of a custom voice, of which there are none here."""
    value = value.get("id") if isinstance(value, dict) else value
    return _text(value, "session.audio.output.voice") or ""


def _text(value: Any, param: str) -> str | None:
    return None if value is None else live_items.text_of(value, param) if isinstance(value, str) else _no_text(param)


def _no_text(param: str) -> str:
    raise Rejected(f"{param} is text", "invalid_type", param=param)


def _known(value: Any, param: str, names: tuple[str, ...]) -> dict[str, Any]:
    """A JSON object with no other fields than these."""
    for name in fields.object_(value, param):
        if name not in names:
            raise Rejected(f"Unknown parameter: '{param}.{name}'.", "unknown_parameter", param=f"{param}.{name}")
    return dict(value)
