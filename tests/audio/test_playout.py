"""The queue between LiveKit and the sound card: nothing is lost, nothing is told twice."""

from __future__ import annotations

import threading
from itertools import pairwise

import numpy as np
import pytest

from lkcook.audio.playout import Block, Playout


def ramp(start: int, stop: int) -> np.ndarray:
    """Samples that tell where they come from."""
    return np.arange(start, stop, dtype=np.int16)


def heard(block: Block) -> list[int]:
    return block.samples[: block.heard].tolist()


@pytest.fixture
def playout() -> Playout:
    return Playout()


def test_an_empty_queue_is_silent(playout):
    block = playout.read(5)
    assert block.samples.tolist() == [0] * 5 and block.samples.dtype == np.int16
    assert block.heard == 0 and block.events == ()


def test_a_segment_is_read_in_order_whatever_the_size_of_its_chunks(playout):
    for chunk in (ramp(1, 3), ramp(3, 10), ramp(10, 11)):
        playout.write(chunk)
    playout.complete()
    blocks = [playout.read(4) for _ in range(3)]
    assert [sample for block in blocks for sample in heard(block)] == list(range(1, 11))
    assert blocks[-1].samples.tolist() == [9, 10, 0, 0] and blocks[-1].heard == 2


def test_a_segment_starts_once_and_finishes_once(playout):
    playout.write(ramp(1, 9))
    playout.complete()
    assert [playout.read(4).events for _ in range(4)] == [(None,), (8,), (), ()]


def test_a_segment_is_not_finished_before_it_is_whole(playout):
    playout.write(ramp(1, 5))
    assert playout.read(4).events == (None,) and playout.read(4).events == ()
    playout.write(ramp(5, 7))
    assert heard(playout.read(4)) == [5, 6]
    playout.complete()
    assert playout.read(4).events == (6,)


def test_a_read_goes_on_into_the_next_segment_and_tells_in_which_order(playout):
    for start, stop in ((1, 4), (4, 6), (6, 12)):
        playout.write(ramp(start, stop))
        playout.complete()
    first, second = playout.read(8), playout.read(8)
    assert heard(first) + heard(second) == list(range(1, 12))
    assert first.events == (None, 3, None, 2, None) and second.events == (6,)


def test_a_segment_that_holds_nothing_is_finished_all_the_same(playout):
    playout.write(ramp(0, 0))
    playout.complete()
    block = playout.read(4)
    assert block.heard == 0 and block.events == (0,)


def test_completing_nothing_changes_nothing(playout):
    playout.complete()
    playout.complete()
    assert playout.read(4).events == () and playout.clear() == []


def test_clearing_forgets_what_is_unheard_and_tells_what_was_played_of_each(playout):
    playout.write(ramp(1, 9))
    playout.complete()
    playout.write(ramp(9, 20))
    playout.complete()
    playout.read(5)
    assert playout.clear() == [5, 0]
    assert playout.read(4) .events == () and playout.clear() == []


def test_clearing_also_drops_the_rest_of_an_utterance_that_is_still_being_written(playout):
    playout.write(ramp(1, 9))
    playout.read(4)
    assert playout.clear() == [4]
    playout.write(ramp(9, 20))
    playout.complete()
    assert playout.read(4).heard == 0, "the rest was cut off"
    playout.write(ramp(20, 22))
    playout.complete()
    block = playout.read(4)
    assert heard(block) == [20, 21] and block.events == (None, 2)


def test_clearing_twice_is_no_different(playout):
    playout.write(ramp(1, 9))
    assert playout.clear() == [0] and playout.clear() == []
    playout.write(ramp(9, 20))
    assert playout.read(4).heard == 0
    playout.complete()
    playout.write(ramp(20, 22))
    assert heard(playout.read(4)) == [20, 21]


def test_an_utterance_that_was_whole_when_it_was_cut_takes_nothing_with_it(playout):
    playout.write(ramp(1, 9))
    playout.complete()
    playout.clear()
    playout.write(ramp(9, 11))
    assert heard(playout.read(4)) == [9, 10]


def test_a_pause_is_silent_and_loses_nothing(playout):
    playout.write(ramp(1, 5))
    assert heard(playout.read(2)) == [1, 2]
    playout.pause()
    playout.write(ramp(5, 7))
    playout.complete()
    paused = [playout.read(4) for _ in range(3)]
    assert not any(block.heard or block.events or block.samples.any() for block in paused)
    playout.resume()
    block = playout.read(4)
    assert heard(block) == [3, 4, 5, 6] and block.events == (6,)


def test_clearing_ends_a_pause(playout):
    playout.write(ramp(1, 5))
    playout.pause()
    assert playout.clear() == [0]
    playout.complete()
    playout.write(ramp(5, 7))
    assert heard(playout.read(4)) == [5, 6]


def test_a_writer_and_a_reader_in_two_threads_lose_nothing(playout):
    read: list[int] = []
    finished: list[int] = []
    everything = threading.Event()

    def sound_card() -> None:
        while len(finished) < 50:
            block = playout.read(7)
            read.extend(heard(block))
            finished.extend(event for event in block.events if event is not None)
        everything.set()

    threading.Thread(target=sound_card, daemon=True).start()
    for segment in range(50):
        for chunk in range(segment * 100, segment * 100 + 100, 10):
            playout.write(ramp(chunk, chunk + 10))
        playout.complete()
    assert everything.wait(10) and read == list(range(5000)) and finished == [100] * 50


def test_a_segment_that_ran_dry_goes_on_once_a_cushion_is_there_or_no_more_comes():
    playout = Playout(cushion=6)
    playout.write(ramp(1, 5))
    assert heard(playout.read(4)) == [1, 2, 3, 4], "what comes first never waits"
    assert playout.read(4).heard == 0
    playout.write(ramp(5, 7))
    assert playout.read(4).heard == 0, "a little would run dry again at once"
    playout.write(ramp(7, 11))
    assert heard(playout.read(4)) == [5, 6, 7, 8] and heard(playout.read(4)) == [9, 10]
    playout.write(ramp(11, 12))
    playout.complete()
    last = playout.read(4)
    assert heard(last) == [11] and last.events == (11,)


@pytest.mark.parametrize("cushion, gaps", [(0, 2), (2400, 1)])
def test_a_voice_that_comes_at_the_pace_of_the_clock_has_one_gap_and_no_more(cushion, gaps):
    playout, blocks = Playout(cushion), []
    late = (0, 20, 0, 40, 10, 0, 30, 0, 15, 0)  # ms behind its time comes each frame of 50 ms
    arrivals = [50 * number + behind for number, behind in enumerate(late)]
    for now in range(0, 480, 20):  # ms; a block of 20 ms is played at a time
        for _ in [at for at in arrivals if now - 20 < at <= now]:
            playout.write(ramp(1, 1201))
        blocks.append(playout.read(480).heard)
    assert sum(then < 480 == before for before, then in pairwise(blocks)) == gaps
