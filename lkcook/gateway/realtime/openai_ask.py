"""What a response.create asks for (openai 3.57, types/realtime/realtime_response_create_params.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lkcook.gateway.options import only_the_cloud
from lkcook.gateway.realtime import openai_fields as fields
from lkcook.gateway.realtime import openai_items
from lkcook.gateway.realtime.items import Item
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.realtime.settings import Ask

_HEEDED = {
    "instructions", "tools", "tool_choice", "output_modalities", "max_output_tokens", "metadata", "conversation", "input", "audio"
}  # fmt: skip
_ONLY_THE_CLOUD = {"parallel_tool_calls", "prompt", "reasoning"}


def notes_on(asked: dict[str, Any], *, strict: bool) -> list[str]:
    """A note for each field that changes nothing here. Raises Rejected for one that nobody knows, if strict."""
    for name in asked.keys() - _HEEDED - _ONLY_THE_CLOUD if strict else ():
        raise Rejected(f"Unknown parameter: 'response.{name}'.", "unknown_parameter", param=f"response.{name}")
    return [only_the_cloud(name) for name in asked if name not in _HEEDED]


def ask_of(
    asked: dict[str, Any], find: Callable[[Any], Item], transcribe: openai_items.Transcribe, *, any_rate: bool = False
) -> Ask:
    """find: the item of the conversation with that id. any_rate: of sound, as xAI takes it. Raises Rejected."""

    def read(name: str, reader: Callable[[Any, str], Any]) -> Any:
        return reader(asked[name], f"response.{name}") if asked.get(name) is not None else None

    def items(value: Any, param: str) -> tuple[Item, ...]:
        if not isinstance(value, list):
            raise Rejected("input is a list of items", "invalid_type", param=param)
        return tuple(find(item.get("id")) if _is_reference(item) else openai_items.read(item, transcribe, param) for item in value)

    return Ask(
        instructions=read("instructions", _text),
        voice=_voice(output := _output(asked.get("audio"))),
        audio_format=_format(output, any_rate=any_rate),
        modality=read("output_modalities", fields.modality),
        tools=read("tools", fields.tools),
        tool_choice=read("tool_choice", fields.tool_choice),
        max_tokens=read("max_output_tokens", fields.max_tokens),
        items=read("input", items),
        apart=asked.get("conversation") == "none",
        metadata=read("metadata", _metadata),
    )


def _is_reference(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") == "item_reference"


def _text(value: Any, param: str) -> str:
    if not isinstance(value, str):
        raise Rejected(f"{param} is text", "invalid_type", param=param)
    return value


def _output(audio: Any) -> dict[str, Any]:
    """response.audio.output"""
    output = fields.object_(audio or {}, "response.audio").get("output")
    return fields.object_(output or {}, "response.audio.output")


def _voice(output: dict[str, Any]) -> str | None:
    voice = output.get("voice")
    voice = voice.get("id") if isinstance(voice, dict) else voice
    if voice is not None and not isinstance(voice, str):
        raise Rejected("a voice is text", "invalid_type", param="response.audio.output.voice")
    return voice


def _format(output: dict[str, Any], *, any_rate: bool) -> dict[str, Any] | None:
    if (given := output.get("format")) is None:
        return None
    return fields.audio_format(given, "response.audio.output.format", any_rate=any_rate)


def _metadata(value: Any, param: str) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > 16:
        raise Rejected("metadata is an object with at most 16 entries", "invalid_type", param=param)
    return value
