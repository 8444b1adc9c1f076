"""Synthetic callers deliver sound as a microphone would: all the time, in real time, and with true times."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest

from lkcook.audio.caller import RATE, ClipCaller, ScriptedCaller, SyntheticCaller
from lkcook.audio.clip import Clip
from lkcook.audio.line import Line, Prepared
from lkcook.errors import CookError
from tests.scripted_models import tone

FRAME = RATE // 50
BEEP = Prepared("beep", np.concatenate([np.zeros(500, np.int16), tone(0.2, 880), np.zeros(300, np.int16)]))


class Ear:
    """Pulls frames as a session does, and keeps what the tap was told."""

    def __init__(self, caller: SyntheticCaller) -> None:
        self.taps: list[tuple[np.ndarray, float]] = []
        self.frames: list[np.ndarray] = []
        self.pulled_at: list[float] = []
        self._caller = caller
        self._moved = asyncio.Event()
        caller.tap = lambda samples, rate, at: self.taps.append((samples.copy(), at)) if rate == RATE else None

    @property
    def samples(self) -> np.ndarray:
        return np.concatenate(self.frames or [np.zeros(0, np.int16)])

    async def listen(self, now: Callable[[], float] = lambda: 0.0) -> None:
        async for frame in self._caller:
            assert (frame.sample_rate, frame.num_channels, frame.samples_per_channel) == (RATE, 1, FRAME)
            self.frames.append(np.frombuffer(frame.data, np.int16))
            self.pulled_at.append(now())
            self._moved.set()

    async def frames_more(self, count: int) -> None:
        goal = len(self.frames) + count
        async with asyncio.timeout(40):
            while len(self.frames) < goal:
                self._moved.clear()
                await self._moved.wait()


class Agent:
    """A conversation whose agent does everything at once; notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, question: str) -> Callable:
        async def answer() -> None:
            self.asked.append(question)

        return answer


@contextlib.asynccontextmanager
async def heard(caller: SyntheticCaller, now: Callable[[], float] = lambda: 0.0) -> AsyncIterator[Ear]:
    ear = Ear(caller)
    listening = asyncio.create_task(ear.listen(now))
    try:
        yield ear
    finally:
        await caller.aclose()
        async with asyncio.timeout(40):
            await listening  # hanging up ends the stream of frames


def audible(samples: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.abs(samples.astype(int)) >= 328)


async def test_before_between_and_after_lines_there_is_silence(clock):
    caller = SyntheticCaller("test")
    async with heard(caller) as ear:
        for _ in range(2):
            await ear.frames_more(10)
            await caller.say(BEEP)
        await ear.frames_more(10)
    quiet, beep = np.zeros(10 * FRAME, np.int16), BEEP.samples
    loud = np.flatnonzero(ear.samples)
    assert loud[0] >= len(quiet) and loud[-1] < len(ear.samples) - len(quiet)
    lead = np.flatnonzero(beep)[0]
    for first in (loud[0] - lead, loud[len(loud) // 2] - lead):
        assert np.array_equal(ear.samples[first : first + len(beep)], beep), "nothing is lost between two frames"
    assert np.diff(loud).max() > len(quiet)


async def test_frames_come_when_their_last_sample_has_happened(clock):
    caller = SyntheticCaller("test")
    begun = clock.now
    async with heard(caller, clock.monotonic) as ear:
        await ear.frames_more(100)
    assert np.array(ear.pulled_at[:100]) - begun == pytest.approx(np.arange(1, 101) * 0.02, abs=1e-6)


async def test_a_stall_is_caught_up_with_and_moves_no_sample(clock):
    caller = SyntheticCaller("test")
    begun = clock.now
    async with heard(caller, clock.monotonic) as ear:
        await ear.frames_more(10)
        clock.now += 1
        await ear.frames_more(100)
    late = np.array(ear.pulled_at) - begun - np.arange(1, len(ear.pulled_at) + 1) * 0.02
    assert late.max() == pytest.approx(1, abs=0.03) and late.min() > -1e-6, "never early"
    assert late[-10:] == pytest.approx(0, abs=1e-6), "and in time again at the end"
    times = np.array([at for _, at in ear.taps])
    assert np.diff(times) == pytest.approx(0.02, abs=1e-6) and times[0] == pytest.approx(begun + 3600)


async def test_what_is_said_while_the_session_does_not_listen_is_dropped_and_the_clock_goes_on(clock):
    caller = SyntheticCaller("test")
    begun = clock.now
    async with heard(caller, clock.monotonic) as ear:
        await ear.frames_more(10)
        caller.on_detached()
        await caller.say(BEEP)  # to nobody
        silent = len(ear.taps)
        caller.on_attached()
        await caller.say(BEEP)
        await ear.frames_more(10)
    assert np.count_nonzero(ear.samples) == np.count_nonzero(BEEP.samples), "one of the two was heard, without a burst"
    assert not any(samples.any() for samples, _ in ear.taps[:silent]), "and one was recorded"
    times = np.array([at for _, at in ear.taps])
    assert times == pytest.approx(begun + 3600 + np.arange(len(times)) * 0.02, abs=1e-6)
    pace = np.diff(ear.pulled_at)
    assert pace.min() == pytest.approx(0.02, abs=1e-6), "nothing that waited comes at once"
    assert caller.spoken[1].started_at == pytest.approx(times[silent] + BEEP.first_sound / RATE, abs=1e-6)


async def test_in_real_time_no_frame_is_early():
    caller, loop = SyntheticCaller("test"), asyncio.get_running_loop()
    begun = loop.time()
    async with heard(caller, loop.time) as ear:
        await ear.frames_more(15)
    early = begun + np.arange(1, len(ear.pulled_at) + 1) * 0.02 - np.array(ear.pulled_at)
    assert early.max() < 0.005


async def test_the_times_of_a_line_are_those_of_its_audible_samples(clock):
    caller = SyntheticCaller("test")
    async with heard(caller) as ear:
        for pause in (3, 7):
            await ear.frames_more(pause)
            await caller.say(BEEP)
    sounds = [at + index / RATE for samples, at in ear.taps for index in audible(samples)]
    break_at = int(np.argmax(np.diff(sounds)))
    first, second = caller.spoken
    assert [line.text for line in caller.spoken] == ["beep", "beep"]
    assert (first.started_at, second.started_at) == pytest.approx((sounds[0], sounds[break_at + 1]), abs=1e-6)
    assert (first.ended_at, second.ended_at) == pytest.approx(
        (sounds[break_at] + 1 / RATE, sounds[-1] + 1 / RATE), abs=1e-6
    )


async def test_hanging_up_ends_the_frames_and_the_line_being_spoken():
    caller = SyntheticCaller("test")
    async with heard(caller) as ear:
        speaking = asyncio.create_task(caller.say(Prepared("long", tone(30, 880))))
        await ear.frames_more(2)
        await caller.aclose()
        await caller.aclose()
        async with asyncio.timeout(15):
            await speaking
    assert caller.spoken == [], "it was not spoken to its end"
    with pytest.raises(StopAsyncIteration):
        await anext(caller)


@pytest.mark.parametrize("caller", [ScriptedCaller(["Hello."]), ClipCaller(Clip(tone(0.1, 880), RATE))])
async def test_a_caller_who_has_hung_up_cannot_make_a_second_call(caller):
    await caller.aclose()
    with pytest.raises(CookError, match="hung up already\n  → make a new one"):
        await caller.prepare()


async def test_a_script_is_spoken_line_by_line_when_the_agent_is_quiet(clock):
    class Voice:
        def synthesize(self, text: str, *, voice: str) -> np.ndarray:
            return tone(0.1 * len(text.split()), 880)

    agent, caller = Agent(), ScriptedCaller(["Hello there.", Line("At seven,", 0.5, "please.")], engine=Voice)
    async with heard(caller) as ear:
        await caller.converse(agent)
    assert agent.asked == ["agent_quiet", "agent_replied"] * 2
    assert [line.text for line in caller.spoken] == ["Hello there.", "At seven, please."]
    lengths = [line.ended_at - line.started_at for line in caller.spoken]
    assert lengths == pytest.approx([0.2, 0.8], abs=0.01)
    assert len(ear.samples) - audible(ear.samples)[-1] > 0.2 * RATE, "and a breath before it hangs up"


async def test_a_line_that_barges_in_waits_for_the_agents_voice(clock):
    class Voice:
        def synthesize(self, text: str, *, voice: str) -> np.ndarray:
            return tone(0.1, 880)

    agent, caller = Agent(), ScriptedCaller(["Tell me a story.", Line("Stop!", barge_in=1.5)], engine=Voice)
    async with heard(caller):
        await caller.converse(agent)
    assert agent.asked[0] == "agent_quiet" and "agent_speaking" in agent.asked and agent.asked[-1] == "agent_replied"
    first, second = caller.spoken
    assert second.started_at - first.ended_at == pytest.approx(1.5, abs=0.03)


async def test_nobody_waits_for_a_reply_to_a_cough_but_until_the_agent_has_finished(clock):
    cough = Line(Clip(tone(0.2, 880), RATE), barge_in=1, reply=False)
    agent, caller = Agent(), ScriptedCaller([cough])
    async with heard(caller):
        await caller.converse(agent)
    assert agent.asked == ["agent_speaking", "agent_quiet"] and len(caller.spoken) == 1


@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100])
async def test_a_recording_is_played_once_at_its_own_speed(clock, tmp_path, rate):
    path = Clip(tone(0.5, 880, rate=rate), rate).write(tmp_path / "question.wav")
    agent, caller = Agent(), ClipCaller(path)
    async with heard(caller) as ear:
        await caller.converse(agent)
    (line,) = caller.spoken
    assert line.text == "question.wav" and agent.asked == ["agent_quiet", "agent_replied"]
    sound = audible(ear.samples)
    assert (sound[-1] - sound[0]) / RATE == pytest.approx(0.5, rel=0.01)
