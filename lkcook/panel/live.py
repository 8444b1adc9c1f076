"""A running call in a notebook: who is doing what, and what was said so far. Its last picture stays in the cell."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from lkcook import notebook
from lkcook.report.html import RULE

_STATES = {
    ("agent", "initializing"): "connecting …",
    ("agent", "listening"): "the agent listens",
    ("agent", "thinking"): "the agent thinks …",
    ("agent", "speaking"): "the agent speaks",
    ("caller", "speaking"): "the caller speaks",
}
_MICROPHONE = "🎙 Speak to the agent. To hang up, stop this cell (■ in the toolbar)."
_SCRIPT = "🎧 A synthetic caller speaks its lines in real time; you will hear the recording."


class LiveView:
    """Redraws one display as `show(kind, payload)` is told what happens (the events of `talk`'s on_event)."""

    def __init__(self, display: Callable[..., Any], person: bool) -> None:
        self._hint = _MICROPHONE if person else _SCRIPT
        self._state = "connecting …"
        self._said: list[tuple[str, str]] = []
        self._notes: list[str] = []
        self._interim = ""
        self._handle = display(self, display_id=True)

    def show(self, kind: str, payload: Any) -> None:
        """Take one event and redraw."""
        if kind == "state":
            self._state = _STATES.get(tuple(payload), self._state)
        elif kind == "interim":
            self._interim = payload
        elif kind == "note":
            self._notes.append(payload)
        elif kind in ("user", "agent"):
            self._said.append(("caller" if kind == "user" else "agent", payload.strip()))
            self._interim = ""
        self._handle.update(self)

    def close(self) -> None:
        """Leave what was said, without hint and state."""
        self._hint = self._state = self._interim = ""
        self._handle.update(self)

    def _repr_html_(self) -> str:
        head = f"<p>{self._hint} <em>{escape(self._state)}</em></p>" if self._hint else ""
        rows = [f"<p><b>{who}</b> {escape(text)}</p>" for who, text in self._said]
        if self._interim:
            rows.append(f'<p style="opacity: 0.6"><b>caller</b> <i>{escape(self._interim)} …</i></p>')
        rows += [f"<p><small>⚠ {escape(note)}</small></p>" for note in self._notes]
        body = "".join(rows)
        return f'<div style="border-left: 3px solid {RULE}; padding-left: 12px">{head}{body}</div>'

    def __repr__(self) -> str:
        lines = [f"{who:6}  {text}" for who, text in self._said] + [f"note    {note}" for note in self._notes]
        return "\n".join(lines) or self._state


@contextlib.contextmanager
def shown(person: bool) -> Iterator[Callable[[str, Any], None]]:
    """A view in the cell being run, for as long as the block runs; gives its `show`. Nothing outside a notebook."""
    if notebook.kernel() is None:
        yield lambda kind, payload: None
        return
    from IPython.display import display

    view = LiveView(display, person)
    try:
        yield view.show
    finally:
        view.close()
