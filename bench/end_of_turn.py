"""How well the end-of-turn model tells a finished turn from one that is only paused.

    python -m bench.end_of_turn

Whole sentences, sentences that a scripted caller pauses in (a voice ends their first half as if it were all), and
whole ones cut after a word, by three voices of this machine and by a person who reads. The first table tells why the
gateway's semantic turn detection lets the model hear less silence than there is; the second, what comes of the way
in which it asks (lkcook/gateway/patience.py), and of asking about all the silence instead. The third is of
LiveKit's turn detector v1, which asks once in a pause (lkcook/gateway/end_of_turn.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.table import Table

from lkcook import pcm
from lkcook.engines import end_of_turn, weights
from lkcook.engines.speech_to_text import SAMPLE_RATE, SpeechToText
from lkcook.gateway.end_of_turn_heard import without_silence
from tests.speech import human, voice

VOICES = ("caller", "bella", "michael")
PAUSES = (0.1, 0.3, 0.5, 0.7)  # seconds of silence that are heard
SHORT, ALL = slice(0, 3), slice(1, 4)  # as patience.py has it, and how much there is by then
ASKED = 0.33  # seconds of silence when LiveKit's v1 asks: measured with both VADs, 0.2 s after they heard speech last
THRESHOLDS = (0.5, 0.65, 0.8, 0.9)
CUTS = (0.3, 0.45, 0.6, 0.75)  # of a sentence's words
WHOLE = [
    "What are your opening hours?",
    "Can I book a table for two?",
    "At seven o'clock tonight, please.",
    "Do you have vegetarian food?",
    "Is there parking near the restaurant?",
    "My name is Maria Lopez.",
    "I would like a table by the window.",
    "Are you open on Sunday?",
    "Could you repeat that?",
    "Please add one more person.",
    "We have a small child and need a high chair.",
    "Thank you, goodbye.",
]
BEGUN = [
    "At seven o'clock",
    "Is there parking",
    "My name is",
    "I would like a table",
    "Could you",
    "We have a small child",
    "Please add",
    "I wanted to ask whether",
    "Well, the thing is that",
    "And then, um,",
]


def said(text: str, speaker: str) -> np.ndarray:
    """float32 at 16 kHz, from the first sound to the last."""
    samples = pcm.to_float(pcm.resample(voice().synthesize(text, voice=speaker), 24_000, SAMPLE_RATE))
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    return samples[loud[0] : loud[-1] + 1]


def cut(samples: np.ndarray, text: str, ear: SpeechToText) -> Iterator[np.ndarray]:
    """The beginning of what is said, several times, each up to another word; faded out in 10 ms."""
    words = ear.align(samples, text)
    for count in sorted({max(1, int(len(words) * share)) for share in CUTS if len(words) > 3}):
        part = samples[: int(words[count - 1].end * SAMPLE_RATE)].copy()
        part[-160:] *= np.linspace(1, 0, len(part[-160:]), dtype=np.float32)
        yield part


def sets() -> dict[str, list[np.ndarray]]:
    """What is asked about, without the pauses."""
    ear = SpeechToText(weights.fetch("whisper-base"))
    whole = [(said(text, speaker), text) for text in WHOLE for speaker in VOICES]
    people = [(pcm.to_float(samples), text) for samples, text in human()]
    return {
        "voices, whole": [samples for samples, _ in whole],
        "voices, begun": [said(text, speaker) for text in BEGUN for speaker in VOICES],
        "voices, cut": [part for samples, text in whole for part in cut(samples, text, ear)],
        "a person, whole": [samples for samples, _ in people],
        "a person, cut": [part for samples, text in people for part in cut(samples, text, ear)],
    }


def answers(samples: np.ndarray) -> list[float]:
    """The probability after each pause."""
    silent = [np.zeros(int(pause * SAMPLE_RATE), np.float32) for pause in PAUSES]
    return [end_of_turn.probability(np.concatenate([samples, silence])) for silence in silent]


def once(parts: list[np.ndarray], threshold: float) -> str:
    """The share of turns that v1 takes for finished; and that it would, if all the silence were heard."""
    paused = [np.concatenate([samples, np.zeros(int(ASKED * SAMPLE_RATE), np.float32)]) for samples in parts]
    heard = [[end_of_turn.probability(sound) for sound in (without_silence(samples), samples)] for samples in paused]
    cut, whole = np.mean(np.array(heard) >= threshold, axis=0)
    return f"{cut:.0%} ({whole:.0%})"


def finished(rows: np.ndarray, threshold: float) -> str:
    """The share of turns that are taken for finished by one of the three answers (n, 3), each with those before it."""
    means = np.cumsum(rows, axis=1) / (1, 2, 3)
    return f"{np.mean(means.max(axis=1) >= threshold):.0%}"


def main() -> None:
    """Measure and print the tables."""
    end_of_turn.load()
    material = sets()
    begun = time.perf_counter()
    asked = {name: np.array([answers(samples) for samples in parts]) for name, parts in material.items()}
    took = (time.perf_counter() - begun) / sum(rows.size for rows in asked.values())
    quantiles = Table("turns", "n", *[f"{pause} s heard" for pause in PAUSES], title="probability: 10, 50, 90 %")
    limits = [f">= {limit}" for limit in THRESHOLDS]
    shares = Table("turns", *limits, title="taken for finished (all the silence heard)")
    single = Table("turns", *limits, title="taken for finished by v1 (all the silence heard)")
    for name, rows in asked.items():
        columns = np.quantile(rows, (0.1, 0.5, 0.9), axis=0).T
        quantiles.add_row(name, str(len(rows)), *[" ".join(f"{value:.2f}" for value in column) for column in columns])
        cells = [f"{finished(rows[:, SHORT], limit)} ({finished(rows[:, ALL], limit)})" for limit in THRESHOLDS]
        shares.add_row(name, *cells)
        single.add_row(name, *[once(material[name], limit) for limit in THRESHOLDS])
    console = Console(width=100)
    console.print(quantiles, shares, single, f"{took * 1000:.0f} ms per answer", sep="\n")


if __name__ == "__main__":
    main()
