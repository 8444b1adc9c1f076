"""The lines of a scripted caller, and the samples they become."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from lkcook import paths
from lkcook.audio.clip import Clip
from lkcook.errors import CookError

RATE = 24_000
AUDIBLE = 328  # of 32768, one per cent: what is quieter does not count as speech
_MARGIN = int(0.01 * RATE)  # kept around the speech, so that no consonant is clipped
_VERSION = "3"  # part of the cache key: raise it when the voice changes


class Voice(Protocol):
    """What speaks the lines: `engines.text_to_speech.TextToSpeech`, or a test's own."""

    def synthesize(self, text: str, *, voice: str) -> np.ndarray:
        """`text` as int16 mono at 24 kHz."""


class Line:
    """One line of a script.

        Line("At seven o'clock", 0.4, "tonight, please.")   a pause of 0.4 s in mid-sentence
        Line("Stop!", barge_in=1.5)                          spoken 1.5 s after the agent begins its reply
        Line("¿Quién es?", language="es")                    in Spanish, by a voice that speaks it
        Line(cough, barge_in=1.5, reply=False)               a recorded sound (a Clip) that expects no answer
    """

    def __init__(
        self, *parts: str | float | Clip, barge_in: float | None = None, language: str = "en", reply: bool = True
    ) -> None:
        if not any(isinstance(part, Clip) or (isinstance(part, str) and part.strip()) for part in parts):
            raise ValueError("a line needs words, or a sound")
        self.parts = parts
        self.barge_in = barge_in
        self.language = language
        self.reply = reply

    @property
    def text(self) -> str:
        """The words without the pauses."""
        return " ".join(part for part in self.parts if isinstance(part, str))

    def __repr__(self) -> str:
        return f"Line({self.text!r})"


@dataclass(frozen=True)
class Prepared:
    """A line ready to be spoken: int16 mono at 24 kHz. reply: the caller goes on only when it was answered."""

    text: str
    samples: np.ndarray
    reply: bool = True

    @property
    def first_sound(self) -> int:
        """Index of the first audible sample."""
        return int(np.argmax(self._audible())) if self._audible().any() else 0

    @property
    def last_sound(self) -> int:
        """Index behind the last audible sample: where the last syllable ends."""
        audible = np.flatnonzero(self._audible())
        return int(audible[-1]) + 1 if len(audible) else len(self.samples)

    def _audible(self) -> np.ndarray:
        return np.abs(self.samples.astype(np.int32)) >= AUDIBLE


def prepare(
    script: Sequence[Line], voice: str, engine: Callable[[], Voice] | None = None
) -> list[Prepared]:
    """Synthesise every line; words spoken before come from the cache, so a known script needs no model.

    engine: makes the voice when the cache lacks something; None loads the project's own.
    """
    speaker = _Speaker(voice, engine)
    return [Prepared(line.text, _samples(line, speaker), line.reply) for line in script]


def _samples(line: Line, speaker: _Speaker) -> np.ndarray:
    return np.concatenate([_sound(part, line.language, speaker) for part in line.parts])


def _sound(part: str | float | Clip, language: str, speaker: _Speaker) -> np.ndarray:
    if isinstance(part, Clip):
        return part.mono(RATE)
    return speaker.say(part, language) if isinstance(part, str) else np.zeros(int(part * RATE), np.int16)


class _Speaker:
    def __init__(self, voice: str, engine: Callable[[], Voice] | None) -> None:
        self._voice = voice
        self._make = engine or _own_voice
        self._cached = engine is None
        self._engine: Voice | None = None

    def say(self, text: str, language: str) -> np.ndarray:
        voice = self._voice if language == "en" else _fluent(self._voice, language)
        path = self._path(text, voice)
        if self._cached and (known := _known(path)) is not None:
            return known
        self._engine = self._engine or self._make()
        samples = trimmed(self._engine.synthesize(text, voice=voice))
        if self._cached:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}-{id(self)}.part")  # two kernels may speak the same line
            Clip(samples, RATE).write(part)
            part.replace(path)
        return samples

    def _path(self, text: str, voice: str) -> Path:
        key = hashlib.sha256("\0".join((_VERSION, voice, text)).encode()).hexdigest()
        return paths.cache_dir() / "caller" / f"{key}.wav"


def _fluent(voice: str, language: str) -> str:
    """The voice of the same sex that speaks `language`. Raises CookError when there is none."""
    from lkcook.engines.voices import LANGUAGES, VOICES, in_language

    try:
        return in_language(VOICES[voice], language).name
    except KeyError as foreign:
        known = " and ".join(LANGUAGES)
        raise CookError(f"No voice here speaks {language!r}.", f"The callers speak {known}; or play a WAV file.") from foreign


def _known(path: Path) -> np.ndarray | None:
    """What the cache holds; None when that is nothing, or damaged (a computer that went off while it wrote)."""
    try:
        return Clip.read(path).samples
    except CookError:
        return None


def trimmed(samples: np.ndarray) -> np.ndarray:
    """Without the silence that a synthetic voice leaves around its words."""
    audible = np.flatnonzero(np.abs(samples.astype(np.int32)) >= AUDIBLE)
    if not len(audible):
        return samples
    return samples[max(0, audible[0] - _MARGIN) : audible[-1] + _MARGIN]


def _own_voice() -> Voice:
    from lkcook.engines.text_to_speech import TextToSpeech

    return TextToSpeech(threads=1)
