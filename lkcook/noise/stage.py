"""Recordings one after the other, equally loud, as one call: what noises are added to, and cancellers hear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lkcook.audio.clip import Clip
from lkcook.errors import CookError
from lkcook.noise.generators import sampled
from lkcook.noise.mixing import rms, speaking
from lkcook.turns.recordings import TurnRecording

RATE = 24_000  # Hz: what an AgentSession takes from a room (RoomOptions.audio_input)
LEVEL = 0.07  # RMS of the speech
TAIL = 1.2  # seconds kept of the silence after a turn: long enough for a VAD to tell its end
NEAR = 0.25  # seconds: what a VAD may be early with the end of a turn
COLLAR = 0.1  # seconds at each side of a mark that count neither as speech nor as silence
_STEP = 0.01  # seconds
Span = tuple[float, float]


@dataclass(frozen=True)
class Turn:
    """A recording on the stage; seconds from the beginning of all. spoken: where somebody speaks."""

    name: str
    text: str
    begin: float
    spoken: tuple[Span, ...]
    until: float

    @property
    def end(self) -> float:
        """Of the last sound."""
        return self.spoken[-1][1]


@dataclass(frozen=True)
class Heard:
    """What a VAD made of it. false, missed: seconds of silence taken for speech, and the reverse.

    cut_offs: ends of speech where the caller was speaking. not_ended: turns whose end was not noticed within 1.2 s.
    """

    false: float
    missed: float
    cut_offs: int
    not_ended: int


class Stage:
    """clip: all recordings without noise, int16 mono at 24 kHz. turns: where each is."""

    def __init__(self, recordings: Sequence[TurnRecording]) -> None:
        parts, self.turns, begin = [], [], 0.0
        for recording in recordings:
            samples = _levelled(recording)
            until = begin + len(samples) / RATE
            spans = tuple((start + begin, end + begin) for start, end in _spoken(recording, samples))
            self.turns.append(Turn(recording.name, recording.text, begin, spans, until))
            parts.append(samples)
            begin = until
        self.clip = Clip(np.round(np.concatenate(parts) * 32768).astype(np.int16), RATE)
        self.spans = [span for turn in self.turns for span in turn.spoken]

    @property
    def text(self) -> str:
        """All that is said."""
        return " ".join(turn.text for turn in self.turns if turn.text)

    @property
    def speech(self) -> float:
        """Seconds in which somebody speaks."""
        return sum(end - start for start, end in self.spans)

    def turn(self, recording: str | int) -> Turn:
        """By name or index. Raises CookError."""
        names = [turn.name for turn in self.turns]
        index = names.index(recording) if recording in names else recording
        if isinstance(index, str) or not -len(names) <= index < len(names):
            raise CookError(f"There is no recording {recording!r} in this study.", f"It has {', '.join(names)}.")
        return self.turns[index]

    def judged(self, found: Sequence[Span]) -> Heard:
        """What a VAD that found speech in these spans has got wrong."""
        truth, heard = self._at(self.spans), self._at(found)
        sure = ~self._at([(mark - COLLAR, mark + COLLAR) for span in self.spans for mark in span])
        ends = [end for _, end in found]
        return Heard(
            false=float(np.sum(heard & ~truth & sure) * _STEP),
            missed=float(np.sum(truth & ~heard & sure) * _STEP),
            cut_offs=sum(start + NEAR < each < end - NEAR for each in ends for start, end in self.spans),
            not_ended=sum(not any(turn.end - NEAR <= each <= turn.until for each in ends) for turn in self.turns),
        )

    def _at(self, spans: Sequence[Span]) -> np.ndarray:
        """bool for each 10 ms: inside one of the spans."""
        out = np.zeros(round(self.clip.duration / _STEP), bool)
        for start, end in spans:
            out[max(0, round(start / _STEP)) : max(0, round(end / _STEP))] = True
        return out


def _levelled(recording: TurnRecording) -> np.ndarray:
    """float at 24 kHz, until `TAIL` after the end; its loudest sample is never clipped."""
    samples = sampled(recording.clip, RATE)[: int((recording.end + TAIL) * RATE)]
    speech = speaking(samples, RATE)
    if not speech.any():
        raise CookError(f"There is nothing to be heard in {recording.name!r}.", "Leave it out.")
    return samples * min(LEVEL / rms(samples[speech]), 0.9 / float(np.abs(samples).max()))


def _spoken(recording: TurnRecording, samples: np.ndarray) -> list[Span]:
    """From the first sound to the end, without the pauses that are marked."""
    marks = [int(np.argmax(speaking(samples, RATE))) / RATE]
    for start, end in recording.pauses:
        marks += [start, end]
    marks.append(recording.end)
    return list(zip(marks[::2], marks[1::2]))
