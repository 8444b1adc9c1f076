"""The latency of several calls side by side."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lkcook.errors import CookError
from lkcook.report.html import columns, table
from lkcook.report.latency import Latency, StageLatency, short, stack
from lkcook.report.picture import Plot, on_axes
from lkcook.report.turns import STAGES, Turns

TITLE = "Latency of {}: ms from the last syllable to the first sample"
NOTE = "×: median, as a multiple of the first call's. In the picture each bar is one real turn of a call."
MEASURES = {
    "median": "milliseconds; half of the turns were faster",
    "p90": "milliseconds; nine turns of ten were faster",
    "×": "median, as a multiple of the first call's",
}


class Answered(Protocol):
    """What is compared: a Call, or anything else that has turns."""

    @property
    def turns(self) -> Turns:
        """One row for each answered turn."""


class LatencyComparison:
    """Median and p90 of each stage, call by call, and the ratio to the first; a table and a plot in a notebook."""

    def __init__(self, calls: Mapping[str, Answered], caption: str = "") -> None:
        if len(calls) < 2:
            raise CookError("One call cannot be compared.", "Give two or more: lkcook.compare(call_a, call_b).")
        self.latencies = {label: Latency(call.turns) for label, call in calls.items()}
        self.caption = caption or TITLE.format(" and ".join(self.latencies))

    def plot(self) -> Plot:
        """For each call the turn whose waiting time is the median, and the one at p90, as stacked bars."""
        bars = [
            (f"{short(label)}, {name}", _turn_at(latency, quantile))
            for name, quantile in (("median", 0.5), ("p90", 0.9))
            for label, latency in self.latencies.items()
            if latency.turns
        ]
        return Plot(repr(self), 1.0 + 0.3 * max(len(bars), 1), on_axes(lambda axes: stack(axes, bars)))

    def _headers(self) -> list[tuple[str, str]]:
        first, *_ = self.latencies
        return [("stage", "what the caller waited for, in order")] + [
            (f"{label} {measure}", hint)
            for label in self.latencies
            for measure, hint in MEASURES.items()
            if measure != "×" or label != first
        ]

    def _rows(self) -> list[list[str]]:
        stages = [latency.stages for latency in self.latencies.values()]
        known = [name for name in STAGES if any(name in each for each in stages)]
        rows = [[STAGES[name][0], *_cells([each.get(name) for each in stages])] for name in known]
        return [*rows, ["whole turn", *_cells([latency.total for latency in self.latencies.values()])]]

    def _repr_html_(self) -> str:
        picture = base64.b64encode(self.plot().png).decode()
        return (
            table(self.caption, self._headers(), self._rows())
            + f'<p><small>{NOTE}</small></p><img alt="stacked bars" src="data:image/png;base64,{picture}">'
        )

    def __repr__(self) -> str:
        return f"{self.caption}\n{columns([title for title, _ in self._headers()], self._rows())}"


def labelled(calls: Sequence[Any], labels: Sequence[str]) -> dict[str, Any]:
    """Calls by label: those given, else "call 1", "call 2", … Raises CookError when the numbers differ."""
    names = list(labels) or [f"call {number}" for number in range(1, len(calls) + 1)]
    if len(set(names)) != len(calls):
        raise CookError(f"{len(calls)} calls have {len(set(names))} different labels.", "Give one label for each call.")
    return dict(zip(names, calls))


def _cells(stages: Sequence[StageLatency | None]) -> list[str]:
    first, cells = stages[0], []
    for index, stage in enumerate(stages):
        cells += [f"{stage.median:.0f}", f"{stage.p90:.0f}"] if stage else ["", ""]
        if index:
            cells.append(f"{stage.median / first.median:.2f}" if stage and first and first.median else "")
    return cells


def _turn_at(latency: Latency, quantile: float) -> Mapping[str, float]:
    """The segments of the turn whose total is at `quantile` (nearest rank): real ones, so they add up."""
    ordered = sorted(latency.turns, key=lambda parts: sum(parts.values()))
    return ordered[round(quantile * (len(ordered) - 1))]
