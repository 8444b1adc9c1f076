"""A call as lanes over time: who was heard, what each model did meanwhile, and when a turn was handed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lkcook.audio.clip import Clip
from lkcook.report.turns import Turns

if TYPE_CHECKING:
    from lkcook.report.picture import Plot
    from lkcook.report.timeline_page import Page

PEAKS = 50  # of a waveform, a second

LANES = {
    "caller": "what the caller said, as it was recorded",
    "VAD": "the caller speaks, as LiveKit's voice activity detection (or the speech-to-text model) saw it",
    "transcript": "interim transcripts (light), final ones (dark, with their text)",
    "end of turn": "waiting for the end of the turn; dot: its probability, dash: the threshold; then the turn commit; "
    "ticks: a push-to-talk button that is pressed and released",
    "LLM": "the language model writes: its first token (dark), then its words as they arrive",
    "TTS": "the text-to-speech model speaks: its first byte (dark), then its sound as it arrives",
    "agent": "what was heard of the agent, as it was recorded",
    "ms after last syllable": "what the caller waited for",
    "ms after turn commit": "the same waiting time on LiveKit's clock",
}


@dataclass(frozen=True)
class Mark:
    """A moment, in seconds from the start of the call. value, limit: a probability and its threshold, 0 to 1."""

    at: float
    kind: str
    text: str = ""
    value: float | None = None
    limit: float | None = None

    def __str__(self) -> str:
        return f"{self.at:.2f} s  {self.kind}{': ' if self.text else ''}{self.text}"


@dataclass(frozen=True)
class Stretch:
    """Something that lasts; seconds from the start of the call."""

    started_at: float
    ended_at: float
    kind: str
    text: str = ""

    def __str__(self) -> str:
        told = f"{self.kind}{': ' if self.text else ''}{self.text}"
        return f"{self.started_at:.2f}–{self.ended_at:.2f} s  {told}"


@dataclass(frozen=True, eq=False)
class Lane:
    """One row of the picture. wave: peaks of the sound, 0 to 1, PEAKS a second from the start of the call."""

    stretches: tuple[Stretch, ...] = ()
    marks: tuple[Mark, ...] = ()
    wave: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def between(self, start: float, end: float) -> Lane:
        """What of it lies between two times; stretches are cut there, the wave is left as it is."""
        stretches = tuple(
            replace(each, started_at=max(each.started_at, start), ended_at=min(each.ended_at, end))
            for each in self.stretches
            if each.started_at < end and each.ended_at > start
        )
        return replace(self, stretches=stretches, marks=_within(self.marks, start, end))

    def peaks(self, start: float, end: float) -> tuple[np.ndarray, np.ndarray]:
        """Times (seconds, the middle of each peak's 20 ms) and peaks of the wave between two times."""
        first = max(0, round(start * PEAKS))
        peaks = self.wave[first : max(first, round(end * PEAKS))]
        return (first + 0.5 + np.arange(len(peaks))) / PEAKS, peaks


@dataclass(frozen=True, eq=False)
class Timeline:
    """From `start` to `end`, seconds from the start of the call; a picture in a notebook, lines of text elsewhere.

    lanes: by name, see LANES. turns: those whose answer lies in here. moments: last syllables, turn commits and
    interruptions, which are drawn through all lanes. sound: the recording of the whole call.
    """

    start: float
    end: float
    lanes: Mapping[str, Lane]
    turns: Turns
    moments: tuple[Mark, ...]
    sound: Clip

    def between(self, start: float, end: float) -> Timeline:
        """The part between two times."""
        return replace(
            self,
            start=start,
            end=end,
            lanes={name: lane.between(start, end) for name, lane in self.lanes.items()},
            turns=Turns(turn for turn in self.turns if start <= turn.last_syllable < end),
            moments=_within(self.moments, start, end),
        )

    @cached_property
    def _picture(self) -> Plot:
        from lkcook.report.timeline_plot import picture

        return picture(self)

    @property
    def png(self) -> bytes:
        """The picture as a PNG file, 900 pixels wide."""
        return self._picture.png

    @property
    def svg(self) -> str:
        """The picture as an SVG document."""
        return self._picture.svg

    def save(self, path: str | Path) -> Path:
        """Write the picture as .png or .svg, or as an .html page to click and hear. Raises CookError for others."""
        if Path(path).suffix.lower() == ".html":
            Path(path).write_text(self.interactive().document, encoding="utf-8")
            return Path(path)
        return self._picture.save(path)

    def interactive(self) -> Page:
        """The same lanes with the recording: click to hear it from there. Works in a saved notebook."""
        from lkcook.report.timeline_page import Page

        return Page(self)

    def _repr_png_(self) -> bytes:
        return self.png

    def __repr__(self) -> str:
        from lkcook.report.timeline_text import as_text

        return as_text(self)


def _within(marks: tuple[Mark, ...], start: float, end: float) -> tuple[Mark, ...]:
    return tuple(mark for mark in marks if start <= mark.at < end)
