"""Pictures of a turn study: one recording with its detectors, what each could do, and what its delays do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lkcook.report.picture import COLOURS, INK, Plot, inked, on_axes
from lkcook.report.turn_decisions import Asked, Delays, Score, Trial
from lkcook.turns.recordings import TurnRecording

ASKED, PAUSE, COMMIT, CUT = COLOURS[0], COLOURS[4], COLOURS[2], COLOURS[5]
LEGEND = (
    "seconds; shaded: pauses inside the turn; dashed line: its end\n"
    "stem: probability of an end, dash: threshold; cross: cut off; triangle: committed, after the wait below it"
)
_SOUND, _LANE = 1.5, 0.62  # inches
_ROWS = (1.12, 1.45, 1.78)  # of words, in heights of the loudest sample
_NO_OPINION = 0.5  # where a question is drawn that nobody answered with a probability


def lanes(trials: Sequence[tuple[str, Trial]], delays: Mapping[str, Delays]) -> Plot:
    """The waveform over one lane for each (label, trial)."""
    recording = trials[0][1].recording

    def paint(figure: Any) -> None:
        heights = [_SOUND, *[_LANE] * len(trials)]
        every = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
        _sound(every[0], recording)
        every[0].set_xlim(0, _until(trials, delays))
        for axes, (label, trial) in zip(every[1:], trials):
            _lane(axes, label, trial, delays[label])
        for axes in every:
            for start, end in recording.pauses:
                axes.axvspan(start, end, color=PAUSE, alpha=0.22, linewidth=0)
            axes.axvline(recording.end, color=INK, linewidth=1, linestyle="--")
            axes.spines[["top", "right", "left"]].set_visible(False)
            inked(axes)
        every[-1].set_xlabel(LEGEND)

    return Plot(_told(trials, delays), _SOUND + _LANE * len(trials) + 0.9, paint)


def tradeoff(curves: Mapping[str, Sequence[Score]], now: Mapping[str, Score]) -> Plot:
    """Mean wait against turns cut off: a curve for each detector that has settings, a dot for those in force."""

    def draw(axes: Any) -> None:
        for (label, curve), colour in zip(curves.items(), COLOURS * len(curves)):
            waits, shares = [each.mean_wait for each in curve], [100 * each.cut for each in curve]
            axes.plot(waits, shares, color=colour, drawstyle="steps-post", linewidth=1.5)
            if now[label].waits:
                axes.plot(now[label].mean_wait, 100 * now[label].cut, "o", color=colour, markersize=9, label=label)
        axes.set(xlabel="mean wait after the end, seconds; dots: the settings in force", ylabel="% of turns cut off")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=-2)
        axes.spines[["top", "right"]].set_visible(False)
        if any(score.waits for score in now.values()):
            axes.legend(frameon=False, labelcolor=INK)

    told = [f"{label}: {each.cut:.0%} cut off, mean wait {each.mean_wait:.2f} s" for label, each in now.items()]
    return Plot("\n".join(told), 3.6, on_axes(draw))


class Knobs(Plot):
    """What min_delay and max_delay do to one detector.

    rows: dicts of knob ("min_delay", "max_delay"), delay (seconds), cut (share of turns, 0 to 1), mean_wait (seconds).
    """

    def __init__(self, label: str, now: Delays, least: Sequence[Score], most: Sequence[Score]) -> None:
        self.rows = [_knob("min_delay", each.delays.min_delay, each) for each in least]
        self.rows += [_knob("max_delay", each.delays.max_delay, each) for each in most]
        told = f"{label}: turns cut off and mean wait by min_delay (now {now.min_delay} s), max_delay ({now.max_delay})"
        super().__init__(told, 3.6, self._drawn)
        self._now = {"min_delay": now.min_delay, "max_delay": now.max_delay}

    def _drawn(self, figure: Any) -> None:
        every = figure.subplots(2, 2, sharex="col", sharey="row")
        for column, knob in zip(every.T, self._now):
            rows = [row for row in self.rows if row["knob"] == knob]
            delays = [row["delay"] for row in rows]
            column[0].plot(delays, [100 * row["cut"] for row in rows], color=CUT)
            column[1].plot(delays, [row["mean_wait"] for row in rows], color=COMMIT)
            column[1].set_xlabel(f"{knob}, seconds (dotted: now)")
            for axes in column:
                axes.axvline(self._now[knob], color=INK, linestyle=":", linewidth=1.5)
        for axes in every.flat:  # now, since each row shares its scale
            axes.set_ylim(bottom=0)
            axes.spines[["top", "right"]].set_visible(False)
            inked(axes)
        every[0][0].set_ylabel("% of turns cut off")
        every[1][0].set_ylabel("mean wait, s")


def _knob(name: str, delay: float, score: Score) -> dict[str, Any]:
    return {"knob": name, "delay": delay, "cut": score.cut, "mean_wait": score.mean_wait}


def _sound(axes: Any, recording: TurnRecording) -> None:
    samples, rate = recording.clip.samples / 32768, recording.clip.sample_rate
    axes.plot(np.arange(len(samples)) / rate, samples, color=INK, linewidth=0.5)
    top = float(np.abs(samples).max()) or 1.0
    for i, word in enumerate(recording.words):
        place, height = (word.start + word.end) / 2, top * _ROWS[i % len(_ROWS)]
        axes.text(place, height, word.text, color=INK, ha="center", fontsize=8, parse_math=False)
    if not recording.words:
        axes.text(0, _ROWS[0] * top, recording.text, color=INK, fontsize=8, parse_math=False)
    axes.set(yticks=[], ylim=(-1.1 * top, 2.2 * top))


def _lane(axes: Any, label: str, trial: Trial, delays: Delays) -> None:
    result = trial.outcome(delays)
    for each in trial.asked:
        _question(axes, each)
    for at in result.cut_offs:
        axes.plot([at, at], [0, 1], color=CUT, linewidth=2)
        axes.plot(at, 1, "X", color=CUT, markersize=8, clip_on=False)
    if result.committed is not None and result.wait is not None:
        axes.barh(0.06, result.wait, left=trial.recording.end, height=0.12, color=COMMIT, alpha=0.6, linewidth=0)
        axes.plot([result.committed] * 2, [0, 1], color=COMMIT, linewidth=2)
        axes.plot(result.committed, 1, "v", color=COMMIT, markersize=8, clip_on=False)
        axes.text(result.committed + 0.05, 0.35, f"{result.wait:.2f} s", color=INK, fontsize=8)
    axes.set(ylim=(0, 1.15), yticks=[])
    axes.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9, parse_math=False)


def _question(axes: Any, asked: Asked) -> None:
    """A stem up to the probability, and a dash at the threshold; a hollow dot when there is none."""
    height = _NO_OPINION if asked.probability is None else asked.probability
    axes.plot([asked.answered] * 2, [0, height], color=ASKED, linewidth=1)
    fill = "none" if asked.probability is None else "full"
    axes.plot(asked.answered, height, "o", color=ASKED, markersize=4, fillstyle=fill)
    if asked.threshold is not None and asked.probability is not None:
        axes.plot([asked.answered - 0.07, asked.answered + 0.07], [asked.threshold] * 2, color=INK, linewidth=1.5)


def _until(trials: Sequence[tuple[str, Trial]], delays: Mapping[str, Delays]) -> float:
    """Seconds that are drawn: a recogniser may commit when the recording has long ended."""
    committed = [trial.outcome(delays[label]).committed or 0.0 for label, trial in trials]
    return max(trials[0][1].recording.clip.duration, *(at + 0.5 for at in committed))


def _told(trials: Sequence[tuple[str, Trial]], delays: Mapping[str, Delays]) -> str:
    lines = [repr(trials[0][1].recording)]
    for label, trial in trials:
        result = trial.outcome(delays[label])
        cut = "".join(f"cut off at {at:.2f} s, " for at in result.cut_offs)
        end = "never committed" if result.wait is None else f"committed {result.wait:.2f} s after the end"
        lines.append(f"{label}: {cut}{end}")
    return "\n".join(lines)
