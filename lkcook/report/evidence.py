"""What is left of a call to read its stages from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lkcook.report.spans import Trace
from lkcook.report.transcript import Message


class SpokenLine(Protocol):
    """What a caller knows about a line it spoke; times are time.time()."""

    text: str
    started_at: float
    ended_at: float


@dataclass
class Evidence:
    """What is known of a call; all times are time.time().

    spoken: lines of a scripted caller. finals: arrivals of final transcripts. tools: (time, name) of functions
    called. first_sound(after, before): the agent's first audible sample in that window, None if there is none.
    """

    messages: Sequence[Message]
    spoken: Sequence[SpokenLine] = ()
    trace: Trace = field(default_factory=Trace)
    finals: Sequence[float] = ()
    tools: Sequence[tuple[float, str]] = ()
    first_sound: Callable[[float, float], float | None] = lambda after, before: None
