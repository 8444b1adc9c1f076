"""Who said what, and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lkcook.report.html import columns, table

Who = Literal["caller", "agent", "backend"]


@dataclass(frozen=True)
class Message:
    """One chat message as LiveKit reported it. All times are time.time(); `metrics` is ChatMessage.metrics.

    started_at, ended_at: first and last sound. decided_at: when the caller's turn was taken into the
    conversation; when the agent was about to speak. speech_id: of the SpeechHandle that said it.
    """

    who: Who
    text: str
    started_at: float
    ended_at: float
    decided_at: float
    interrupted: bool = False
    metrics: Mapping[str, Any] = field(default_factory=dict)
    speech_id: str | None = None


@dataclass(frozen=True)
class Utterance:
    """Something said in a call.

    text: the caller's words as the agent understood them; the agent's as far as they were heard.
    started_at, ended_at: seconds from the start of the call. interrupted: cut short by the other side.
    """

    who: Who
    text: str
    started_at: float
    ended_at: float
    interrupted: bool = False


class Transcript(list[Utterance]):
    """The utterances of a call in the order in which they began; a table in a notebook."""

    @classmethod
    def of(
        cls, messages: Iterable[Message], origin: float, switches: Iterable[tuple[float, str]] = ()
    ) -> Transcript:
        """Read the messages of a call that started at `origin` (time.time()), and its fallbacks (seconds, text)."""
        said = [
            Utterance(m.who, m.text, m.started_at - origin, m.ended_at - origin, m.interrupted)
            for m in messages
        ]
        said += [Utterance("backend", text, at, at) for at, text in switches]
        return cls(sorted(said, key=lambda utterance: utterance.started_at))

    def by(self, who: Who) -> list[str]:
        """The texts of one side, in order."""
        return [utterance.text for utterance in self if utterance.who == who]

    def _rows(self) -> list[list[str]]:
        return [[f"{u.started_at:.1f}", u.who, u.text + (" –" if u.interrupted else "")] for u in self]

    def _repr_html_(self) -> str:
        hints = ("seconds from the start of the call", "", "– marks an utterance that was interrupted")
        return table("Transcript", list(zip(("s", "who", "text"), hints)), self._rows())

    def __repr__(self) -> str:
        return columns(("s", "who", "text"), self._rows()) if self else "Transcript: nothing was said"
