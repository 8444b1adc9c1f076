"""What a conversation tells its dialect. Times in seconds; `at` since the first sound of the session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lkcook.gateway.realtime.items import Call, Item, Message, Part

if TYPE_CHECKING:
    from lkcook.gateway.realtime.response import Response


@dataclass(frozen=True)
class SpeechStarted:
    """The caller began to speak; the message it becomes will have this id."""

    item_id: str
    at: float


@dataclass(frozen=True)
class SpeechStopped:
    """The caller's turn is over."""

    item_id: str
    at: float


@dataclass(frozen=True)
class TimedOut:
    """Nobody has spoken for the idle timeout: the model speaks up."""

    item_id: str
    start: float
    end: float


@dataclass(frozen=True)
class Committed:
    """What was heard so far becomes a message."""

    item_id: str
    previous_id: str | None


@dataclass(frozen=True)
class Cleared:
    """What was heard so far is forgotten."""


@dataclass(frozen=True)
class Hearing:
    """All of the turn as far as it is understood now: a guess, any word of which may still change."""

    item_id: str
    text: str


@dataclass(frozen=True)
class Understood:
    """The final transcript of a turn that took `seconds`."""

    item_id: str
    text: str
    seconds: float


@dataclass(frozen=True)
class NotUnderstood:
    """The recogniser failed."""

    item_id: str
    why: str


@dataclass(frozen=True)
class ItemAdded:
    """An item joined the conversation; it may still be in progress."""

    item: Item
    previous_id: str | None


@dataclass(frozen=True)
class ItemDone:
    """An item is complete."""

    item: Item
    previous_id: str | None


@dataclass(frozen=True)
class ItemDeleted:
    """An item is gone."""

    item_id: str


@dataclass(frozen=True)
class ItemTruncated:
    """Only so much of it was heard; the rest is forgotten."""

    item_id: str
    seconds: float


@dataclass(frozen=True)
class ResponseCreated:
    """An answer begins."""

    response: Response


@dataclass(frozen=True)
class OutputAdded:
    """The answer gets another item, a message or a call."""

    response: Response
    index: int
    item: Message | Call


@dataclass(frozen=True)
class PartAdded:
    """A message of the answer gets its part."""

    response: Response
    index: int
    item: Message
    part: Part


@dataclass(frozen=True)
class TextDelta:
    """Words: the answer itself if it is a written one, else the transcript of the sound that follows."""

    response: Response
    index: int
    item: Message
    part: Part
    text: str


@dataclass(frozen=True)
class AudioDelta:
    """Sound, int16 mono at 24 kHz."""

    response: Response
    index: int
    item: Message
    part: Part
    samples: np.ndarray


@dataclass(frozen=True)
class PartDone:
    """The part is complete, or will never be."""

    response: Response
    index: int
    item: Message
    part: Part


@dataclass(frozen=True)
class OutputDone:
    """The item is complete, or will never be. A call's arguments are all there."""

    response: Response
    index: int
    item: Message | Call


@dataclass(frozen=True)
class ResponseDone:
    """The answer is over; `response.status` says how."""

    response: Response


@dataclass(frozen=True)
class Problem:
    """What went wrong without anybody having asked for it."""

    why: str
    reason: str


Event = (
    SpeechStarted | SpeechStopped | TimedOut | Committed | Cleared | Hearing | Understood | NotUnderstood
    | ItemAdded | ItemDone | ItemDeleted | ItemTruncated
    | ResponseCreated | OutputAdded | PartAdded | TextDelta | AudioDelta | PartDone | OutputDone | ResponseDone
    | Problem
)
