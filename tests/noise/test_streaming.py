"""A stream of frames through a canceller: no sample depends on how it is cut, and the delay is the one it tells."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from livekit import rtc

import lkcook
from lkcook import pcm
from lkcook.noise import catalogue
from lkcook.noise.canceller import Canceller
from tests.noise.measures import RATES, in_pieces, lag, pink, speech

ODD = [(8_000, 441), (24_000, 480), (44_100, 1), (16_000, 160), (48_000, 4801)]


def frame(samples: np.ndarray, rate: int) -> rtc.AudioFrame:
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    return rtc.AudioFrame(samples.tobytes(), rate, channels, len(samples))


def sound(frame: rtc.AudioFrame) -> np.ndarray:
    return np.frombuffer(frame.data, np.int16)


@pytest.mark.parametrize(("rate", "size"), ODD)
def test_the_size_of_the_frames_changes_no_sample(new: Callable[..., Canceller], rate: int, size: int) -> None:
    samples = speech(rate, seconds=0.3 if size == 1 else 1.0)
    whole, canceller = new().clean(samples, rate), new()
    cleaned = [canceller.clean(piece, rate) for piece in in_pieces(samples, size)]
    assert np.array_equal(np.concatenate(cleaned), whole) and whole.any()


@pytest.mark.parametrize("rate", RATES)
def test_random_sizes_change_no_sample_and_each_frame_keeps_its_own(new: Callable[..., Canceller], rate: int) -> None:
    samples, canceller = speech(rate, seconds=1.0), new()
    pieces = in_pieces(samples, np.random.default_rng(rate))
    cleaned = [canceller.clean(piece, rate) for piece in pieces]
    assert [len(each) for each in cleaned] == [len(each) for each in pieces] and {0, 1} <= set(map(len, pieces))
    assert np.array_equal(np.concatenate(cleaned), new().clean(samples, rate))


@pytest.mark.parametrize("rate", RATES)
def test_speech_comes_later_by_the_delay_that_is_told(canceller: Canceller, rate: int) -> None:
    samples = speech(rate)
    cleaned = canceller.clean(samples, rate)
    assert lag(samples, cleaned, rate // 8) == pytest.approx(canceller.delay * rate, abs=2)
    assert 0.005 < canceller.delay < 0.05


def test_in_a_room_of_livekit_the_whole_delay_is_the_one_the_cookbook_tells(name: str, canceller: Canceller) -> None:
    told = {"webrtc": 0.020, "dtln": 0.036, "deepfilternet": 0.043, "hush": 0.024}
    assert canceller.delay == pytest.approx(told[name], abs=0.001)


@pytest.mark.parametrize("rate", RATES)
def test_what_was_begun_with_another_rate_goes_on_with_this_one(canceller: Canceller, rate: int) -> None:
    canceller.clean(pink(32_000, seconds=0.3), 32_000)
    samples = speech(rate)
    cleaned = canceller.clean(samples, rate)
    assert len(cleaned) == len(samples)
    assert lag(samples, cleaned, rate // 8) == pytest.approx(canceller.delay * rate, abs=2)


def test_both_channels_get_the_cleaned_mean(new: Callable[..., Canceller]) -> None:
    mono = speech(24_000)
    quarter = mono // 4 * 2  # so that the mean of the two is exact
    stereo = np.stack([quarter + mono // 4 * 2, np.zeros_like(mono)], axis=1)
    cleaned = sound(new()._process(frame(stereo, 24_000))).reshape(-1, 2)
    assert np.array_equal(cleaned[:, 0], cleaned[:, 1])
    assert np.array_equal(cleaned[:, 0], new().clean(quarter, 24_000))


def test_a_cleaned_frame_carries_the_raw_one_and_what_that_carried(canceller: Canceller) -> None:
    raw = rtc.AudioFrame(speech(24_000)[:240].tobytes(), 24_000, 1, 240, userdata={"seat": 4})
    cleaned = canceller._process(raw)
    assert cleaned.userdata["raw"] is raw and cleaned.userdata["seat"] == 4 and "raw" not in raw.userdata
    assert (cleaned.samples_per_channel, cleaned.sample_rate, cleaned.num_channels) == (240, 24_000, 1)


def test_an_empty_frame_passes_and_a_frame_with_spare_room_keeps_its_length(canceller: Canceller) -> None:
    empty = frame(np.zeros(0, np.int16), 24_000)
    assert canceller._process(empty) is empty
    spare = rtc.AudioFrame(bytes(1000), 24_000, 1, 240)
    assert len(canceller._process(spare).data) == 240


def test_while_it_is_not_enabled_frames_pass_as_they_are(canceller: Canceller) -> None:
    frames = [frame(piece, 24_000) for piece in in_pieces(speech(24_000), 1200)]
    canceller._process(frames[0])
    canceller.enabled = False
    assert not canceller.enabled and all(canceller._process(each) is each for each in frames)
    canceller.enabled = True
    first = np.concatenate([sound(canceller._process(each)) for each in frames])
    assert lag(speech(24_000), first, 3000) == pytest.approx(canceller.delay * 24_000, abs=2)


def test_nothing_from_before_is_heard_when_it_is_enabled_again(canceller: Canceller) -> None:
    canceller._process(frame(pink(24_000, level=5000), 24_000))
    canceller.enabled = False
    canceller.enabled = True
    after = np.concatenate([sound(canceller._process(frame(np.zeros(240, np.int16), 24_000))) for _ in range(40)])
    assert np.abs(after).max() <= 10


def test_two_streams_do_not_hear_each_other(new: Callable[..., Canceller]) -> None:
    samples, one, other = speech(24_000), new(), new()
    noise = pink(24_000)
    cleaned = []
    for piece, disturbance in zip(in_pieces(samples, 1200), in_pieces(noise, 1200)):
        cleaned.append(one.clean(piece, 24_000))
        other.clean(disturbance, 24_000)
    assert np.array_equal(np.concatenate(cleaned), new().clean(samples, 24_000))


def test_it_may_be_closed_twice_and_used_in_the_next_session(new: Callable[..., Canceller]) -> None:
    canceller, samples = new(), speech(24_000)
    canceller.clean(pink(24_000), 24_000)
    canceller._close()
    canceller._close()
    assert np.array_equal(canceller.clean(samples, 24_000), new().clean(samples, 24_000))
    canceller._close()


def test_a_long_stream_makes_nothing_grow(canceller: Canceller) -> None:
    quiet = np.zeros(44, np.int16)  # 1 ms at 44.1 kHz: most of these frames complete nothing
    for _ in range(500):
        canceller.clean(quiet, 44_100)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(1500):
        canceller.clean(quiet, 44_100)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 20_000, grown
    assert len(canceller.clean(pcm.resample(speech(48_000), 48_000, 44_100), 44_100)) > 44_100


async def test_a_canceller_may_be_made_on_one_thread_and_used_and_let_go_on_another(name: str, recwarn) -> None:
    catalogue.get_ready(name)
    canceller, samples = await asyncio.to_thread(lkcook.canceller, name), speech(16_000, seconds=0.3)
    assert len(canceller.clean(samples, 16_000)) == len(samples)
    await asyncio.to_thread(canceller.clean, samples, 16_000)
    del canceller
    gc.collect()
    assert not [each for each in recwarn if issubclass(each.category, pytest.PytestUnraisableExceptionWarning)]
