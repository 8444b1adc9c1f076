"""Turns of a caller with marks of where he pauses and where he ends: what turn detectors are compared with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from livekit import rtc
from livekit.agents import inference, vad

from lkcook.audio.clip import Clip
from lkcook.audio.line import AUDIBLE
from lkcook.errors import CookError
from lkcook.report.answers import TimedWord

RATE = 16_000
FOLDER = Path(__file__).parent / "data"
MARKS = FOLDER / "marks.json"
BEFORE, AFTER = 0.5, 3.2  # seconds of silence around a turn, so that a detector's longest wait fits
NO_TURNS = ("back-channel", "cough")  # kinds that ask for no answer


@dataclass(frozen=True, eq=False)
class TurnRecording:
    """One turn of a caller; all times in seconds from the beginning of `clip` (int16, 16 kHz, mono).

    pauses: (start, end) of each silence inside the turn. end: of the last sound. kind: what makes it hard, "pause in
    mid-sentence" for example; "back-channel" and "cough" ask for no answer at all. language: ISO 639-1. words: where
    each is.
    """

    name: str
    kind: str
    language: str
    clip: Clip
    text: str
    pauses: tuple[tuple[float, float], ...]
    end: float
    words: tuple[TimedWord, ...] = ()

    @classmethod
    def of(
        cls,
        clip: Clip,
        *,
        text: str = "",
        pauses: Sequence[tuple[float, float]] | None = None,
        end: float | None = None,
        language: str = "en",
        name: str = "my turn",
        kind: str = "my own",
        between: tuple[float, float] | None = None,
    ) -> TurnRecording:
        """A recording of your own: a microphone's clip, or `call.recording` (its caller's side is taken).

        between: (start, end) in seconds of the one turn that is meant; all of `clip` if None. Silence is added where
        there is too little around it. pauses, end: seconds from `start` on; LiveKit's VAD finds what is not given.
        Raises CookError when it hears nobody.
        """
        side = clip.channel("caller") if clip.channels == 2 and "caller" in clip.labels else clip
        samples = side.mono(RATE)
        if between is not None:
            samples = samples[int(between[0] * RATE) : int(between[1] * RATE)]
        spoken = _spoken(samples) if pauses is None or end is None else []
        if pauses is None:
            pauses = [(before[1], after[0]) for before, after in zip(spoken, spoken[1:])]
        end = spoken[-1][1] if end is None else end
        start = min([*(span[0] for span in spoken), *(pause[0] for pause in pauses), end])
        early = max(0.0, BEFORE - start)
        late = max(0.0, AFTER - (len(samples) / RATE - end))
        around = [np.zeros(int(seconds * RATE), np.int16) for seconds in (early, late)]
        moved = tuple((begun + early, over + early) for begun, over in pauses)
        whole = Clip(np.concatenate([around[0], samples, around[1]]), RATE)
        return cls(name, kind, language, whole, text, moved, end + early)

    @property
    def answerable(self) -> bool:
        """False for a back-channel or a cough: nobody waits for an answer."""
        return self.kind not in NO_TURNS

    @property
    def spoken(self) -> Clip:
        """The turn without the silence around it: what a `Line` may hold."""
        audible = np.abs(self.clip.samples.astype(np.int32)) > AUDIBLE
        return Clip(self.clip.samples[int(np.argmax(audible)) : int(self.end * RATE)], RATE)

    def __repr__(self) -> str:
        pauses = ", ".join(f"{end - start:.1f} s" for start, end in self.pauses)
        return f"{self.name} ({self.kind}): {self.text!r}" + (f", pauses {pauses}" if pauses else "")

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(repr(self))}</p>{self.clip._repr_html_()}"


def turn_recordings() -> list[TurnRecording]:
    """The recordings that come with lkcook: callers of a restaurant or a clinic, and a person who reads.

    Made by bench/turn_recordings.py from the voices of this machine and from five LibriVox utterances (public domain),
    with silence of known length between words: the marks are exact, and the prosody before a pause is that of a
    sentence which goes on. Only the ones of kind "human" have real prosody, and even there the silence is inserted.
    """
    return [_read(name, **marks) for name, marks in json.loads(MARKS.read_text(encoding="utf-8")).items()]


def _read(
    name: str, kind: str, language: str, text: str, pauses: list, end: float, words: list, voice: str
) -> TurnRecording:
    timed = tuple(TimedWord(*word) for word in words)
    marks = tuple((start, until) for start, until in pauses)
    return TurnRecording(name, kind, language, Clip.read(FOLDER / f"{name}.flac"), text, marks, end, timed)


def speech_spans(samples: np.ndarray) -> list[tuple[float, float]]:
    """Where LiveKit's VAD hears speech in int16 mono at 16 kHz: (start, end) in seconds.

    In a thread of its own: a notebook's event loop is running.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(_detect(samples))).result()


def _spoken(samples: np.ndarray) -> list[tuple[float, float]]:
    found = speech_spans(samples)
    if not found:
        raise CookError("Nobody speaks in this recording.", "Record it again, nearer to the microphone.")
    return found


async def _detect(samples: np.ndarray) -> list[tuple[float, float]]:
    heard = np.concatenate([samples, np.zeros(RATE, np.int16)])
    stream, begun, found = inference.VAD().stream(), 0.0, []
    stream.push_frame(rtc.AudioFrame(heard.tobytes(), RATE, 1, len(heard)))
    stream.end_input()
    async for event in stream:
        if event.type is vad.VADEventType.START_OF_SPEECH:
            begun = max(0.0, event.timestamp - event.speech_duration)
        elif event.type is vad.VADEventType.END_OF_SPEECH:
            found.append((begun, min(event.timestamp - event.silence_duration, len(samples) / RATE)))
    await stream.aclose()
    return found
