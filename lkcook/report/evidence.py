"""What is left of a call to read its stages from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from lkcook.report.placing import placed
from lkcook.report.spans import Trace
from lkcook.report.transcript import Message

if TYPE_CHECKING:
    from lkcook.call import Call


class SpokenLine(Protocol):
    """What a caller knows about a line it spoke; times are time.time()."""

    text: str
    started_at: float
    ended_at: float


@dataclass
class Evidence:
    """What is known of a call; all times are time.time().

    spoken: lines of a scripted caller. finals: arrivals of final transcripts. tools: (time, name) of functions
    called. releases: of a push-to-talk button. first_sound(after, before): the agent's first audible sample in that
    window, None if there is none.
    """

    messages: Sequence[Message]
    spoken: Sequence[SpokenLine] = ()
    trace: Trace = field(default_factory=Trace)
    finals: Sequence[float] = ()
    tools: Sequence[tuple[float, str]] = ()
    releases: Sequence[float] = ()
    first_sound: Callable[[float, float], float | None] = lambda after, before: None


def evidence_of(call: Call) -> Evidence:
    """All that `call` knows so far."""
    return Evidence(
        messages=said_in(call),
        spoken=call.caller.spoken,
        trace=call.trace,
        finals=[at for at, _ in call.journal.finals],
        tools=call.journal.tools,
        releases=call.journal.releases,
        first_sound=call.recorder.agent.first_sound,
    )


def said_in(call: Call) -> list[Message]:
    """What was said; LiveKit notes the end of an interrupted reply late, the recording knows better."""
    last_sound = call.recorder.agent.last_sound
    said = [
        replace(said, ended_at=last_sound(said.started_at, said.ended_at) or said.ended_at)
        if said.who == "agent"
        else said
        for said in call.journal.messages()
    ]
    return placed(said, call.recorder.voice, call.journal.releases)
