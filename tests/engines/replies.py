"""Requests to the real language model, written briefly, and its replies in one piece."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from lkcook.engines.completion import Done, Request, Text
from lkcook.engines.language_model import LanguageModel
from lkcook.engines.tool_calls import ToolCall


def tool(name: str, description: str, **types: str) -> dict[str, Any]:
    properties = {argument: {"type": kind} for argument, kind in types.items()}
    parameters = {"type": "object", "properties": properties, "required": list(types)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def asked(*said: str, **options: Any) -> Request:
    """`said` by the user and the assistant in turns."""
    messages = [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(said)]
    return Request(messages, **options)


@dataclass
class Reply:
    pieces: list[Text | ToolCall | Done]
    took: float

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces if isinstance(piece, Text))

    @property
    def calls(self) -> list[tuple[str, Any]]:
        return [(p.name, json.loads(p.arguments)) for p in self.pieces if isinstance(p, ToolCall)]

    @property
    def done(self) -> Done:
        assert isinstance(self.pieces[-1], Done)
        return self.pieces[-1]


async def answer(model: LanguageModel, request: Request) -> Reply:
    began = time.perf_counter()
    pieces = [piece async for piece in model.chat(request)]
    assert [isinstance(piece, Done) for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    return Reply(pieces, time.perf_counter() - began)
