"""Speech for tests: spoken by this project's own voice, read from disk, and compared word by word."""

from __future__ import annotations

import json
import wave
from functools import cache
from pathlib import Path

import numpy as np

from lkcook import pcm
from lkcook.engines.text_to_speech import TextToSpeech
from lkcook.report.words import plain as plain, word_error_rate as word_error_rate

LIBRIVOX = Path(__file__).parent / "data" / "librivox"


@cache
def voice() -> TextToSpeech:
    return TextToSpeech(threads=1)


def say(*parts: str | float, rate: int = 16_000) -> np.ndarray:
    """int16 at `rate`: words in the caller's voice, numbers as seconds of silence, trimmed at both ends."""
    pieces = []
    for part in parts:
        if isinstance(part, str):
            samples = pcm.resample(voice().synthesize(part, voice="caller"), 24_000, rate)
            loud = np.flatnonzero(np.abs(samples) > 327)
            pieces.append(samples[loud[0] : loud[-1] + rate // 100])
        else:
            pieces.append(np.zeros(int(part * rate), np.int16))
    return np.concatenate(pieces)


def human() -> list[tuple[np.ndarray, str]]:
    """(int16 at 16 kHz, what is said) of the five LibriVox utterances."""
    said = json.loads((LIBRIVOX / "transcription.json").read_text())
    return [(read_wav(LIBRIVOX / f"{name}.wav"), text) for name, text in sorted(said.items())]


def read_wav(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)
