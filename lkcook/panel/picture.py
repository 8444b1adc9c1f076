"""What a running call looks like: who is doing what, what was said, where the last turn's time went.

Plain data, filled by the events of `talk`'s on_event. The panel draws it live; as HTML it is the picture that stays in
the notebook when the call is over, and all there is where nobody could press a button (nbval, papermill).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from lkcook.report.html import RULE
from lkcook.report.latency import COLOUR_OF
from lkcook.report.turns import STAGES

STATES = {
    ("agent", "initializing"): "connecting …",
    ("agent", "listening"): "the agent listens",
    ("agent", "thinking"): "the agent thinks …",
    ("agent", "speaking"): "the agent speaks",
    ("caller", "speaking"): "the caller speaks",
    ("button", "ready"): "the button is up: the agent does not hear",
    ("button", "pressed"): "the button is held: the agent hears",
    ("button", "released"): "the button is up: the agent does not hear",
}
INTERRUPTED = " –"


@dataclass
class Said:
    """A line of the transcript; who: "caller" or "agent"."""

    who: str
    text: str
    interrupted: bool = False


@dataclass
class Picture:
    """hint: what to do now. bar: milliseconds each stage added to the last answered turn (report.latency.segments)."""

    hint: str = ""
    state: str = "connecting …"
    said: list[Said] = field(default_factory=list)
    interim: str = ""
    notes: list[str] = field(default_factory=list)
    bar: Mapping[str, float] = field(default_factory=dict)

    def take(self, kind: str, payload: Any) -> None:
        """One event of the call."""
        if kind == "state":
            self.state = STATES.get(tuple(payload), self.state)
        elif kind == "button":
            self.state = STATES[kind, payload]
        elif kind == "interim":
            self.interim = payload
        elif kind == "note":
            self.notes.append(payload)
        elif kind == "interrupted" and self.said:
            self.said[-1].interrupted = True
        elif kind in ("user", "agent"):
            self.said.append(Said("caller" if kind == "user" else "agent", payload.strip()))
            self.interim = ""

    def parts(self) -> list[tuple[str, float, str]]:
        """The bar's parts: (title, milliseconds, colour)."""
        return [(STAGES[name][0], ms, COLOUR_OF[name]) for name, ms in self.bar.items()]

    def finish(self) -> None:
        """Only what was said stays, and what is to be known about it."""
        self.hint = self.state = self.interim = ""

    def _repr_html_(self) -> str:
        head = f"<div>{escape(self.hint)} <em>{escape(self.state)}</em></div>" if self.hint else ""
        rows = [f"<div><b>{line.who}</b> {escape(line.text)}{_mark(line)}</div>" for line in self.said]
        if self.interim:
            rows.append(f'<div style="opacity: 0.6"><b>caller</b> <i>{escape(self.interim)} …</i></div>')
        rows += [f"<div><small>⚠ {escape(note)}</small></div>" for note in self.notes]
        body = "".join(rows) + _bar(self.parts())
        style = f"border-left: 3px solid {RULE}; padding-left: 12px; line-height: 1.6"
        return f'<div style="{style}">{head}{body}</div>'

    def __repr__(self) -> str:
        lines = [f"{line.who:6}  {line.text}{INTERRUPTED * line.interrupted}" for line in self.said]
        lines += [f"note    {note}" for note in self.notes]
        return "\n".join(lines) or self.state


def _mark(line: Said) -> str:
    return f'<span title="interrupted">{INTERRUPTED}</span>' if line.interrupted else ""


def _bar(parts: Sequence[tuple[str, float, str]]) -> str:
    """The last turn as one bar; each part as wide as it took long."""
    total = sum(ms for _, ms, _ in parts)
    if not total:
        return ""
    drawn = "".join(
        f'<span title="{escape(title)}: {ms:.0f} ms" style="flex: {ms:.0f} 0 0; background: {colour}"></span>'
        for title, ms, colour in parts
    )
    words = " · ".join(f"{escape(title)} {ms:.0f}" for title, ms, _ in parts)
    return (
        f'<div style="display: flex; height: 10px; max-width: 640px; gap: 1px; margin-top: 6px">{drawn}</div>'
        f"<div><small>last turn: {total:.0f} ms after the last syllable — {words}</small></div>"
    )
