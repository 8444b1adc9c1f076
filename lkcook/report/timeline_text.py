"""A timeline in letters, for terminals."""

from __future__ import annotations

from lkcook.report.timeline import Lane, Timeline
from lkcook.report.timeline_layout import CHARACTER, UNSEEN, labels, rows, scale

WIDTH = 96  # characters of a row
_LEVELS = " ▁▂▃▄▅▆▇█"
_NAMES = 23
_KEY = "▆ sound  ━ lasting  ╎ arrival  ┃ turn commit  ✕ interruption"


def as_text(timeline: Timeline) -> str:
    """Every row with its lanes, under a line that explains the signs."""
    pieces = rows(timeline)
    each = WIDTH / scale(pieces)
    head = f"Timeline, {timeline.start:.1f}–{timeline.end:.1f} s: {_KEY}"
    return "\n\n".join([head, *(_row(piece, each) for piece in pieces)])


def _row(piece: Timeline, each: float) -> str:
    length = max(1, round((piece.end - piece.start) * each))
    lines = [" " * _NAMES + f"{piece.start:.1f} s".ljust(length - 6) + f"{piece.end:.1f} s"]
    lines += [name.ljust(_NAMES) + _lane(piece, lane, each, length) for name, lane in piece.lanes.items()]
    return "\n".join(line.rstrip() for line in lines)


def _lane(piece: Timeline, lane: Lane, each: float, length: int) -> str:
    line = [" "] * length

    def put(at: float, text: str) -> None:
        column = min(max(int((at - piece.start) * each), 0), length - 1)
        line[column : column + len(text)] = text[: length - column]

    if not len(lane.wave):
        for stretch in lane.stretches:
            put(stretch.started_at, "━" * max(1, round((stretch.ended_at - stretch.started_at) * each)))
    times, peaks = lane.peaks(piece.start, piece.end)
    loudest = max(float(lane.wave.max(initial=0)), 0.05)
    for column in range(length):
        inside = peaks[(times - piece.start) * each // 1 == column]
        if inside.max(initial=0) > 0:
            line[column] = _LEVELS[min(8, 1 + int(7 * inside.max() / loudest))]
    for mark in lane.marks:
        if mark.kind not in UNSEEN:
            put(mark.at, "╎")
    for moment in piece.moments:
        if moment.kind != "last syllable":
            put(moment.at, "┃" if moment.kind == "turn commit" else "✕")
    for at, text, align in labels(lane, piece.end, each * CHARACTER):
        put(at - (len(text) / each if align == "right" else 0), text)
    return "".join(line)
