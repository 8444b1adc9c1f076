"""What is measured of noise cancellers, and one such metric as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lkcook.report.html import columns, table

MISSING = "–"


@dataclass(frozen=True)
class Metric:
    """title and help for the reader, how a value is written, and which is better: +1 for more, -1 for less."""

    title: str
    help: str
    form: str
    better: int

    @property
    def headline(self) -> str:
        """Title, help, and which way is better: over a picture."""
        return f"{self.title}: {self.help}; {'higher' if self.better > 0 else 'lower'} is better"


METRICS = {
    "snr_gain": Metric("SNR gain, dB", "what the canceller adds to the signal-to-distortion ratio", "{:+.1f}", 1),
    "snr_after": Metric("SNR, dB", "signal-to-distortion ratio of the speech, behind the canceller", "{:.1f}", 1),
    "sig": Metric("SIG", "the voice alone, 1 (bad) to 5, as DNSMOS P.835 guesses it", "{:.2f}", 1),
    "bak": Metric("BAK", "the background alone, 1 (bad) to 5, as DNSMOS P.835 guesses it", "{:.2f}", 1),
    "ovrl": Metric("OVRL", "voice and background together, 1 (bad) to 5, as DNSMOS P.835 guesses it", "{:.2f}", 1),
    "p808": Metric("P.808", "all of it, 1 (bad) to 5, as DNSMOS P.808 guesses it", "{:.2f}", 1),
    "wer": Metric("WER", "words wrong, missing and too many, per word said", "{:.0%}", -1),
    "vad_false": Metric("VAD false, s", "seconds of silence that the VAD took for speech", "{:.1f}", -1),
    "vad_missed": Metric("VAD missed, s", "seconds of speech that the VAD took for silence", "{:.1f}", -1),
    "cut_offs": Metric("cut off", "ends of speech that the VAD told in the midst of it", "{:.3g}", -1),
    "not_ended": Metric("not ended", "turns whose end the VAD had not told 1.2 s later", "{:.3g}", -1),
    "real_time_factor": Metric("real time", "seconds of processor time per second of sound, outside a call", "{:.3f}", -1),
}


class MetricTable:
    """One metric, canceller by noise. values: canceller -> a number, or None, for each of noises."""

    def __init__(self, metric: Metric, noises: Sequence[str], values: dict[str, list[float | None]]) -> None:
        self.metric, self.noises, self.values = metric, tuple(noises), values

    @property
    def _headers(self) -> list[tuple[str, str]]:
        return [(self.metric.title, self.metric.help), *((noise, "") for noise in self.noises), ("mean", "")]

    def _cells(self) -> list[list[str]]:
        shown = {who: [written(self.metric, value) for value in row] for who, row in self.values.items()}
        best = [self._best([row[i] for row in self.values.values()]) for i in range(len(self.noises))]
        alike = [len({row[i] for row in shown.values()}) == 1 for i in range(len(self.noises))]
        marks: list[set[str]] = [set() if same else {written(self.metric, top)} for top, same in zip(best, alike)]
        marked = {who: [cell + "*" * (cell in top) for cell, top in zip(row, marks)] for who, row in shown.items()}
        return [[who, *row, written(self.metric, mean(self.values[who]))] for who, row in marked.items()]

    def _best(self, column: Sequence[float | None]) -> float | None:
        known = [value for value in column if value is not None]
        return max(known, key=lambda value: value * self.metric.better, default=None)

    def _repr_html_(self) -> str:
        return table(f"{self.metric.title}: {self.metric.help}; * the best", self._headers, self._cells())

    def __repr__(self) -> str:
        return columns([title for title, _ in self._headers], self._cells())


def mean(values: Sequence[float | None]) -> float | None:
    """Of those that are known; None if none is."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def written(metric: Metric, value: float | None) -> str:
    """As a table shows it."""
    return MISSING if value is None else metric.form.format(value).replace("-", "−")
