"""What an echo canceller did to both ends of a conversation: a table, plain rows, sounds, and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lkcook.audio.clip import Clip
from lkcook.errors import CookError
from lkcook.report import echo_drawing as drawing
from lkcook.report.html import columns, table
from lkcook.report.picture import Plot
from lkcook.report.words import word_error_rate

if TYPE_CHECKING:
    from lkcook.noise.acoustics import Acoustics

WINDOW, STEP = 0.25, 0.05  # seconds over which a level is taken, and between two of them
OVER_NOISE, UNDER_PEAK = 10.0, 20.0  # dB: an echo counts above the microphone's noise and not in the far end's pauses
CONVERGED = 15.0  # dB
_LAG = 0.03  # seconds that a canceller may keep sound back
_ROOM = (0.1, 0.3)  # seconds of the double-talk before and after the near end's words
_FORMS = {"wer": "{:.0%}"}  # as a noise study writes it
HEADERS = (
    ("microphone", "in the room as it is, behind the echo canceller, or beside headphones"),
    ("echo, dBFS", "level of what is left of the far end while it speaks alone, in the second half of that time"),
    ("ERLE, dB", "echo return loss enhancement: by how much the canceller made the echo softer, median of that time"),
    ("converged, s", f"seconds of the call after which, until both speak, its ERLE was never below {CONVERGED:g} dB"),
    ("near end, dB", "level of the caller's own sound while both speak, against the level while he speaks alone"),
    ("WER", "word error rate of the caller's words while both speak"),
    ("understood", "by the recogniser, while both speak"),
)


@dataclass
class EchoTrial:
    """One microphone: int16 mono at 48 kHz before and behind the canceller (the same where there is none).

    alone: what is heard of the near end where the far end is silent: the gain control, too, changes its level.
    """

    label: str
    acoustics: Acoustics
    microphone: np.ndarray
    heard: np.ndarray
    alone: np.ndarray
    understood: str | None = None

    @property
    def cancelled(self) -> bool:
        """Whether there is a canceller."""
        return self.heard is not self.microphone


class EchoStudy:
    """Three microphones in one conversation; what `lkcook.compare_echo` returns.

    far, near: what each end really sounds like, on one clock. begin, end: seconds between which both speak; before and
    after that the far end is alone. text: the near end's words, if they are known.
    """

    def __init__(
        self, far: Clip, near: Clip, begin: float, end: float, trials: Sequence[EchoTrial], text: str = ""
    ) -> None:
        self.far, self.near, self.begin, self.end, self.text = far, near, begin, end, text
        self.trials = list(trials)

    @property
    def clips(self) -> dict[str, Clip]:
        """What the agent would hear of each microphone: `lkcook.compare(study.clips)` lets you hear them."""
        return {trial.label: Clip(trial.heard, self.near.sample_rate) for trial in self.trials}

    def double_talk(self, label: str) -> Clip:
        """What the agent would hear while both speak. Raises CookError for an unknown label."""
        rate = self.near.sample_rate
        start, stop = (round(at * rate) for at in (self.begin - _ROOM[0], self.end + _ROOM[1]))
        return Clip(self._trial(label).heard[start:stop], rate)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One dict for each microphone: microphone, echo (dBFS), erle (dB), converged (s), near (dB), wer, understood.

        erle and converged are None without a canceller, or where they never came to be; wer and understood without a
        recogniser.
        """
        return [self._row(trial) for trial in self.trials]

    @cached_property
    def erle(self) -> tuple[np.ndarray, np.ndarray]:
        """(seconds, dB) of the canceller, in windows of 0.25 s; only where the far end is alone and its echo clear."""
        (trial,) = [each for each in self.trials if each.cancelled]
        at, before = self.levels(trial.microphone)
        loud = before > max(trial.acoustics.noise_level + OVER_NOISE, before.max() - UNDER_PEAK)
        alone = loud & ((at + WINDOW <= self.begin) | (at >= self.end))
        return at[alone], (before - self.levels(trial.heard)[1])[alone]

    def plot(self) -> Plot:
        """The far end, the microphone, what is left behind the canceller, and the ERLE over time."""
        return drawing.lanes(self)

    def levels(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(seconds, dB of full scale): the RMS of windows of 0.25 s, by where they begin."""
        rate = self.near.sample_rate
        starts = np.arange(0, len(samples) - int(WINDOW * rate) + 1, int(STEP * rate))
        total = np.concatenate([[0.0], np.cumsum((samples / 32768.0) ** 2)])
        power = (total[starts + int(WINDOW * rate)] - total[starts]) / int(WINDOW * rate)
        return starts / rate, 10 * np.log10(np.maximum(power, 1e-12))

    def _row(self, trial: EchoTrial) -> dict[str, Any]:
        erle, converged = self._canceller() if trial.cancelled else (None, None)
        understood = trial.understood
        return {
            "microphone": trial.label,
            "echo": _level(trial.heard[self._settled()]),
            "erle": erle,
            "converged": converged,
            "near": self._near_end(trial.heard) - self._near_end(trial.alone),
            "wer": None if understood is None else word_error_rate(self.text, understood),
            "understood": understood,
        }

    def _settled(self) -> slice:
        rate = self.near.sample_rate
        return slice(round(self.begin / 2 * rate), round(self.begin * rate))

    def _canceller(self) -> tuple[float | None, float | None]:
        """Its ERLE once it has settled, and since when it was good enough; None where no echo was audible, or never."""
        at, gained = (values[self.erle[0] < self.begin] for values in self.erle)
        settled = gained[at >= self.begin / 2]
        if not len(settled):
            return None, None
        good = np.flatnonzero(gained < CONVERGED)[-1] + 1 if (gained < CONVERGED).any() else 0
        return float(np.median(settled)), float(at[good]) if good < len(at) else None

    def _near_end(self, heard: np.ndarray) -> float:
        """dB of the near end in `heard`: projected on it at the best lag, so that an echo counts for nothing."""
        rate = self.near.sample_rate
        both = slice(round(self.begin * rate), round(self.end * rate))
        said, mixed = self.near.samples[both].astype(float), heard[both].astype(float)
        size = 1 << (2 * len(said)).bit_length()
        matches = np.fft.irfft(np.fft.rfft(mixed, size) * np.fft.rfft(said, size).conj(), size)[: int(_LAG * rate)]
        return float(20 * np.log10(max(matches.max() / np.sum(said**2), 1e-6)))

    def _trial(self, label: str) -> EchoTrial:
        for trial in self.trials:
            if trial.label == label:
                return trial
        known = ", ".join(trial.label for trial in self.trials)
        raise CookError(f"There is no microphone {label!r} in this study.", f"It has {known}.")

    def _cells(self) -> list[list[str]]:
        return [[_written(key, value) for key, value in row.items()] for row in self.rows]

    def _repr_html_(self) -> str:
        return table(self._title(), HEADERS, self._cells())

    def __repr__(self) -> str:
        return f"{self._title()}\n{columns([title for title, _ in HEADERS], self._cells())}"

    def _title(self) -> str:
        room = self.trials[0].acoustics
        words = f"; the caller says: {self.text}" if self.text else ""
        level = f"{room.echo_level:+g}".replace("-", "−")
        return f"Echo, {room.name}: {level} dB, {1000 * room.delay:.0f} ms later{words}"


def _level(samples: np.ndarray) -> float:
    return float(10 * np.log10(max(np.mean((samples / 32768.0) ** 2), 1e-12)))


def _written(key: str, value: Any) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else _FORMS.get(key, "{:.1f}").format(value).replace("-", "−")
