"""What a call sent to the models, as it arrived there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from lkcook.errors import CookError
from lkcook.report.html import code, columns, table
from lkcook.report.wire import Passed, Wire

_NONE = "No request is known: only the embedded gateway tells what it got"
_ADVICE = "lkcook.setup('embedded') chooses it"
NOT_TOLD = f"{_NONE}. {_ADVICE}."
_HINTS = ("seconds from the start of the call", "", "the id that was asked for", "without sound and secrets", "")
_TITLES = ("s", "stage", "model", "what was sent", "note")


@dataclass(frozen=True)
class Request:
    """One request or message.

    at: seconds from the start of the call. message: the JSON that arrived, without sound and secrets. headers: LiveKit's
    own. answered_by: the model that answered. answer: what it said, if that is a word or two (a probability). notes: what was not done as asked. switches: (at, text) of fallbacks.
    wire: what passed over the connection that this message opened.
    """

    at: float
    stage: str
    model: str
    message: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    answered_by: str = ""
    answer: str = ""
    notes: tuple[str, ...] = ()
    switches: tuple[tuple[float, str], ...] = ()
    wire: Wire = field(default_factory=Wire)

    @property
    def _noted(self) -> str:
        return "; ".join(filter(None, [self.answer, *self.notes, *(text for _, text in self.switches)]))

    def _repr_html_(self) -> str:
        body = json.dumps(self.message, indent=2, ensure_ascii=False)
        notes = "".join(f"<li>{escape(note)}</li>" for note in (self.answer, *self.notes) if note)
        return f"<p>{escape(self.stage)}: {escape(self.model)}</p>{code(body)}<ul>{notes}</ul>"


class Requests(list[Request]):
    """The requests of a call in the order in which they arrived; a table in a notebook."""

    @classmethod
    def of(cls, records: Iterable[Mapping[str, Any]], origin: float) -> Requests:
        """Read the gateway's records (gateway/requests.py); a call that started at `origin` (time.time())."""
        return cls(
            Request(
                at=record["at"] - origin,
                stage=record["stage"],
                model=record["model"],
                message=record["message"],
                headers=record["headers"],
                answered_by=record["answered_by"],
                answer=record["answer"],
                notes=tuple(record["notes"]),
                switches=tuple((at - origin, text) for at, text in record["switches"]),
                wire=Wire(Passed(at - origin, who, name, times) for at, who, name, times in record["wire"]),
            )
            for record in records
        )

    def __getitem__(self, index: Any) -> Any:
        """As a list's; where there are none, as behind a provider that was called itself, CookError tells why."""
        if not self and not isinstance(index, slice):
            raise CookError(_NONE, _ADVICE)
        return super().__getitem__(index)

    def to(self, stage: str) -> Requests:
        """Those to one stage: "speech to text", "language model", "text to speech", …"""
        return Requests(request for request in self if request.stage == stage)

    @property
    def notes(self) -> list[str]:
        """Every note once, in order."""
        return list(dict.fromkeys(note for request in self for note in request.notes))

    @property
    def wire(self) -> Wire:
        """The messages of a realtime model's connections, both ways, by name."""
        return Wire(sorted((passed for request in self for passed in request.wire), key=lambda passed: passed.at))

    @property
    def switches(self) -> list[tuple[float, str]]:
        """Every fallback: (seconds from the start of the call, what happened)."""
        return sorted(switch for request in self for switch in request.switches)

    def _rows(self) -> list[list[str]]:
        return [[f"{r.at:.1f}", r.stage, r.model, _in_short(r.message), r._noted] for r in self]

    def _repr_html_(self) -> str:
        if not self:
            return f"<p>{escape(NOT_TOLD)}</p>"
        return table("Requests as they arrived", list(zip(_TITLES, _HINTS)), self._rows())

    def __repr__(self) -> str:
        return columns(_TITLES, self._rows()) if self else NOT_TOLD


def _in_short(message: Mapping[str, Any]) -> str:
    """The parameters, and how many messages and tools."""
    parts = []
    for name, value in message.items():
        if name in ("model", "stream", "stream_options", "connection"):
            continue
        if name in ("messages", "tools") and isinstance(value, list):
            parts.append(f"{len(value)} {name}")
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            parts.append(f"{name}: {text if len(text) <= 80 else text[:79] + '…'}")
    return ", ".join(parts)
