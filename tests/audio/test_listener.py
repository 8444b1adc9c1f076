"""A listener keeps LiveKit's contract: every segment that was captured is finished once, at the true position."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.voice.io import PlaybackFinishedEvent, PlaybackStartedEvent

from lkcook.audio.listener import RATE, RecordedListener
from tests.scripted_models import tone


class Tape:
    """What a listener played, and what it told LiveKit about it."""

    def __init__(self, listener: RecordedListener) -> None:
        self.blocks: list[tuple[np.ndarray, float]] = []
        self.events: list[PlaybackStartedEvent | PlaybackFinishedEvent] = []
        self._moved = asyncio.Event()
        listener.tap = self._hear
        for event in ("playback_started", "playback_finished"):
            listener.on(event, self._tell)

    @property
    def samples(self) -> np.ndarray:
        return np.concatenate([samples for samples, _ in self.blocks] or [np.zeros(0, np.int16)])

    @property
    def finished(self) -> list[tuple[float, bool]]:
        """(position, interrupted) of every segment."""
        ends = [event for event in self.events if isinstance(event, PlaybackFinishedEvent)]
        return [(event.playback_position, event.interrupted) for event in ends]

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(40):
            while not condition():
                self._moved.clear()
                await self._moved.wait()

    def _hear(self, samples: np.ndarray, rate: int, at: float) -> None:
        assert rate == RATE
        self.blocks.append((samples.copy(), at))
        self._moved.set()

    def _tell(self, event: Any) -> None:
        self.events.append(event)
        self._moved.set()


@pytest.fixture
async def listener() -> AsyncIterator[RecordedListener]:
    listener = RecordedListener()
    await listener.start()
    yield listener
    await listener.aclose()


@pytest.fixture
def tape(listener: RecordedListener) -> Tape:
    return Tape(listener)


async def capture(listener: RecordedListener, samples: np.ndarray, rate: int = RATE, frame: float = 0.01) -> None:
    """Hand over `samples` at once, as a fast text-to-speech model does; no flush."""
    size = round(rate * frame)
    for piece in (samples[i : i + size] for i in range(0, len(samples), size)):
        await listener.capture_frame(rtc.AudioFrame(piece.tobytes(), rate, 1, len(piece)))


async def test_an_utterance_is_played_whole_and_finished_once(listener, tape):
    await capture(listener, tone(0.25, 440))
    listener.flush()
    end = await listener.wait_for_playout()
    assert np.array_equal(tape.samples, tone(0.25, 440))
    assert tape.finished == [(0.25, False)] and end is tape.events[-1] and len(tape.events) == 2


async def test_it_starts_when_its_first_sample_is_played(listener, tape):
    await capture(listener, tone(0.1, 440))
    listener.flush()
    await listener.wait_for_playout()
    assert tape.events[0] == PlaybackStartedEvent(created_at=tape.blocks[0][1])


async def test_utterances_in_a_row_start_and_finish_one_after_the_other(listener, tape):
    for seconds in (0.05, 0.03, 0.07):  # their borders fall into the middle of a block
        await capture(listener, tone(seconds, 440))
        listener.flush()
    await listener.wait_for_playout()
    assert [type(event) for event in tape.events] == 3 * [PlaybackStartedEvent, PlaybackFinishedEvent]
    assert tape.finished == [(0.05, False), (0.03, False), (0.07, False)]


async def test_an_utterance_that_is_written_slowly_is_finished_when_it_is_whole(listener, tape):
    await capture(listener, tone(0.06, 440))
    await tape.until(lambda: len(tape.samples) == 0.06 * RATE)
    assert not tape.finished
    await capture(listener, tone(0.06, 440))
    listener.flush()
    await listener.wait_for_playout()
    assert tape.finished == [(0.12, False)] and len(tape.events) == 2


async def test_what_is_cleared_was_played_up_to_the_position_told(listener, tape):
    await capture(listener, tone(5, 440))
    listener.flush()
    await tape.until(lambda: len(tape.blocks) >= 5)
    listener.clear_buffer()
    await listener.wait_for_playout()
    assert tape.finished == [(len(tape.samples) / RATE, True)] and 0.1 <= len(tape.samples) / RATE < 5
    assert np.array_equal(tape.samples, tone(5, 440)[: len(tape.samples)])


async def test_the_rest_of_an_interrupted_utterance_is_never_heard(listener, tape):
    await capture(listener, tone(1, 440))
    await tape.until(lambda: tape.blocks)
    listener.clear_buffer()
    played = len(tape.samples)
    await capture(listener, tone(1, 440))
    listener.clear_buffer()  # LiveKit may well do so twice
    await capture(listener, tone(1, 440))
    listener.flush()
    await capture(listener, tone(0.1, 880))
    listener.flush()
    await listener.wait_for_playout()
    assert np.array_equal(tape.samples[played:], tone(0.1, 880))
    assert tape.finished == [(played / RATE, True), (0.1, False)]


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 48_000])
async def test_other_sample_rates_are_played_at_the_right_speed(listener, tape, rate):
    await capture(listener, tone(0.3, 440, rate=rate), rate)
    listener.flush()
    await listener.wait_for_playout()
    assert tape.finished == [(pytest.approx(0.3, rel=0.005), False)]
    spectrum = np.abs(np.fft.rfft(tape.samples * np.hanning(len(tape.samples))))
    assert np.argmax(spectrum) * RATE / len(tape.samples) == pytest.approx(440, rel=0.01)


async def test_an_utterance_interrupted_inside_the_resampler_is_finished_too(listener, tape):
    await capture(listener, tone(0.01, 440, rate=16_000), 16_000)
    listener.clear_buffer()
    async with asyncio.timeout(40):
        await listener.wait_for_playout()
    listener.flush()
    assert tape.finished == [(0.0, True)] and not tape.blocks


async def test_rates_may_change_between_utterances(listener, tape):
    for rate in (16_000, RATE, 48_000):
        await capture(listener, tone(0.1, 440, rate=rate), rate)
        listener.flush()
    await listener.wait_for_playout()
    assert tape.finished == 3 * [(pytest.approx(0.1, rel=0.01), False)]


async def test_a_pause_holds_the_utterance_and_resuming_plays_the_rest(listener, tape):
    await capture(listener, tone(0.3, 440))
    listener.flush()
    await tape.until(lambda: len(tape.blocks) == 3)
    listener.pause()
    before = len(tape.blocks)
    other = RecordedListener()  # its clock shows that time goes on
    await other.start()
    await capture(other, tone(0.2, 440))
    other.flush()
    await other.wait_for_playout()
    await other.aclose()
    assert len(tape.blocks) == before and not tape.finished
    listener.resume()
    await listener.wait_for_playout()
    assert np.array_equal(tape.samples, tone(0.3, 440)) and tape.finished == [(0.3, False)]


async def test_closing_interrupts_what_is_unheard_once_however_often_it_is_done(listener, tape):
    await capture(listener, tone(5, 440))
    listener.flush()
    await tape.until(lambda: len(tape.blocks) >= 2)
    await listener.aclose()
    await listener.aclose()
    assert tape.finished == [(len(tape.samples) / RATE, True)]


async def test_a_listener_that_was_closed_can_be_started_again(listener, tape):
    await listener.aclose()
    await listener.start()
    await capture(listener, tone(0.1, 440))
    listener.flush()
    await listener.wait_for_playout()
    assert tape.finished == [(0.1, False)]


async def test_a_listener_plays_in_real_time_and_goes_on_from_now_after_a_stall(clock):
    listener = RecordedListener()
    tape = Tape(listener)
    await capture(listener, tone(60, 440))
    listener.flush()
    await listener.start()
    await tape.until(lambda: len(tape.blocks) >= 1000)
    clock.now += 5
    await tape.until(lambda: tape.finished)
    await listener.aclose()
    gaps = np.diff([at for _, at in tape.blocks])
    stall = int(np.argmax(gaps))
    assert gaps[stall] == pytest.approx(5, abs=0.03), "nothing is told to have been played during the stall"
    assert np.delete(gaps, [stall, stall + 1, stall + 2]) == pytest.approx(0.02, abs=1e-6), "nothing is hurried"
    assert tape.finished == [(60.0, False)]
