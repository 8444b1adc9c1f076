"""What the background noises are made of: float64 mono at 24 kHz, at any level, `count` samples long.

Each takes (count, rng) and sounds the same for the same of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from lkcook.audio.clip import Clip
from lkcook.noise.generators import bang, band, beep, clicks, decay, pink, sampled, scattered

RATE = 24_000
FOLDER = Path(__file__).parent / "data"
_BEAT = 0.6  # seconds
# semitones above A2 (110 Hz): A minor, F, C, G, two bars of four beats for each pair
_CHORDS = ((0, 3, 7, 12), (-4, 0, 3, 8), (3, 7, 10, 15), (-2, 2, 5, 10))


def hiss(count: int, rng: np.random.Generator) -> np.ndarray:
    """Pink noise: air conditioning, a bad line."""
    return pink(count, rng, RATE)


def office(count: int, rng: np.random.Generator) -> np.ndarray:
    """Ventilation with a mains hum, colleagues behind a wall, keys, doors, and appliances that beep."""
    t = np.arange(count) / RATE
    air = _even(band(pink(count, rng, RATE), 60, 900, RATE)) + 0.3 * np.sin(2 * np.pi * 100 * t)
    colleagues = 0.6 * _even(band(crowd(count, rng), 150, 700, RATE))
    keys = 6 * scattered(count, clicks, 1.3, rng, RATE)
    doors = 8 * scattered(count, bang, 4.0, rng, RATE)
    return air + colleagues + keys + doors + 1.5 * scattered(count, beep, 3.5, rng, RATE)


def street(count: int, rng: np.random.Generator) -> np.ndarray:
    """The rumble of a town, and a car that passes every two or three seconds."""
    rumble = _even(band(pink(count, rng, RATE), 40, 300, RATE)) + 0.25 * _even(pink(count, rng, RATE))
    cars = np.zeros(count)
    for at in np.arange(0.3, count / RATE, 2.4):
        cars += _car(count, at + rng.uniform(0, 1.2), rng)
    return rumble + cars


def crowd(count: int, rng: np.random.Generator) -> np.ndarray:
    """Six people who talk at once."""
    return np.resize(_recorded(FOLDER / "crowd.flac"), count)


def second_talker(count: int, rng: np.random.Generator) -> np.ndarray:
    """Somebody else who talks near by."""
    return np.resize(_recorded(FOLDER / "second-talker.flac"), count)


def keyboard(count: int, rng: np.random.Generator) -> np.ndarray:
    """Somebody types: two recordings that come with livekit-agents."""
    from livekit.agents import BuiltinAudioClip

    names = (BuiltinAudioClip.KEYBOARD_TYPING, BuiltinAudioClip.KEYBOARD_TYPING2)
    return np.sum([np.resize(_recorded(Path(name.path())), count) for name in names], axis=0)


def music(count: int, rng: np.random.Generator) -> np.ndarray:
    """Four chords over a bass and drums, a hundred beats a minute."""
    out = np.zeros(count + RATE)
    for beat in range(int(count / RATE / _BEAT) + 1):
        chord = _CHORDS[beat // 4 % len(_CHORDS)]
        _put(out, beat * _BEAT, 0.9 * _tone(chord[:1], 1.0) + _tone([note + 12 for note in chord], 0.25))
        _put(out, (beat + 0.5) * _BEAT, 0.8 * _tone([chord[(beat + 2) % 4] + 24], 0.2))
        _put(out, beat * _BEAT, _kick() if beat % 2 == 0 else _snare(rng))
        for half in (0, 0.5):
            _put(out, (beat + half) * _BEAT, 0.3 * _snare(rng, 6000, 0.02))
    return out[:count]


def _even(samples: np.ndarray) -> np.ndarray:
    return samples / samples.std()


@cache
def _recorded(path: Path) -> np.ndarray:
    return sampled(Clip.read(path), RATE)


def _car(count: int, at: float, rng: np.random.Generator) -> np.ndarray:
    """Loudest, and brightest, when it is nearest; its motor sounds lower from then on."""
    near = (np.arange(count) / RATE - at) / rng.uniform(0.4, 0.9)
    level = 1 / (1 + near**2)
    pitch = rng.uniform(60, 110) * (1 - 0.06 * np.tanh(near))
    motor = sum(np.sin(k * 2 * np.pi * np.cumsum(pitch) / RATE) / k for k in range(1, 8))
    tyres, wind = band(rng.normal(size=count), 80, 900, RATE), band(rng.normal(size=count), 900, 4500, RATE)
    return rng.uniform(1.5, 3) * (level * (_even(tyres) + 0.5 * motor) + level**2 * 0.7 * _even(wind))


def _tone(semitones: Sequence[float], half: float) -> np.ndarray:
    envelope = decay(2 * _BEAT, half, 0.01, RATE)
    envelope *= np.linspace(1, 0, len(envelope))
    t = np.arange(len(envelope)) / RATE
    hertz = [110 * 2 ** (note / 12) for note in semitones]
    return sum(np.sin(2 * np.pi * k * f * t) / k**2 for f in hertz for k in range(1, 6)) * envelope


def _kick() -> np.ndarray:
    envelope = decay(0.3, 0.05, 0.003, RATE)
    return 3 * np.sin(2 * np.pi * np.cumsum(45 + 100 * envelope**2) / RATE) * envelope


def _snare(rng: np.random.Generator, low: float = 1500, half: float = 0.05) -> np.ndarray:
    envelope = decay(0.25, half, 0.002, RATE)
    return 2 * band(rng.normal(size=len(envelope)), low, 10_000, RATE) * envelope


def _put(out: np.ndarray, at: float, sound: np.ndarray) -> None:
    start = int(at * RATE)
    part = out[start : start + len(sound)]
    part += sound[: len(part)]
