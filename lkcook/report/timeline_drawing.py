"""The lanes of a timeline as SVG that a script can point into."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from itertools import count, takewhile

from lkcook.report.timeline import LANES, Lane, Mark, Stretch, Timeline
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

WIDTH, LEFT, RIGHT = 900, 150, 890  # pixels: of the drawing; where its lanes begin and end
LANE, AXIS = 24, 34  # pixels: the height of a lane; of the seconds and the gap below a row

X = Callable[[float], float]


def height(timeline: Timeline) -> int:
    """Pixels of the drawing at its own width."""
    return len(rows(timeline)) * (LANE * len(timeline.lanes) + AXIS)


def drawing(timeline: Timeline) -> str:
    """An <svg> with a <g class="row"> per row: data-start, data-end in seconds; data-left, data-right in pixels."""
    pieces = rows(timeline)
    pixels = (RIGHT - LEFT) / scale(pieces)
    tall = LANE * len(timeline.lanes) + AXIS
    body = "".join(_row(piece, index * tall, pixels) for index, piece in enumerate(pieces))
    size = f'viewBox="0 0 {WIDTH} {tall * len(pieces)}"'
    return f'<svg {size} data-start="{timeline.start:.3f}" xmlns="http://www.w3.org/2000/svg">{body}</svg>'


def _row(piece: Timeline, top: int, pixels: float) -> str:
    right, bottom = LEFT + (piece.end - piece.start) * pixels, LANE * len(piece.lanes)

    def x(at: float) -> float:
        return LEFT + (at - piece.start) * pixels

    parts = [_lane(piece, name, place, x, pixels, right) for place, name in enumerate(piece.lanes)]
    parts += [_moment(moment, x(moment.at), bottom) for moment in piece.moments]
    parts += [_tick(at, x(at), bottom) for at in _ticks(piece)]
    parts.append(f'<line class="playhead" x1="{LEFT}" x2="{LEFT}" y1="0" y2="{bottom}" visibility="hidden"/>')
    where = f'data-start="{piece.start:.3f}" data-end="{piece.end:.3f}" data-left="{LEFT}" data-right="{right:.1f}"'
    where += f' data-top="{top}" data-lane="{LANE}" transform="translate(0 {top})"'
    return f'<g class="row" {where}>{"".join(parts)}</g>'


def _lane(piece: Timeline, name: str, place: int, x: X, pixels: float, right: float) -> str:
    lane, colour, middle = piece.lanes[name], LANE_COLOURS.get(name, "#888888"), LANE * 0.5
    parts = [
        f'<text class="name" x="{LEFT - 6}" y="{middle + 4}"><title>{LANES.get(name, "")}</title>{name}</text>',
        f'<line class="edge" x1="{LEFT}" x2="{right:.1f}" y1="{LANE}" y2="{LANE}"/>',
        *[_stretch(stretch, x, colour) for stretch in lane.stretches],
        _wave(lane, piece, x, colour),
        *[_mark(mark, x(mark.at), colour) for mark in lane.marks if mark.kind not in UNSEEN],
    ]
    for at, text, align in labels(lane, piece.end, pixels):
        side = ' class="before"' if align == "right" else ""
        parts.append(f'<text{side} x="{x(at):.1f}" y="{middle + 4}">{escape(text)}</text>')
    return f'<g class="lane" transform="translate(0 {place * LANE})">{"".join(parts)}</g>'


def _stretch(stretch: Stretch, x: X, colour: str) -> str:
    left, right = x(stretch.started_at), x(stretch.ended_at)
    stage = STRETCH_COLOURS.get(stretch.kind)
    times = f'data-from="{stretch.started_at:.3f}" data-to="{stretch.ended_at:.3f}"'
    look = f'fill="{stage or colour}" opacity="{0.9 if stage else 0.3}"'
    box = f'x="{left:.1f}" width="{max(right - left, 0.5):.1f}" y="{LANE * 0.2:.1f}" height="{LANE * 0.6:.1f}"'
    return f"<rect {times} {box} {look}>{_title(stretch)}</rect>"


def _mark(mark: Mark, at: float, colour: str) -> str:
    time = f'data-at="{mark.at:.3f}"'
    if mark.value is not None:
        y, limit = (LANE * (0.9 - 0.8 * value) for value in (mark.value, mark.limit or 0))
        dash = f'<line x1="{at - 5:.1f}" x2="{at + 5:.1f}" y1="{limit:.1f}" y2="{limit:.1f}" stroke="{colour}"/>'
        dot = f'<circle {time} cx="{at:.1f}" cy="{y:.1f}" r="3" fill="{colour}">{_title(mark)}</circle>'
        return (dash if mark.limit is not None else "") + dot
    strong = mark.kind in STRONG
    inset = LANE * (0.05 if strong else 0.25)
    line = f'x1="{at:.1f}" x2="{at:.1f}" y1="{inset:.1f}" y2="{LANE - inset:.1f}" stroke="{colour}"'
    look = 'stroke-width="2.5"' if strong else 'stroke-width="1" opacity="0.7"'
    return f"<line {time} {line} {look}>{_title(mark)}</line>"


def _moment(mark: Mark, at: float, bottom: int) -> str:
    line = f'x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{bottom}" stroke="{MOMENT_COLOURS[mark.kind]}"'
    return f'<line class="moment" data-at="{mark.at:.3f}" {line}>{_title(mark)}</line>'


def _wave(lane: Lane, piece: Timeline, x: X, colour: str) -> str:
    times, peaks = lane.peaks(piece.start, piece.end)
    if not peaks.any():
        return ""
    half = 0.46 * LANE * peaks / max(float(lane.wave.max()), 0.05)
    upper = [f"{x(at):.1f} {LANE / 2 - h:.1f}" for at, h in zip(times, half)]
    lower = [f"{x(at):.1f} {LANE / 2 + h:.1f}" for at, h in zip(times[::-1], half[::-1])]
    return f'<path d="M{"L".join(upper + lower)}Z" fill="{colour}"/>'


def _ticks(piece: Timeline) -> list[int]:
    step = 1 if piece.end - piece.start <= 12 else 5
    first = -int(-piece.start // step) * step
    return list(takewhile(lambda at: at <= piece.end, count(first, step)))


def _tick(at: int, x: float, bottom: int) -> str:
    return f'<text class="second" x="{x:.1f}" y="{bottom + 14}">{at} s</text>'


def _title(thing: Mark | Stretch) -> str:
    return f"<title>{escape(str(thing))}</title>"
