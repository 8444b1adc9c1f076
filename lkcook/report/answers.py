"""What one model gave when it was asked alone: speech, a transcript, or text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from lkcook.audio.clip import Clip
from lkcook.report.comparison import LatencyComparison, labelled
from lkcook.report.html import columns
from lkcook.report.requests import Requests


@dataclass(frozen=True)
class TimedWord:
    """A word; `start` and `end` in seconds from the beginning of the sound."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class Spoken:
    """What a voice said.

    ttfb: milliseconds to the first sound. words: where each word is, if the model was asked for timings.
    """

    text: str
    clip: Clip
    ttfb: float
    words: tuple[TimedWord, ...] = ()
    requests: Requests = field(default_factory=Requests, repr=False)

    def __repr__(self) -> str:
        return f"{self.text!r}: {self.clip.duration:.1f} s"

    def _repr_html_(self) -> str:
        return self.clip._repr_html_() + _notes(self.requests)


@dataclass(frozen=True)
class Heard:
    """What a recogniser understood.

    text: its final transcripts. interim: its guesses on the way, each as it came. language: of the last final one.
    confidence: 0 to 1, 0 when the model does not tell.
    """

    text: str
    language: str
    confidence: float = 0.0
    words: tuple[TimedWord, ...] = ()
    interim: tuple[str, ...] = ()
    requests: Requests = field(default_factory=Requests, repr=False)

    def __repr__(self) -> str:
        return f"{self.text!r} ({self.language})"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.text)} <small>({escape(self.language)})</small></p>" + _notes(self.requests)


@dataclass(frozen=True)
class Answer:
    """What a language model wrote.

    calls: (function, arguments as JSON text) of each tool call. ttft: milliseconds to the first token or call.
    usage: LiveKit's CompletionUsage.
    """

    text: str
    calls: tuple[tuple[str, str], ...] = ()
    ttft: float = 0.0
    usage: Any = None
    requests: Requests = field(default_factory=Requests, repr=False)

    def __repr__(self) -> str:
        return "\n".join([*([self.text] if self.text else []), *(f"{name}({args})" for name, args in self.calls)])

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>" + _notes(self.requests)


class Comparison:
    """Several sounds or texts side by side; `rows` are label and whatever shows itself in a notebook."""

    def __init__(self, rows: Mapping[str, Spoken | Heard | Answer | Clip | str], caption: str = "") -> None:
        self.rows, self.caption = dict(rows), caption

    def _repr_html_(self) -> str:
        cells = "".join(
            f'<tr><td style="text-align: left; vertical-align: top">{escape(label)}</td>'
            f'<td style="text-align: left">{_shown(thing)}</td></tr>'
            for label, thing in self.rows.items()
        )
        return f'<table><caption style="text-align: left">{escape(self.caption)}</caption><tbody>{cells}</tbody></table>'

    def __repr__(self) -> str:
        return columns(("", self.caption), [[label, str(thing)] for label, thing in self.rows.items()])


def compare(
    things: Mapping[str, Any] | Any, *more: Any, labels: Sequence[str] = (), caption: str = ""
) -> Comparison | LatencyComparison:
    """Show several things side by side, each with its label.

        compare({"a": spoken, "b": heard}, "what it is")     sounds or texts, with a caption
        compare(call_a, call_b, labels=("a", "b"))           the latency of two or more calls
        compare({"a": call_a, "b": call_b})                  the same
    """
    if isinstance(things, Mapping):
        caption = caption or (more[0] if more else "")
    else:
        things = labelled([things, *more], labels)
    if things and all(hasattr(thing, "turns") for thing in things.values()):
        return LatencyComparison(things, caption)
    return Comparison(things, caption)


def _shown(thing: Any) -> str:
    html = getattr(thing, "_repr_html_", None)
    return html() if html else f"<p>{escape(str(thing))}</p>"


def _notes(requests: Requests) -> str:
    return "".join(f"<p><small>⚠ {escape(note)}</small></p>" for note in requests.notes)
