"""What was said since somebody began to speak: its windows of sound, where it is quiet, and what was decoded of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np

from lkcook.engines.speech_to_text import SAMPLE_RATE
from lkcook.engines.transcript import Transcript

WINDOW = 512  # samples, 32 ms: what Silero was trained on
SECONDS = WINDOW / SAMPLE_RATE
_QUIET = 0.05  # of the utterance's loudest window: Silero takes about 0.1 s more to let go of a word
_SOFT = 8  # windows of soft speech in a row: Silero lets go of a word within 6, so the loudest window was a bang


@dataclass
class Decode:
    """One decode of an utterance, under way or done."""

    covers: int  # windows of the utterance it was given
    task: asyncio.Task[Transcript]
    thorough: bool  # may take the full window if the short one runs away
    told: bool = False

    @property
    def text(self) -> str:
        """What it found; "" while it is under way."""
        return self.task.result().text if self.task.done() and not self.task.cancelled() else ""

    @property
    def in_vain(self) -> bool:
        """It found nothing, and a thorough one might."""
        return self.task.done() and not self.text and not self.thorough


@dataclass
class Utterance:
    """Windows of float32 sound from its onset on; `start` in seconds since the stream began."""

    windows: list[np.ndarray]
    start: float
    speech_end: int  # windows up to the last loud one
    silence: int = 0  # windows since Silero last heard speech
    loudest: float = 0.0  # RMS
    soft: int = 0  # windows in a row that are speech to Silero, but not loud
    decode: Decode | None = None

    @classmethod
    def of(cls, onset: list[np.ndarray], start: float) -> Utterance:
        """It begins with the windows in which it was noticed."""
        return cls(onset, start, len(onset), loudest=max(map(loudness, onset)))

    @property
    def quiet(self) -> int:
        """Windows since the last loud one."""
        return len(self.windows) - self.speech_end

    @property
    def covered(self) -> bool:
        """The latest decode was given all that was said."""
        return self.decode is not None and self.decode.covers >= self.speech_end

    @property
    def seconds(self) -> float:
        """All of it, silence at its end included."""
        return len(self.windows) * SECONDS

    def add(self, window: np.ndarray, *, speech: bool) -> None:
        """One more window; `speech` is what Silero takes it for. The utterance's level is learned as it goes."""
        self.windows.append(window)
        self.silence = 0 if speech else self.silence + 1
        rms = loudness(window)
        self.loudest = max(self.loudest, rms)
        if speech and rms >= _QUIET * self.loudest:
            self.speech_end = len(self.windows)
        self._doubt(speech)

    def _doubt(self, speech: bool) -> None:
        """A bang must not make soft speech pass for a pause: forget it when the speech goes on after it."""
        self.soft = self.soft + 1 if speech and self.quiet else 0
        if self.soft == _SOFT:
            self.loudest = max(map(loudness, self.windows[-_SOFT:]))
            self.speech_end, self.soft = len(self.windows), 0


def loud_until(samples: np.ndarray) -> int:
    """Samples up to the end of the last loud window of float32 `samples`, as near as their level alone can tell."""
    ends = range(len(samples), 0, -WINDOW)
    levels = [loudness(samples[max(0, end - WINDOW) : end]) for end in ends]
    return next((end for end, level in zip(ends, levels, strict=True) if level >= _QUIET * max(levels)), 0)


def loudness(window: np.ndarray) -> float:
    """RMS."""
    return float(np.sqrt(np.mean(window**2)))
