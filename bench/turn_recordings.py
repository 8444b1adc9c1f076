"""Makes the recordings with which turn detectors are compared (lkcook/turns/data), the same ones each time.

    python -m bench.turn_recordings

A sentence is spoken in one go, so that its melody tells where it goes on, and the pauses are put between its words
afterwards. The synthetic voices still end every sentence alike; the five LibriVox utterances, which a person reads,
are the best there is here of real prosody, though their pauses are inserted too. A "mm-hmm" with the mouth closed, which
no voice here can say, and a cough are made from sines and noise.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np

from bench import noises
from bench.turn_noise import floor, with_room
from bench.turn_scripts import BABBLE, BABBLE_SAYS, SCRIPTS, Script
from lkcook import pcm
from lkcook.audio.clip import Clip
from lkcook.engines import weights
from lkcook.engines.speech_to_text import SAMPLE_RATE, SpeechToText
from lkcook.engines.text_to_speech import TextToSpeech
from lkcook.noise.generators import pink
from lkcook.noise.mixing import with_noise
from lkcook.turns.recordings import FOLDER, MARKS

LIBRIVOX = Path(__file__).parents[1] / "tests" / "data" / "librivox"
BEFORE, AFTER = 0.5, 3.3  # seconds around the turn
QUIET = 0.015  # of the loudest sample: less is silence
ROOM = 5  # times the noise of a person's room (its RMS): less is silence there
LOUD = 0.5  # the loudest sample of a sound without words
STEP = SAMPLE_RATE // 100


@dataclass
class Turn:
    """A turn under construction: float32 at 16 kHz, from its first sound to its last; times in seconds."""

    samples: np.ndarray
    words: list[tuple[str, float, float]]
    audible: float  # what is louder is sound
    room: float = 0.0  # RMS of the noise where nobody speaks
    pauses: list[tuple[float, float]] = field(default_factory=list)


class Studio:
    """Speaks, aligns, inserts pauses."""

    def __init__(self) -> None:
        self.voice = TextToSpeech(threads=1)
        self.ear = SpeechToText(weights.fetch("whisper-base"))
        self.babblers: list[np.ndarray] = []

    def turn(self, script: Script) -> Turn:
        """What `script` says, with its pauses."""
        if not script.written:
            return self._wordless(*script.voice.split())
        if script.grouped:
            return self._grouped(script)
        raw = self._human(script) if script.voice.isdigit() else self._spoken(script.text, script.voice)
        room = floor(raw) if script.voice.isdigit() else 0.0
        audible = max(QUIET * float(np.abs(raw).max()), ROOM * room)
        samples = sounding(raw, audible)
        whole = " ".join([script.skipped, script.text]).strip()
        words = [(w.text, w.start, w.end) for w in self.ear.align(samples, whole, language=script.language)]
        if script.skipped:
            samples, words = without_beginning(samples, words, len(script.skipped.split()))
        turn = Turn(samples, words, audible, room)
        for place, seconds in script.pauses:
            insert(turn, place, seconds)
        return turn

    def _grouped(self, script: Script) -> Turn:
        turn = Turn(np.zeros(0, np.float32), [], QUIET)
        for text, pause in zip(script.groups, [0.0, *(seconds for _, seconds in script.pauses)]):
            begun, samples = len(turn.samples) / SAMPLE_RATE, sounding(self._spoken(text, script.voice), QUIET / 2)
            if pause:
                turn.pauses.append((begun, begun + pause))
            start = begun + pause
            turn.words += [(w.text, start + w.start, start + w.end) for w in self.ear.align(samples, text)]
            silence = np.zeros(int(pause * SAMPLE_RATE), np.float32)
            turn.samples = np.concatenate([turn.samples, silence, samples])
        return turn

    def _wordless(self, kind: str, seed: str) -> Turn:
        made = getattr(noises, kind)(np.random.default_rng(int(seed)))
        return Turn(sounding((LOUD * made / np.abs(made).max()).astype(np.float32), QUIET), [], QUIET)

    def babble(self, count: int) -> np.ndarray:
        """`count` samples of six voices who talk at once."""
        self.babblers = self.babblers or [self._spoken(BABBLE_SAYS, name) for name in BABBLE]
        voices = [np.roll(samples, i * 9000) for i, samples in enumerate(self.babblers)]
        return np.sum([np.resize(samples, count) for samples in voices], axis=0)

    def _spoken(self, text: str, voice: str) -> np.ndarray:
        return resampled(pcm.to_float(self.voice.synthesize(text, voice=voice)))

    def _human(self, script: Script) -> np.ndarray:
        return pcm.to_float(Clip.read(LIBRIVOX / f"{script.voice}.wav").mono(SAMPLE_RATE))


def resampled(samples: np.ndarray) -> np.ndarray:
    """From 24 kHz. LiveKit's resampler adds another noise each time."""
    count = len(samples) * 2 // 3
    return (np.fft.irfft(np.fft.rfft(samples)[: count // 2 + 1], count) * (count / len(samples))).astype(np.float32)


def sounding(samples: np.ndarray, audible: float) -> np.ndarray:
    """From the first sound to the last."""
    loud = np.flatnonzero(np.abs(samples) > audible)
    return samples[loud[0] : loud[-1] + 1]


def quietest(samples: np.ndarray, start: float, end: float) -> int:
    """The sample between two moments (seconds) around which there is least sound."""
    first, last = max(0, int(start * SAMPLE_RATE)), min(len(samples), int(end * SAMPLE_RATE))
    places = range(first, max(last - STEP, first + 1), STEP // 4)
    return min(places, key=lambda i: float(np.sum(samples[i : i + STEP] ** 2))) + STEP // 2


def gap(samples: np.ndarray, words: list, place: int) -> int:
    """The sample at which a turn is best cut before its word number `place`."""
    (_, _, before), (_, after, _) = words[place - 1 : place + 1]
    return quietest(samples, min(before, after) - 0.1, max(before, after) + 0.1)


def without_beginning(samples: np.ndarray, words: list, count: int) -> tuple[np.ndarray, list]:
    """Without the first `count` words."""
    cut = gap(samples, words, count)
    begun = cut / SAMPLE_RATE
    return faded(samples[cut:].copy(), 0), [(w, max(0.0, s - begun), e - begun) for w, s, e in words[count:]]


def faded(samples: np.ndarray, place: int) -> np.ndarray:
    """5 ms without a click on both sides of `place`."""
    ramp = np.linspace(0, 1, STEP // 2, dtype=np.float32)
    before, after = samples[max(0, place - len(ramp)) : place], samples[place : place + len(ramp)]
    before *= ramp[::-1][: len(before)]
    after *= ramp[: len(after)]
    return samples


def insert(turn: Turn, place: int, seconds: float) -> None:
    """`seconds` of silence before the word number `place`, what silence was there included."""
    cut = gap(turn.samples, turn.words, place)
    loud = np.flatnonzero(np.abs(turn.samples) > turn.audible)
    left, right = loud[loud < cut][-1] + 1, loud[loud >= cut][0]
    missing = max(0, int(seconds * SAMPLE_RATE) - (right - left))
    parts = np.split(faded(turn.samples, cut), [cut])
    turn.samples = np.concatenate([parts[0], np.zeros(missing, np.float32), parts[1]])
    before, after, shift = left / SAMPLE_RATE, (right + missing) / SAMPLE_RATE, missing / SAMPLE_RATE
    turn.words = [(word, min(start, before), min(end, before)) for word, start, end in turn.words[:place]] + [
        (word, max(start + shift, after), max(end + shift, after)) for word, start, end in turn.words[place:]
    ]
    turn.pauses.append((before, after))


def written(path: Path, samples: np.ndarray, rate: int = SAMPLE_RATE) -> None:
    """A FLAC file, mono 16 bit."""
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=rate, layout="mono")
        stream.options = {"compression_level": "12"}
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="s16", layout="mono")
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def shifted(times: Sequence[tuple[float, float]], by: float) -> list[list[float]]:
    return [[round(float(start + by), 3), round(float(end + by), 3)] for start, end in times]


def main() -> None:
    """Make them all."""
    studio, marks = Studio(), {}
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.flac"):
        old.unlink()
    for number, script in enumerate(SCRIPTS):
        rng, turn = np.random.default_rng(number), studio.turn(script)
        samples = np.pad(turn.samples, [int(seconds * SAMPLE_RATE) for seconds in (BEFORE, AFTER)])
        if script.noise:
            noise = studio.babble(len(samples)) if script.noise == "babble" else pink(len(samples), rng)
            samples = with_noise(samples, noise, script.decibels, np.abs(samples) > turn.audible)
        elif turn.room:
            samples = with_room(samples, turn.room, rng)
        written(FOLDER / f"{script.name}.flac", pcm.to_int16(samples))
        times = shifted([(start, end) for _, start, end in turn.words], BEFORE)
        marks[script.name] = {
            "kind": script.kind,
            "language": script.language,
            "voice": f"LibriVox {script.voice}" if script.voice.isdigit() else script.voice,
            "text": script.text,
            "pauses": shifted(turn.pauses, BEFORE),
            "end": round(BEFORE + len(turn.samples) / SAMPLE_RATE, 3),
            "words": [[word, *time] for (word, _, _), time in zip(turn.words, times)],
        }
        print(f"{script.name:32s} {len(samples) / SAMPLE_RATE:.1f} s  pauses {marks[script.name]['pauses']}")
    MARKS.write_text(json.dumps(marks, indent=1, ensure_ascii=False) + "\n")
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"{len(marks)} recordings, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
