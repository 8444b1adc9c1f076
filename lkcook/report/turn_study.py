"""What turn detectors did with recorded turns: a table, plain rows, and pictures."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np

from lkcook.errors import CookError
from lkcook.report import turn_study_drawing as drawing
from lkcook.report.html import columns, table
from lkcook.report.picture import Plot
from lkcook.report.turn_decisions import Delays, Score, Trial, frontier, score, sweep

FAST, SAFE = 0.6, 0.1  # seconds of mean wait; share of turns that are cut off
MIN_DELAYS = tuple(round(0.1 * i, 1) for i in range(1, 16))
MAX_DELAYS = tuple(round(0.1 * i, 1) for i in range(5, 41))
TITLE = "Turn detectors: {turns} turns, {pauses} pauses inside them"
HEADERS = (
    ("detector", "your label"),
    ("turns", "recordings that ask for an answer"),
    ("false cut-offs", "commits before the caller had finished; a turn may have several"),
    ("median wait", "seconds from the last sound to the commit"),
    ("p90 wait", "seconds; nine turns of ten were committed sooner"),
    ("never", "turns that were not committed while their recording lasted; they have no wait"),
    ("needless", "commits for back-channels, which ask for no answer"),
    (f"cut off at ≤ {FAST} s", f"share of turns, with the best setting whose mean wait is at most {FAST} s"),
    (f"wait at ≤ {SAFE:.0%} cut off", "mean seconds, with the best setting that cuts off no more than that"),
)
NOTE = (
    "The last two columns sweep the threshold and min_delay over what was recorded (max_delay stays); a VAD has only "
    "min_delay, an STT nothing to sweep (–). The best of few recordings is a guess: prefer what wins by far."
)


class TurnStudy:
    """Each detector with each recording; what `lkcook.compare_turns` returns.

    trials: label -> what was asked, recording by recording. delays: label -> the endpointing in force. fixed: labels
    of those whose settings cannot be swept. notes: what the reader should know of a detector.
    """

    def __init__(
        self,
        trials: Mapping[str, Sequence[Trial]],
        delays: Mapping[str, Delays],
        fixed: Collection[str] = (),
        notes: Sequence[str] = (),
    ) -> None:
        self.trials = {label: list(each) for label, each in trials.items()}
        self.delays, self.fixed, self.notes = dict(delays), frozenset(fixed), tuple(notes)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One dict for each detector and recording; times in seconds from the beginning of the recording.

        detector, recording, kind, language, end; asked: [{speech_end, answered, probability, threshold, finished,
        until, text}]; cut_offs: [seconds]; committed, wait: seconds or None; model: what answered.
        """
        return [_row(label, trial, self.delays[label]) for label, trials in self.trials.items() for trial in trials]

    def of(self, label: str) -> TurnStudy:
        """The same of one detector. Raises CookError for an unknown label."""
        return TurnStudy({label: self._trials(label)}, {label: self.delays[label]}, self.fixed & {label})

    def score(self, label: str, **other: float) -> Score:
        """The detector's cut-offs, waits and needless commits, with the settings in force. Raises CookError.

        other: min_delay=, max_delay=, in seconds, instead of those.
        """
        return score(self._trials(label), replace(self.delays[label], **other))

    def sweep(self, label: str) -> list[Score]:
        """The detector's scores with other thresholds and min_delays. Raises CookError for one without settings."""
        self._sweepable(label)
        return sweep(self._trials(label), self.delays[label].max_delay)

    def plot(self, recording: str | int) -> Plot:
        """One recording, by name or index: the sound, its pauses, and a lane for each detector."""
        index = self._index(recording)
        return drawing.lanes([(label, trials[index]) for label, trials in self.trials.items()], self.delays)

    def tradeoff(self) -> Plot:
        """What each detector could do: mean wait against the share of turns cut off; the settings in force marked."""
        curves = {label: [] if label in self.fixed else frontier(self.sweep(label)) for label in self.trials}
        return drawing.tradeoff(curves, {label: self.score(label) for label in self.trials})

    def knobs(self, label: str) -> drawing.Knobs:
        """What min_delay (0.1 to 1.5 s) and max_delay (0.5 to 4 s) do to one detector; `.rows` holds the numbers."""
        self._sweepable(label)
        trials, now = self._trials(label), self.delays[label]
        least = [score(trials, Delays(delay, max(delay, now.max_delay))) for delay in MIN_DELAYS]
        most = [score(trials, Delays(min(delay, now.min_delay), delay)) for delay in MAX_DELAYS]
        return drawing.Knobs(label, now, least, most)

    def _trials(self, label: str) -> list[Trial]:
        if label not in self.trials:
            raise CookError(f"There is no detector {label!r} in this study.", f"It has {', '.join(self.trials)}.")
        return self.trials[label]

    def _sweepable(self, label: str) -> None:
        self._trials(label)
        if label in self.fixed:
            raise CookError(f"{label!r} decides by itself: it has no settings that could be swept.", "Take another.")

    def _index(self, recording: str | int) -> int:
        names = [trial.recording.name for trial in next(iter(self.trials.values()))]
        if isinstance(recording, str) and recording not in names:
            raise CookError(f"There is no recording {recording!r} in this study.", f"It has {', '.join(names)}.")
        index = names.index(recording) if isinstance(recording, str) else recording
        if not -len(names) <= index < len(names):
            raise CookError(f"This study has {len(names)} recordings, none with index {index}.", "Count from 0.")
        return index

    def _title(self) -> str:
        recordings = [trial.recording for trial in next(iter(self.trials.values())) if trial.recording.answerable]
        return TITLE.format(turns=len(recordings), pauses=sum(len(each.pauses) for each in recordings))

    def _cells(self, label: str) -> list[str]:
        now = self.score(label)
        waits = [f"{value:.2f}" for value in np.percentile(now.waits, [50, 90])] if now.waits else ["–", "–"]
        best = ["–", "–"] if label in self.fixed else _best(self.sweep(label))
        return [label, str(now.turns), str(now.cut_offs), *waits, str(now.never), str(now.needless), *best]

    def _repr_html_(self) -> str:
        notes = "".join(f"<p><small>{escape(note)}</small></p>" for note in (NOTE, *self.notes))
        return table(self._title(), HEADERS, [self._cells(label) for label in self.trials]) + notes

    def __repr__(self) -> str:
        shown = columns([title for title, _ in HEADERS], [self._cells(label) for label in self.trials])
        return "\n".join([self._title(), shown, *self.notes])


def _best(scores: Sequence[Score]) -> list[str]:
    """The least share of turns cut off among the fast settings, and the shortest wait among the safe ones."""
    fast = [each.cut for each in scores if each.mean_wait <= FAST]
    safe = [each.mean_wait for each in scores if each.cut <= SAFE and each.waits]
    return [f"{min(fast):.0%}" if fast else "never", f"{min(safe):.2f}" if safe else "never"]


def _row(label: str, trial: Trial, delays: Delays) -> dict[str, Any]:
    recording, result = trial.recording, trial.outcome(delays)
    return {
        "detector": label,
        "recording": recording.name,
        "kind": recording.kind,
        "language": recording.language,
        "end": recording.end,
        "asked": [{**vars(each), "finished": each.finished()} for each in trial.asked],
        "cut_offs": list(result.cut_offs),
        "committed": result.committed,
        "wait": result.wait,
        "model": trial.model,
    }
