"""How well the words alone tell a finished turn from one that is broken off, and the numbers the engine is built on.

    python -m bench.written_turn

The utterances are in bench/utterances/: as written, and most of them as Whisper base understood them when a voice of
this machine said them; of a broken-off one it often makes a sentence. Every other pair of a finished and a broken-off
one, as written, serves to fit the curve and the thresholds of lkcook/engines/written_turn.py, which this prints. The
table is about the others, which the prompt was found with an eye on, and about those called unseen, which were written
when all that was settled: believe these.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from lkcook.engines import weights
from lkcook.engines.written_turn import THRESHOLDS, WEIGHT, WrittenTurn, curve

UTTERANCES = Path(__file__).with_name("utterances")


@dataclass(frozen=True)
class Turn:
    """One utterance. heard: None when the recogniser understood nothing."""

    language: str
    pair: int
    finished: bool
    question: str
    written: str
    heard: str | None


def turns(language: str, name: str = "") -> list[Turn]:
    """The utterances of one language in one file, a finished and a broken-off one in turn."""
    lines = (UTTERANCES / f"{name or language}.txt").read_text().splitlines()
    rows = [[part.strip() for part in line.split("|")] for line in lines if line[:1] in ("+", "-")]
    return [Turn(language, at // 2, row[0] == "+", row[1], row[2], row[3] or None) for at, row in enumerate(rows)]


@dataclass(frozen=True)
class Sample:
    """An utterance in one form ("written", "heard"), what the engine gives to its ending, and the seconds that took."""

    turn: Turn
    form: str
    ending: float
    seconds: float


def ask(engine: WrittenTurn, turn: Turn, form: str) -> Sample:
    """Measure one."""
    words = getattr(turn, form)
    begun = time.perf_counter()
    ending = engine.ending(turn.question, words)
    return Sample(turn, form, ending, time.perf_counter() - begun)


def fit_curve(samples: list[Sample]) -> tuple[float, float]:
    """Slope and offset of the logistic curve over the log-odds of the ending, by Newton's method."""
    odds = np.array([np.log(s.ending / (1 - s.ending)) for s in samples])
    x, y = np.stack([odds, np.ones_like(odds)], axis=1), np.array([s.turn.finished for s in samples], float)
    weight = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ weight))
        weight += np.linalg.solve(x.T @ (x * (p * (1 - p))[:, None]) + 1e-3 * np.eye(2), x.T @ (y - p) - 1e-3 * weight)
    return float(weight[0]), float(weight[1])


def threshold(samples: list[Sample], fitted: tuple[float, float]) -> float:
    """The one with the fewest mistakes; in the middle, if many are as good."""
    values = [curve(s.ending, *fitted) for s in samples]
    grid = np.arange(0.02, 0.99, 0.01)
    right = [sum((value >= limit) == s.turn.finished for value, s in zip(values, samples)) for limit in grid]
    return float(np.median(grid[np.array(right) == max(right)]))


def auc(samples: list[Sample]) -> float:
    """How often a finished turn is rated above a broken-off one."""
    finished = np.array([s.ending for s in samples if s.turn.finished])
    broken = np.array([s.ending for s in samples if not s.turn.finished])
    above, level = finished[:, None] > broken, finished[:, None] == broken
    return float((above + 0.5 * level).mean())


def row(samples: list[Sample], fitted: tuple[float, float], limit: float) -> list[str]:
    """AUC, accuracy, false cut-offs, missed ends, ms."""
    cut = [curve(s.ending, *fitted) >= limit for s in samples if not s.turn.finished]
    missed = [curve(s.ending, *fitted) < limit for s in samples if s.turn.finished]
    wrong = (sum(cut) + sum(missed)) / len(samples)
    shares = [f"{share:.0%}" for share in (1 - wrong, np.mean(cut), np.mean(missed))]
    return [str(len(samples)), f"{auc(samples):.3f}", *shares, f"{np.median([s.seconds for s in samples]) * 1000:.0f}"]


def main() -> None:
    """Measure and print."""
    engine = WrittenTurn(weights.fetch(WEIGHT))
    samples = [
        ask(engine, turn, form)
        for language in THRESHOLDS
        for turn in turns(language)
        for form in ("written", "heard")
        if getattr(turn, form)
    ]
    fit = [s for s in samples if s.turn.pair % 2 == 0 and s.form == "written"]
    fitted = fit_curve(fit)
    limits = {name: round(threshold([s for s in fit if s.turn.language == name], fitted), 2) for name in THRESHOLDS}
    table = Table("", "words", "n", "AUC", "right", "cut off", "missed ends", "ms", title="the other half")
    for language, limit in limits.items():
        for form in ("written", "heard"):
            rest = [s for s in samples if s.turn.pair % 2 and (s.turn.language, s.form) == (language, form)]
            table.add_row(language, form, *row(rest, fitted, limit))
        unseen = [ask(engine, turn, "written") for turn in turns(language, f"{language}-unseen")]
        table.add_row(language, "unseen", *row(unseen, fitted, limit))
    Console(width=100).print(table, f"slope {fitted[0]:.2f}, offset {fitted[1]:.2f}, thresholds {limits}", sep="\n")


if __name__ == "__main__":
    main()
