"""What the simulated loudspeaker, room and microphone do to sound."""

from __future__ import annotations

import numpy as np
import pytest

from lkcook import Acoustics, CookError
from lkcook.noise.acoustics import RATE
from tests.scripted_models import tone

QUIET = -120.0  # dB of full scale, for a microphone without noise of its own


def white(seconds: float, level: int = 2000) -> np.ndarray:
    return (level * np.random.default_rng(3).standard_normal(round(seconds * RATE))).astype(np.int16)


def decibels(samples: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean((samples / 32768) ** 2))))


def in_silence(acoustics: Acoustics, played: np.ndarray) -> np.ndarray:
    """What its microphone delivers while nobody speaks."""
    return acoustics.path().picked_up(played, np.zeros_like(played))


@pytest.mark.parametrize("acoustics", [Acoustics.laptop(), Acoustics.loudspeaker(), Acoustics.headphones()])
def test_the_length_of_the_pieces_does_not_matter(acoustics):
    played, said, path, pieces = white(1.0), white(1.0, 500), acoustics.path(), []
    for start, end in zip([0, 1, 480, 700, 20_000], [1, 480, 700, 20_000, RATE]):
        pieces.append(path.picked_up(played[start:end], said[start:end]))

    whole = acoustics.path().picked_up(played, said)
    assert len(np.concatenate(pieces)) == len(played)
    assert np.abs(np.concatenate(pieces).astype(int) - whole).max() <= 1, "but for rounding"


@pytest.mark.parametrize("level", [-20.0, -6.0, 3.0])
def test_the_echo_is_as_loud_as_it_was_asked_to_be(level):
    played = white(4.0)
    heard = in_silence(Acoustics(echo_level=level, noise_level=QUIET), played)
    assert decibels(heard[RATE:]) - decibels(played) == pytest.approx(level, abs=0.5)


@pytest.mark.parametrize("delay", [0.06, 0.12, 0.2])
def test_the_direct_sound_arrives_after_the_delay(delay):
    click = np.zeros(RATE, np.int16)
    click[1000] = 20_000
    heard = in_silence(Acoustics(delay=delay, noise_level=QUIET), click)
    assert np.argmax(np.abs(heard)) == 1000 + round(delay * RATE)
    assert not heard[: 1000 + round(delay * RATE)].any()


def test_the_room_dies_away_by_sixty_decibels_in_its_reverberation_time():
    click = np.zeros(RATE, np.int16)
    click[0] = 32_000
    acoustics = Acoustics(echo_level=20.0, direct=-20.0, delay=0.06, reverberation=0.5, noise_level=QUIET)
    answer = in_silence(acoustics, click)[round(0.06 * RATE) :]
    early, late = answer[: RATE // 20], answer[round(0.2 * RATE) : round(0.25 * RATE)]
    assert decibels(early) - decibels(late) == pytest.approx(60 * 0.2 / 0.5, abs=1.5)


def test_the_loudspeaker_adds_the_third_harmonic_that_was_asked_for():
    sine = tone(1.0, 1000, RATE, 32_767)
    acoustics = Acoustics(echo_level=0.0, reverberation=0.0, distortion=0.05, noise_level=QUIET)
    spectrum = np.abs(np.fft.rfft(in_silence(acoustics, sine)[RATE // 2 :]))
    assert spectrum[1500] / spectrum[500] == pytest.approx(0.05, abs=0.002)


def test_the_microphone_has_its_own_noise_and_hears_the_caller_as_he_is():
    nothing = np.zeros(RATE, np.int16)
    assert decibels(in_silence(Acoustics(noise_level=-60.0), nothing)) == pytest.approx(-60, abs=0.5)
    said = white(1.0)
    heard = Acoustics(noise_level=QUIET).path().picked_up(nothing, said)
    assert np.array_equal(heard, said)


@pytest.mark.parametrize("wrong", [{"delay": 0.01}, {"distortion": 0.5}, {"distortion": -0.1}])
def test_what_is_not_simulated_is_refused(wrong):
    with pytest.raises(CookError, match="Give"):
        Acoustics(**wrong)
