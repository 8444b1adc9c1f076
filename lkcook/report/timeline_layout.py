"""What both pictures of a timeline share: rows of readable length, colours, and labels that do not overlap."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

from lkcook.report.latency import COLOUR_OF
from lkcook.report.picture import COLOURS
from lkcook.report.timeline import Lane, Timeline
from lkcook.report.turns import STAGES

Align = Literal["left", "right"]

ROW = 25.0  # seconds: a longer call goes on in the next row
LEAD = 0.4  # seconds before a turn at which a row may begin
CHARACTER = 6.5  # pixels, of a label's letter, on average
SPACE = 4  # pixels between a mark and its label
SHORTEST = 4  # characters: what has less room is left out

_BLUE, _ORANGE, _GREEN, _PURPLE, _YELLOW, _RED = COLOURS
LANE_COLOURS = {
    "caller": _BLUE,
    "VAD": _BLUE,
    "transcript": _BLUE,
    "end of turn": _YELLOW,
    "LLM": _GREEN,
    "TTS": _PURPLE,
    "agent": _ORANGE,
}
STRETCH_COLOURS = {STAGES[name][0]: colour for name, colour in COLOUR_OF.items()} | {"function": _RED}
MOMENT_COLOURS = {"last syllable": _BLUE, "turn commit": _YELLOW, "interruption": _RED}
WRITTEN = ("final transcript", "answer", "first sample", "end-of-turn probability")  # marks whose text is shown
STRONG = ("final transcript", "turn commit", "first token", "first byte")
UNSEEN = ("answer", "first sample")  # marks that only carry a text


def rows(timeline: Timeline) -> list[Timeline]:
    """Cut into pieces of at most ROW seconds, in front of a turn where that is possible."""
    starts = [turn.started_at - LEAD for turn in timeline.turns if turn.started_at is not None]
    cuts = [timeline.start]
    while timeline.end - cuts[-1] > ROW:
        fitting = [start for start in starts if cuts[-1] + ROW / 3 < start <= cuts[-1] + ROW]
        cuts.append(max(fitting, default=cuts[-1] + ROW))
    return [timeline.between(start, end) for start, end in pairwise([*cuts, timeline.end])]


def scale(pieces: list[Timeline]) -> float:
    """Seconds that one row is wide: the same for all."""
    return max(piece.end - piece.start for piece in pieces)


def labels(lane: Lane, right: float, pixels: float) -> Iterator[tuple[float, str, Align]]:
    """(seconds, text, side of the text that is there) of each mark with a text, cut to the room in the lane.

    right: where the row ends, seconds. pixels: of a second. A probability stands before its mark, where its wait
    is, everything else behind, up to the next thing.
    """
    things = sorted([mark.at for mark in lane.marks] + [each.started_at for each in lane.stretches])
    for mark in lane.marks:
        if mark.kind not in WRITTEN or not mark.text:
            continue
        if mark.value is None:
            limit = next((at for at in things if at > mark.at), right)
            text, side, align = _fitted(" ".join(mark.text.split()), (limit - mark.at) * pixels), 1, "left"
        else:
            limit = max((at for at in things if at < mark.at), default=mark.at)
            text, side, align = _fitted(f"{mark.value:.2f}", (mark.at - limit) * pixels), -1, "right"
        if text:
            yield mark.at + side * SPACE / pixels, text, align


def _fitted(text: str, room: float) -> str:
    """`text`, cut to `room` pixels; "" when there is too little of it."""
    fit = int((room - 2 * SPACE) / CHARACTER)
    if len(text) <= fit:
        return text
    return text[: fit - 1].rstrip() + "…" if fit >= SHORTEST and not text[0].isdigit() else ""
