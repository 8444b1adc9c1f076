"""What the listener of a call plays, and when it comes back in the blocks of its caller."""

from __future__ import annotations

import numpy as np
import pytest

from lkcook import Acoustics
from lkcook.noise.air import Air

BLOCK = 0.02  # seconds
NOW = 1_700_000_000.0  # time.time()
DRY = Acoustics(echo_level=0.0, reverberation=0.0, delay=0.15, noise_level=-120.0)


def clicks_heard(
    rate: int, listeners_rate: int, clicks: list[float], jitter: float = 0.0, deaf: tuple[float, float] = (0, 0)
) -> list[float]:
    """Seconds at which clicks come back in 3 s of a silent caller's blocks; the listener plays nothing while `deaf`."""
    air, random = Air(DRY, echo_canceller=False), np.random.default_rng(5)
    out, times = [], []
    for start in np.arange(0, 3, BLOCK):
        if not deaf[0] <= start < deaf[1]:
            block = np.zeros(round(BLOCK * listeners_rate), np.int16)
            for click in clicks:
                if start <= click < start + BLOCK:
                    block[round((click - start) * listeners_rate)] = 20_000
            air.played(block, listeners_rate, NOW + start + jitter * random.random())
        samples, got, at = air.picked_up(np.zeros(round(BLOCK * rate), np.int16), rate, NOW + start)
        assert (len(samples), got) == (round(BLOCK * rate), rate)
        out.append(samples)
        times.append(at - NOW + np.arange(len(samples)) / rate)
    heard, when = np.abs(np.concatenate(out).astype(int)), np.concatenate(times)
    loud = when[heard > 2000]
    return [float(loud[0]), *(float(b) for a, b in zip(loud, loud[1:]) if b - a > 0.1)] if len(loud) else []


@pytest.mark.parametrize(("rate", "listeners_rate"), [(48_000, 48_000), (24_000, 24_000), (24_000, 48_000)])
def test_what_is_played_comes_back_after_the_delay(rate, listeners_rate):
    assert clicks_heard(rate, listeners_rate, [0.5, 1.5]) == pytest.approx([0.65, 1.65], abs=0.02)


def test_blocks_that_are_told_a_little_late_tear_nothing():
    heard = clicks_heard(24_000, 24_000, [0.5, 1.0, 1.5, 2.0], jitter=0.015)
    assert np.diff(heard) == pytest.approx([0.5, 0.5, 0.5], abs=0.001)


def test_after_a_stall_of_the_listener_the_echo_is_in_time_again():
    assert clicks_heard(24_000, 24_000, [0.5, 2.0], deaf=(0.8, 1.6)) == pytest.approx([0.65, 2.15], abs=0.02)


def test_the_caller_is_heard_as_long_and_as_loud_as_he_speaks():
    air, said = Air(DRY, echo_canceller=False), (3000 * np.sin(np.arange(24_000) / 8)).astype(np.int16)
    blocks = enumerate(said.reshape(-1, 480))
    heard = np.concatenate([air.picked_up(block, 24_000, NOW + i * BLOCK)[0] for i, block in blocks])
    assert len(heard) == len(said)
    assert np.abs(heard[12_000:].astype(int)).max() == pytest.approx(3000, rel=0.02)
