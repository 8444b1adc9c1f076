"""What cancellers do to sound: noise gets quieter, speech is still understood, and no sound breaks them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import lkcook
from lkcook.engines import weights
from lkcook.engines.speech_to_text import SpeechToText
from lkcook.noise.canceller import Canceller
from lkcook.pcm import to_float
from tests.noise.measures import RATES, decibels, pink, speech
from tests.speech import human, word_error_rate

QUIETER = {"webrtc": 10, "dtln": 15, "deepfilternet": 30, "hush": 10}  # dB at least, of steady noise, after a second
RATE = 24_000


@pytest.fixture(scope="module")
def whisper() -> SpeechToText:
    return SpeechToText(weights.fetch("whisper-base"))


@pytest.mark.parametrize("rate", RATES)
def test_noise_alone_gets_quieter(canceller: Canceller, rate: int) -> None:
    cleaned = canceller.clean(pink(rate), rate)
    assert decibels(cleaned[rate:], pink(rate)[rate:]) < -QUIETER[canceller.name]


def test_noise_gets_quieter_while_somebody_speaks(canceller: Canceller) -> None:
    """Measured in a pause: the noise there, with and without the canceller, after a second of speech."""
    samples = np.concatenate([speech(RATE)[: 2 * RATE], np.zeros(RATE, np.int16)]) + pink(RATE)[: 3 * RATE] // 3
    cleaned = canceller.clean(samples.astype(np.int16), RATE)
    assert decibels(cleaned[-RATE // 2 :], samples[-RATE // 2 :]) < -6


def test_clean_speech_keeps_its_words(canceller: Canceller, whisper: SpeechToText) -> None:
    samples, said = human()[0]
    cleaned = canceller.clean(np.concatenate([samples, np.zeros(1600, np.int16)]), 16_000)
    heard = whisper.transcribe(to_float(cleaned), language="en").text
    assert word_error_rate(said, heard) <= 0.25, heard


def test_clean_speech_keeps_its_level_and_its_rhythm(canceller: Canceller) -> None:
    samples = speech(RATE)
    canceller.clean(pink(RATE, level=10), RATE)  # WebRTC's takes what it hears first for the noise
    cleaned = canceller.clean(np.concatenate([samples, np.zeros(RATE // 10, np.int16)]), RATE)
    cleaned = cleaned[round(canceller.delay * RATE) :][: len(samples)]
    assert -6 < decibels(cleaned, samples) < 1
    assert np.corrcoef(loudness(samples), loudness(cleaned))[0, 1] > 0.9


def loudness(samples: np.ndarray) -> np.ndarray:
    """Mean amplitude, 10 ms by 10 ms."""
    return np.abs(samples[: len(samples) // 240 * 240].astype(float)).reshape(-1, 240).mean(axis=1)


def test_silence_stays_silent(canceller: Canceller) -> None:
    assert np.abs(canceller.clean(np.zeros(2 * RATE, np.int16), RATE)).max() <= 10


@pytest.mark.parametrize("level", [-32768, 32767, 12_000])
def test_a_constant_is_survived(canceller: Canceller, level: int) -> None:
    cleaned = canceller.clean(np.full(RATE, level, np.int16), RATE)
    assert len(cleaned) == RATE and cleaned.dtype == np.int16
    assert speech_survives(canceller)


def test_speech_that_is_clipped_to_the_full_scale_does_not_wrap_around(canceller: Canceller) -> None:
    clipped = np.clip(speech(RATE, seconds=2.5).astype(np.int64) * 40, -32768, 32767).astype(np.int16)
    cleaned, late = canceller.clean(clipped, RATE), round(canceller.delay * RATE)
    edges = np.diff(clipped.astype(float))[:-late], np.diff(cleaned.astype(float))[late:]
    assert np.corrcoef(*edges)[0, 1] > 0.5  # below 0.42 where samples wrap around
    assert decibels(cleaned, clipped) < 1 and speech_survives(canceller)


def test_the_loudest_noise_is_survived(canceller: Canceller) -> None:
    canceller.clean(np.random.default_rng(0).choice([-32768, 32767], RATE).astype(np.int16), RATE)
    assert speech_survives(canceller)


def speech_survives(canceller: Canceller) -> bool:
    """No state has become infinite or undefined: what is said afterwards is heard."""
    canceller.clean(np.zeros(RATE, np.int16), RATE)
    return decibels(canceller.clean(speech(RATE), RATE), speech(RATE)) > -12


@pytest.mark.parametrize(
    ("name", "option", "steps", "least"),
    [
        ("dtln", "strength", (0.0, 0.5, 1.0), 0),
        ("hush", "strength", (0.0, 0.5, 1.0), 0),
        ("deepfilternet", "limit", (3, 12, 100), -3),
    ],
    indirect=["name"],
)
def test_its_strength_can_be_chosen(
    new: Callable[..., Canceller], option: str, steps: tuple[float, ...], least: int
) -> None:
    levels = [decibels(new(**{option: step}).clean(pink(RATE), RATE)[RATE:], pink(RATE)[RATE:]) for step in steps]
    assert levels[0] - 2 > levels[1] > levels[2] + 2
    assert levels[0] == pytest.approx(least, abs=1)


def test_a_canceller_without_suppression_only_filters() -> None:
    cleaned = lkcook.canceller("webrtc", noise_suppression=False).clean(pink(RATE), RATE)
    assert decibels(cleaned, pink(RATE)) > -3
