"""What a conversation consists of: messages with text and sound, calls of functions, and their outputs; in order."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from lkcook.gateway.realtime.rejected import Rejected

Status = Literal["in_progress", "completed", "incomplete"]
ROOT = "root"  # before everything
_SILENCE = "The caller is silent. Say something to them."


def new_id(prefix: str) -> str:
    """An id as OpenAI's look."""
    return f"{prefix}_{uuid.uuid4().hex[:21]}"


@dataclass(eq=False)
class Part:
    """Written text, or sound with its transcript. seconds: how long it sounds.

    said: (text, seconds at its end) of each piece that was spoken, to know what was heard of it. transcript: not yet
    there while it is being recognised.
    """

    kind: Literal["text", "audio"]
    text: str = ""
    seconds: float = 0.0
    said: list[tuple[str, float]] = field(default_factory=list)
    transcript: asyncio.Future[str] | None = None

    def within(self, seconds: float) -> list[tuple[str, float]]:
        """Of `said`, what is heard in the first `seconds`: whole pieces, and of the last one its share of words."""
        kept, begin = [], 0.0
        for text, end in self.said:
            if end > seconds:
                words = text.split(" ")
                share = (seconds - begin) / (end - begin) if end > begin else 0.0
                text = " ".join(words[: round(len(words) * max(share, 0.0))])
            kept.append((text, min(end, seconds)))
            begin = end
            if end >= seconds:
                break
        return kept

    def truncate(self, seconds: float) -> None:
        """Keep what was heard within `seconds`."""
        self.said, self.seconds = self.within(seconds), min(self.seconds, seconds)
        self.text = "".join(text for text, _ in self.said)


@dataclass(eq=False)
class Message:
    """Somebody's words."""

    role: Literal["user", "assistant", "system"]
    parts: list[Part] = field(default_factory=list)
    id: str = field(default_factory=lambda: new_id("item"))
    status: Status = "completed"


@dataclass(eq=False)
class Call:
    """The model calls a function; `arguments` is JSON."""

    name: str
    arguments: str
    call_id: str
    id: str = field(default_factory=lambda: new_id("item"))
    status: Status = "completed"


@dataclass(eq=False)
class CallOutput:
    """What a function returned."""

    call_id: str
    output: str
    id: str = field(default_factory=lambda: new_id("item"))
    status: Status = "completed"


Item = Message | Call | CallOutput


class Items:
    """The conversation so far."""

    def __init__(self) -> None:
        self._items: list[Item] = []

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    @property
    def last_id(self) -> str | None:
        """The newest one's id."""
        return self._items[-1].id if self._items else None

    @property
    def sounded(self) -> bool:
        """The model has been heard."""
        messages = [item for item in self._items if isinstance(item, Message) and item.role == "assistant"]
        return any(part.seconds for message in messages for part in message.parts)

    def add(self, item: Item, after: str | None = None) -> str | None:
        """Insert behind the item with the id `after` (None: at the end); returns the id of the one before it."""
        if any(item.id == other.id for other in self._items):
            raise Rejected(f"there is an item {item.id!r} already", "item_create_duplicate_item_id", param="item.id")
        if isinstance(item, CallOutput) and not any(
            isinstance(other, Call) and other.call_id == item.call_id for other in self._items
        ):
            why = f"no function was called with the call_id {item.call_id!r}"
            raise Rejected(why, "invalid_tool_call_id", param="item.call_id")
        at = len(self._items) if after is None else 0 if after == ROOT else self._index(after, "previous_item_id") + 1
        self._items.insert(at, item)
        return self._items[at - 1].id if at else None

    def find(self, item_id: Any, code: str = "item_not_found") -> Item:
        """The item with that id."""
        return self._items[self._index(item_id, "item_id", code)]

    def delete(self, item_id: Any) -> None:
        """Remove it."""
        del self._items[self._index(item_id, "item_id", "item_delete_invalid_item_id")]

    def before(self, item: Item) -> str | None:
        """The id of the item before `item`."""
        at = self._items.index(item)
        return self._items[at - 1].id if at else None

    def copies(self) -> list[Item]:
        """All that is complete as it is now, whatever becomes of the originals."""
        return [_copy(item) for item in self._items if item.status != "in_progress"]

    async def until_understood(self) -> None:
        """Wait for every transcript that is still on its way."""
        parts = [part for item in self._items if isinstance(item, Message) for part in item.parts]
        if waiting := [part.transcript for part in parts if part.transcript and not part.transcript.done()]:
            await asyncio.wait(waiting)

    def _index(self, item_id: Any, param: str, code: str = "item_not_found") -> int:
        for at, item in enumerate(self._items):
            if item.id == item_id:
                return at
        raise Rejected(f"there is no item {item_id!r} in this conversation", code, param=param)


def _copy(item: Item) -> Item:
    if not isinstance(item, Message):
        return replace(item)
    return replace(item, parts=[replace(part, said=list(part.said), transcript=None) for part in item.parts])


def chat_messages(instructions: str, items: list[Item]) -> list[dict[str, Any]]:
    """The conversation as a language model reads it: everything heard, said and returned, as text."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": instructions}] if instructions else []
    for item in items:
        if isinstance(item, Message):
            if text := "\n".join(part.text for part in item.parts if part.text).strip():
                messages.append({"role": item.role, "content": text})
        elif isinstance(item, Call):
            call = {"name": item.name, "arguments": item.arguments}
            calls = [{"id": item.call_id, "type": "function", "function": call}]
            messages.append({"role": "assistant", "content": "", "tool_calls": calls})
        else:
            messages.append({"role": "tool", "tool_call_id": item.call_id, "content": item.output})
    return messages


def prompted(messages: list[dict[str, Any]], instructions: str | None) -> list[dict[str, Any]]:
    """A small model adds nothing to its own words, unless it is told to: by `instructions`, or by the silence."""
    if not messages or messages[-1]["role"] != "assistant" or "tool_calls" in messages[-1]:
        return messages
    return [*messages, {"role": "system", "content": instructions or _SILENCE}]
