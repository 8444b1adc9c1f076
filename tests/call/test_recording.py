"""The recording puts both sides on one clock and smooths the jitter of real time."""

from __future__ import annotations

import numpy as np

from lkcook.report.recording import Recorder, Track
from tests.scripted_models import RATE, tone

BLOCK = RATE // 50


def blocks(samples: np.ndarray) -> list[np.ndarray]:
    return [samples[i : i + BLOCK] for i in range(0, len(samples), BLOCK)]


def test_blocks_that_come_a_little_early_or_late_are_joined_without_a_click():
    sound, track = tone(0.4, 440), Track()
    for index, block in enumerate(blocks(sound)):
        track.add(block, RATE, 100 + index * 0.02 + (0.009 if index % 2 else -0.009))
    assert np.array_equal(track.laid_out(100.0), sound)


def test_a_gap_is_silent_and_as_long_as_it_was():
    track = Track()
    track.add(tone(0.02, 440), RATE, 100.0)
    track.add(tone(0.02, 440), RATE, 101.0)
    laid = track.laid_out(100.0)
    assert len(laid) == RATE + BLOCK and not laid[BLOCK:RATE].any() and laid[RATE:].any()


def test_time_lost_in_a_stall_is_won_back_in_silence():
    track, silence = Track(), np.zeros(BLOCK, np.int16)
    track.add(tone(0.02, 440), RATE, 100.0)
    for index in range(20):  # came late, in one burst, while the clock went on
        track.add(silence, RATE, 100.2 + 0.02 * index - (0.1 if index > 2 else 0))
    track.add(tone(0.02, 440), RATE, 101.0)
    assert len(track.laid_out(100.0)) == RATE + BLOCK


def test_the_callers_and_the_agents_rates_may_differ():
    recorder = Recorder()
    recorder.hear_caller(tone(0.5, 440, rate=48_000), 48_000, 100.0)
    recorder.hear_agent(tone(0.25, 880), RATE, 100.5)
    clip = recorder.clip(100.0)
    assert clip.samples.shape == (round(0.75 * RATE), 2) and clip.sample_rate == RATE
    left, right = clip.samples.T
    assert left[: RATE // 2].any() and not left[RATE // 2 + 100 :].any()
    assert not right[: RATE // 2].any() and right[RATE // 2 :].any()


def test_sounds_are_found_to_the_sample():
    track = Track()
    track.add(np.array([0] * 100 + [9000] * 10 + [0] * 370, np.int16), RATE, 100.0)
    assert track.first_sound(99.9, 101) == 100 + 100 / RATE and track.last_sound(99.9, 101) == 100 + 109 / RATE
    assert track.first_sound(100.5, 101) is None


def test_an_empty_call_has_an_empty_recording():
    assert Recorder().clip(0.0).samples.shape == (0, 2) and not Recorder().agent_heard


def test_the_levels_are_the_loudest_samples_since_they_were_last_asked_for():
    recorder = Recorder()
    recorder.hear_caller(tone(0.02, 440, level=16_384), RATE, 100.0)
    recorder.hear_caller(tone(0.02, 440, level=1000), RATE, 100.02)
    caller, cleaned, agent = recorder.levels()
    assert abs(caller - 0.5) < 0.01 and cleaned == agent == 0
    assert recorder.levels() == (0, 0, 0)
