"""Which stage the caller waited for: the time from the last syllable to the first sample, cut into segments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lkcook.report.html import columns, table
from lkcook.report.picture import COLOURS, INK, Plot, on_axes
from lkcook.report.turns import STAGES, Turn

COLOUR_OF = dict(zip(STAGES, (COLOURS[0], COLOURS[4], COLOURS[2], COLOURS[3], COLOURS[1])))
TITLE = "Latency: ms from the last syllable to the first sample"
NOTE = "Shares add up to 100 %; medians need not add up, the turns differ."
HEADERS = (
    ("stage", "what the caller waited for, in order"),
    ("median", "milliseconds; half of the turns were faster"),
    ("p90", "milliseconds; nine turns of ten were faster"),
    ("share %", "of the waiting time of all turns"),
)


def segments(turn: Turn) -> dict[str, float]:
    """Milliseconds the caller waited for each stage of `turn`; they add up to `turn.first_sample`.

    A segment reaches from the latest stage before it to its own, so it is what this stage *added*. A stage that was
    over before the one in front of it added nothing and has 0: the first token of a preemptive generation, which
    came while LiveKit still waited for the turn commit; a transcript that came after the commit (realtime models)
    is waited for by nobody either. A stage nobody recorded is left out; its time is in the next one.
    Empty when the first sample is unknown, or came before the last syllable.
    """
    total = turn.first_sample
    if total is None or total < 0:
        return {}
    reached, parts = 0.0, {}
    for name, at in turn.stages().items():
        if at is None:
            continue
        late = name == "final_transcript" and turn.turn_commit is not None and at > turn.turn_commit
        until = reached if late else min(max(at, reached), total)
        parts[name], reached = until - reached, until
    return parts


@dataclass(frozen=True)
class StageLatency:
    """One stage over the turns in which it is known: milliseconds, and its share (0 to 1) of all waiting time."""

    median: float
    p90: float
    share: float

    @classmethod
    def of(cls, values: Sequence[float], waited: float) -> StageLatency:
        """`values`: milliseconds, one for each turn. `waited`: milliseconds of all turns and stages."""
        median, p90 = (float(value) for value in np.percentile(values, [50, 90]))
        return cls(median, p90, sum(values) / waited if waited else 0.0)


class Latency:
    """The waiting time of every turn, stage by stage; a table in a notebook, `plot()` for the turns one by one."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        known = [(turn, parts) for turn in turns if (parts := segments(turn))]
        self.texts = [turn.text for turn, _ in known]
        self.turns: list[dict[str, float]] = [parts for _, parts in known]

    @property
    def stages(self) -> dict[str, StageLatency]:
        """The stages that at least one turn knows, in order."""
        waited = sum(self.totals)
        by_name = {name: [parts[name] for parts in self.turns if name in parts] for name in STAGES}
        return {name: StageLatency.of(values, waited) for name, values in by_name.items() if values}

    @property
    def totals(self) -> list[float]:
        """Milliseconds from the last syllable to the first sample of each turn."""
        return [sum(parts.values()) for parts in self.turns]

    @property
    def total(self) -> StageLatency | None:
        """The whole waiting time; None when no turn was answered."""
        return StageLatency.of(self.totals, sum(self.totals)) if self.turns else None

    def plot(self) -> Plot:
        """One stacked bar for each turn."""
        bars = [(short(text), parts) for text, parts in zip(self.texts, self.turns)]
        return Plot(repr(self), 1.0 + 0.3 * max(len(bars), 1), on_axes(lambda axes: stack(axes, bars)))

    def _rows(self) -> list[list[str]]:
        rows = [[STAGES[name][0], *_texts(stage)] for name, stage in self.stages.items()]
        return [*rows, ["whole turn", *_texts(self.total)]] if self.total else rows

    def _repr_html_(self) -> str:
        return table(f"{TITLE}, {_turns(self)}", HEADERS, self._rows()) + f"<p><small>{NOTE}</small></p>"

    def __repr__(self) -> str:
        if not self.turns:
            return "Latency: no turn was answered"
        return f"{TITLE}, {_turns(self)}\n{columns([name for name, _ in HEADERS], self._rows())}"


def stack(axes: Any, bars: Sequence[tuple[str, Mapping[str, float]]]) -> None:
    """Draw horizontal bars of (label, segments) from top to bottom, with their totals and one legend."""
    longest = max((sum(parts.values()) for _, parts in bars), default=0.0) or 1.0
    for row, (_, parts) in enumerate(bars):
        left = 0.0
        for name, width in parts.items():
            axes.barh(row, width, left=left, height=0.65, color=COLOUR_OF[name], linewidth=0)
            if width > 0.045 * longest:
                axes.text(left + width / 2, row, f"{width:.0f}", color="white", ha="center", va="center", fontsize=8)
            left += width
        axes.text(left + 0.01 * longest, row, f"{left:.0f}", color=INK, va="center", fontsize=9)
    axes.set(xlabel="ms after the last syllable", xlim=(0, 1.08 * longest), ylim=(len(bars) - 0.4, -0.6))
    axes.set_yticks(range(len(bars)), [label for label, _ in bars], parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    _legend(axes, [name for name in STAGES if any(name in parts for _, parts in bars)])


def _legend(axes: Any, names: Sequence[str]) -> None:
    from matplotlib.patches import Patch

    patches = [Patch(color=COLOUR_OF[name], label=STAGES[name][0]) for name in names]
    if patches:
        place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": len(patches)}
        axes.legend(handles=patches, frameon=False, labelcolor=INK, fontsize=9, **place)


def _texts(stage: StageLatency) -> list[str]:
    return [f"{stage.median:.0f}", f"{stage.p90:.0f}", f"{100 * stage.share:.0f}"]


def _turns(latency: Latency) -> str:
    return f"{len(latency.turns)} turn" + ("" if len(latency.turns) == 1 else "s")


def short(text: str, limit: int = 28) -> str:
    """A label that leaves room for the bars."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
