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

_HEEDED = (
    "instructions tools tool_choice output_modalities max_output_tokens metadata conversation input audio"
).split()


def notes_on(asked: dict[str, Any]) -> list[str]:
    """A note for each field that changes nothing here."""
    return [only_the_cloud(name) for name in asked if name not in _HEEDED]


def ask_of(asked: dict[str, Any], find: Callable[[Any], Item], transcribe: openai_items.Transcribe) -> Ask:
    """find: the item of the conversation with that id. Raises Rejected."""

    def read(name: str, reader: Callable[[Any, str], Any]) -> Any:
        return reader(asked[name], f"response.{name}") if asked.get(name) is not None else None

    def items(value: Any, param: str) -> tuple[Item, ...]:
        if not isinstance(value, list):
            raise Rejected("input is a list of items", "invalid_type", param=param)
        return tuple(find(item.get("id")) if _is_reference(item) else openai_items.read(item, transcribe, param) for item in value)

    return Ask(
        instructions=read("instructions", _text),
        voice=_voice(asked.get("audio")),
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


def _voice(audio: Any) -> str | None:
    """response.audio.output.voice"""
    output = audio.get("output") if isinstance(audio, dict) else audio
    voice = output.get("voice") if isinstance(output, dict) else output
    if voice is not None and not isinstance(voice, str):
        raise Rejected("a voice is text, in audio.output.voice", "invalid_type", param="response.audio.output.voice")
    return voice


def _metadata(value: Any, param: str) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > 16:
        raise Rejected("metadata is an object with at most 16 entries", "invalid_type", param=param)
    return value
