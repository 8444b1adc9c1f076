"""The static picture of a timeline."""

from __future__ import annotations

from typing import Any

from lkcook.report.latency import COLOUR_OF, segments
from lkcook.report.picture import DOTS, INK, WIDTH, Plot, inked
from lkcook.report.timeline import Lane, Timeline
from lkcook.report.timeline_layout import (
    LANE_COLOURS,
    MOMENT_COLOURS,
    STRETCH_COLOURS,
    STRONG,
    UNSEEN,
    labels,
    rows,
    scale,
)
from lkcook.report.turns import CLOCKS, STAGES, Turn

LANE_HEIGHT = 0.24  # inches
GAP = 0.55  # inches, of axis and air around a row
LEGEND = 0.35
WATERFALL = 1.9
LEFT, RIGHT = 1.55, 0.12  # inches beside the lanes
FONT = 8
DASHES = (0, (3, 2))


def picture(timeline: Timeline) -> Plot:
    """Rows of lanes; below those of a single turn its stages, on both clocks."""
    pieces = rows(timeline)
    row = LANE_HEIGHT * len(timeline.lanes)
    single = timeline.turns[0] if len(timeline.turns) == 1 and segments(timeline.turns[0]) else None
    height = LEGEND + len(pieces) * (row + GAP) + (WATERFALL if single else 0)

    def paint(figure: Any) -> None:
        figure.set_layout_engine("none")  # rows of one scale, wherever their labels end
        seconds, top = scale(pieces), height - LEGEND
        for piece in pieces:
            width = (WIDTH - LEFT - RIGHT) * (piece.end - piece.start) / seconds
            axes = figure.add_axes((LEFT / WIDTH, (top - row) / height, width / WIDTH, row / height))
            _row(axes, piece, width * DOTS / (piece.end - piece.start))
            top -= row + GAP
        _legend(figure, timeline)
        if single:
            box = (LEFT / WIDTH, 0.5 / height, (WIDTH - LEFT - 0.6) / WIDTH, (WATERFALL - 0.95) / height)
            _waterfall(figure.add_axes(box), single)

    return Plot(repr(timeline), height, paint)


def _row(axes: Any, piece: Timeline, pixels: float) -> None:
    for place, (name, lane) in enumerate(piece.lanes.items()):
        _lane(axes, piece, lane, place, LANE_COLOURS.get(name, INK), pixels)
        for at, text, align in labels(lane, piece.end, pixels):
            axes.text(at, place + 0.5, text, ha=align, va="center", color=INK, fontsize=FONT, parse_math=False)
        axes.axhline(place + 1, color=INK, linewidth=0.4, alpha=0.35)
    for moment in piece.moments:
        axes.axvline(moment.at, color=MOMENT_COLOURS[moment.kind], linewidth=1, alpha=0.8, linestyle=DASHES)
    axes.set(xlim=(piece.start, piece.end), ylim=(len(piece.lanes), 0))
    axes.set_yticks([place + 0.5 for place in range(len(piece.lanes))], list(piece.lanes), fontsize=FONT)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=FONT)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_formatter(lambda seconds, _: f"{seconds:g} s")
    inked(axes)


def _lane(axes: Any, piece: Timeline, lane: Lane, place: int, colour: str, pixels: float) -> None:
    """One lane, between y = `place` and `place` + 1."""
    for stretch in lane.stretches:
        box = [(stretch.started_at, stretch.ended_at - stretch.started_at)]
        stage = STRETCH_COLOURS.get(stretch.kind)
        axes.broken_barh(box, (place + 0.2, 0.6), color=stage or colour, alpha=0.9 if stage else 0.3, linewidth=0)
    times, peaks = lane.peaks(piece.start, piece.end)
    loudest = max(float(lane.wave.max(initial=0)), 0.05)
    half = 0.46 * peaks / loudest
    axes.fill_between(times, place + 0.5 - half, place + 0.5 + half, color=colour, linewidth=0, step="mid")
    for mark in lane.marks:
        if mark.value is not None:
            axes.plot(mark.at, place + 0.9 - 0.8 * mark.value, "o", color=colour, markersize=4)
            if mark.limit is not None:
                y = place + 0.9 - 0.8 * mark.limit
                axes.plot([mark.at - 5 / pixels, mark.at + 5 / pixels], [y, y], color=colour, linewidth=1.5)
        elif mark.kind not in UNSEEN:
            strong = mark.kind in STRONG
            inset = 0.05 if strong else 0.25
            y = [place + inset, place + 1 - inset]
            axes.plot([mark.at] * 2, y, color=colour, linewidth=2 if strong else 0.9, alpha=1 if strong else 0.6)


def _legend(figure: Any, timeline: Timeline) -> None:
    """What is drawn through all lanes, and the colours of the stages."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    seen = {moment.kind for moment in timeline.moments}
    dashed = {kind: Line2D([], [], color=colour, linestyle=DASHES) for kind, colour in MOMENT_COLOURS.items()}
    lines = [(line, kind) for kind, line in dashed.items() if kind in seen]
    patches = [(Patch(color=colour), STAGES[name][0]) for name, colour in COLOUR_OF.items()]
    look = {"frameon": False, "labelcolor": INK, "fontsize": FONT, "handlelength": 1.4, "columnspacing": 1.2}
    for place, entries in (("upper left", patches), ("upper right", lines)):
        if entries:
            figure.legend(*zip(*entries), loc=place, ncols=len(entries), borderaxespad=0.2, **look)


def _waterfall(axes: Any, turn: Turn) -> None:
    """What each stage of one turn added, on the clock of the last syllable and on that of the turn commit."""
    parts, since = segments(turn), 0.0
    for place, (name, waited) in enumerate(parts.items()):
        axes.barh(place, waited, left=since, height=0.7, color=COLOUR_OF[name], linewidth=0)
        reached = getattr(turn, name)
        axes.plot(reached, place, "|", color=COLOUR_OF[name], markersize=9, markeredgewidth=2)
        since += waited
        x = max(since, reached) + 0.01 * turn.first_sample
        axes.text(x, place, f"+{waited:.0f} ms", color=INK, fontsize=FONT, va="center")
    axes.set(xlim=(min(0.0, *map(float, _known(turn))), 1.08 * turn.first_sample), ylim=(len(parts) - 0.4, -0.6))
    axes.set_yticks(range(len(parts)), [STAGES[name][0] for name in parts])
    axes.set_xlabel(CLOCKS["last_syllable"], fontsize=FONT)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=FONT)
    inked(axes)
    if turn.turn_commit is not None:
        zero = turn.turn_commit
        upper = axes.secondary_xaxis("top", functions=(lambda ms: ms - zero, lambda ms: ms + zero))
        upper.set_xlabel(CLOCKS["turn_commit"], fontsize=FONT)
        upper.tick_params(labelsize=FONT)
        inked(upper)


def _known(turn: Turn) -> list[float]:
    return [ms for ms in turn.stages().values() if ms is not None]
