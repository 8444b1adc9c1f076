"""Where the time goes between the caller's last syllable and the first sound of the agent's answer."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Literal

from lkcook.report.html import columns, table

Clock = Literal["last_syllable", "turn_commit"]

STAGES = {
    "final_transcript": ("transcript", "the last final transcript of the turn arrived"),
    "turn_commit": ("turn commit", "LiveKit decided that the caller has finished (end of turn)"),
    "first_token": ("first token", "the language model's first token; preemptive: before the turn commit"),
    "first_audio_byte": ("first byte", "the first audio of the answer left the text-to-speech model"),
    "first_sample": ("first sample", "the first audible sample of the answer was heard"),
}
CLOCKS: dict[Clock, str] = {"last_syllable": "ms after the last syllable", "turn_commit": "ms after the turn commit"}


@dataclass(frozen=True)
class Turn:
    """One turn of the caller and the agent's answer.

    last_syllable: seconds from the start of the call. The stages (see STAGES) are milliseconds after it; None
    is unknown. first_token may lie before turn_commit: a preemptive generation began while LiveKit still waited.
    With tools it is the token that called the first one; their time lies between it and first_audio_byte.
    lines: what a scripted caller really said. tools: names of the functions called before the answer.
    interrupted: the answer was cut short. cut_off: the agent committed the turn or became audible between
    the first and the last syllable of a scripted line (each cut line is flagged once, on its first turn).
    started_at, ended_at: the caller's first sound and the end of the answer, seconds from the start of the call.
    """

    text: str
    reply: str
    last_syllable: float
    final_transcript: float | None = None
    turn_commit: float | None = None
    first_token: float | None = None
    first_audio_byte: float | None = None
    first_sample: float | None = None
    lines: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    interrupted: bool = False
    cut_off: bool = False
    started_at: float | None = None
    ended_at: float | None = None

    def stages(self, clock: Clock = "last_syllable") -> dict[str, float | None]:
        """Milliseconds of every stage, from the last syllable or from the turn commit."""
        times = {name: getattr(self, name) for name in STAGES}
        if clock == "last_syllable":
            return times
        zero = times.pop("turn_commit")
        return {name: None if zero is None or t is None else t - zero for name, t in times.items()}


class Turns(list[Turn]):
    """The answered turns of a call, in order; two tables in a notebook, one for each clock."""

    def medians(self, clock: Clock = "last_syllable") -> dict[str, float | None]:
        """Median milliseconds of every stage over the turns in which it is known."""
        known: dict[str, list[float]] = {}
        for turn in self:
            for name, value in turn.stages(clock).items():
                known.setdefault(name, []).extend([] if value is None else [value])
        return {name: statistics.median(values) if values else None for name, values in known.items()}

    def _headers(self, clock: Clock) -> list[tuple[str, str]]:
        stages = [title for name, title in STAGES.items() if name != clock]
        return [("turn", "what the agent understood"), *stages, ("notes", "functions called; a turn cut off too early")]

    def _rows(self, clock: Clock) -> list[list[str]]:
        rows = [[turn.text, *_texts(turn.stages(clock)), _notes(turn)] for turn in self]
        if len(self) > 1:
            rows.append(["median", *_texts(self.medians(clock)), ""])
        return rows

    def _repr_html_(self) -> str:
        titles = [(clock, f"Turns: {title}") for clock, title in CLOCKS.items()]
        return "".join(table(title, self._headers(clock), self._rows(clock)) for clock, title in titles)

    def __repr__(self) -> str:
        if not self:
            return "Turns: none was answered"
        parts = []
        for clock, title in CLOCKS.items():
            rows = [[row[0][:40], *row[1:]] for row in self._rows(clock)]
            parts.append(f"{title}\n{columns([name for name, _ in self._headers(clock)], rows)}")
        return "\n\n".join(parts)


def _texts(stages: dict[str, float | None]) -> list[str]:
    return ["" if value is None else f"{value:.0f}" for value in stages.values()]


def _notes(turn: Turn) -> str:
    marks = [*turn.tools, *(["cut off"] if turn.cut_off else []), *(["interrupted"] if turn.interrupted else [])]
    return ", ".join(marks)
