"""The whole way of a sound through the virtual devices of the tests; bench/audio_path.py prints and explains it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from livekit import rtc

from lkcook.audio.echo import RATE, room
from lkcook.audio.microphone import Microphone
from lkcook.audio.speaker import Speaker
from tests.devices import conftest
from tests.devices.conftest import AUDIBLE, PulseAudio, noise, opened

MARK = noise(0.05)  # a sound that is loud from its first sample on
PAUSE = 0.5  # seconds between two marks
ROUNDS = 20  # of each acoustic measurement
conftest.ALSA += "pcm.own_ear {{ type pulse device speaker.monitor }}\n"


async def hand_over(speaker: Speaker) -> float:
    """Let the speaker say the mark; when it was asked to, time.perf_counter()."""
    asked = time.perf_counter()
    await speaker.capture_frame(rtc.AudioFrame(MARK.tobytes(), RATE, 1, len(MARK)))
    speaker.flush()
    return asked


async def times_of_frames(microphone: Microphone, left: list[float]) -> None:
    """Take every frame, and note when, time.perf_counter()."""
    async for _ in microphone:
        left.append(time.perf_counter())


async def into_the_microphone(pulse: PulseAudio) -> list[float]:
    """Seconds from pacat to a frame."""
    command = ["pacat", "--device=mic_in", "--latency-msec=20", "--raw", f"--rate={RATE}", "--channels=1"]
    player = await asyncio.create_subprocess_exec(
        *command, "--format=s16le", env=pulse.environment, stdin=asyncio.subprocess.PIPE
    )
    assert player.stdin is not None
    written: list[float] = []
    heard: list[float] = []
    async with opened(microphone := Microphone(processing=False)):
        feeding = asyncio.create_task(_feed(player.stdin, written))
        quiet_since = 0.0
        while len(heard) < ROUNDS:
            samples = np.abs(np.frombuffer((await anext(microphone)).data, np.int16).astype(int))
            now = time.perf_counter()
            if (samples >= AUDIBLE).any():
                if written and now - quiet_since > PAUSE / 2:
                    heard.append(now - written[-1])
                quiet_since = now
        feeding.cancel()
    player.terminate()
    await player.wait()
    return heard[2:]


async def _feed(pipe: asyncio.StreamWriter, written: list[float]) -> None:
    """Silence in real time, with a mark now and then."""
    step, began, count = RATE // 100, time.perf_counter(), 0
    while True:
        if count % 70 == 69:
            written.append(time.perf_counter())
            pipe.write(MARK[:step].tobytes())
        else:
            pipe.write(bytes(2 * step))
        count += 1
        await asyncio.sleep(max(0.0, began + count * step / RATE - time.perf_counter()))


async def out_of_the_speaker(pulse: PulseAudio) -> list[float]:
    """Seconds from capture_frame to parec."""
    took = []
    async with opened(speaker := Speaker()):
        await asyncio.sleep(3)
        for _ in range(ROUNDS):
            await asyncio.sleep(PAUSE)
            async with pulse.listening() as recording:
                await asyncio.sleep(PAUSE)
                asked = await hand_over(speaker)
                await recording.until(lambda: recording.loud)
                took.append(time.perf_counter() - asked)
    return took


async def echo() -> tuple[list[float], float]:
    """(seconds the echo takes, seconds that the canceller is told)."""
    played: list[float] = []
    cleaned: list[float] = []
    with _noted(played, cleaned):
        microphone, speaker = Microphone("own_ear", processing=False), Speaker()
        async with opened(speaker), opened(microphone):
            listening = asyncio.create_task(times_of_frames(microphone, []))
            await asyncio.sleep(3)
            played.clear()
            cleaned.clear()
            for _ in range(ROUNDS):
                await hand_over(speaker)
                await asyncio.sleep(2 * PAUSE)
            told = sum(room()._delays.values())
            listening.cancel()
    return [heard - said for said, heard in zip(played, cleaned)], told


@contextlib.contextmanager
def _noted(played: list[float], cleaned: list[float]) -> Iterator[None]:
    """Notes when the first sample of a mark was in `Room.played` and in `Room.cleaned`, as if each began its block."""

    def noting(times: list[float], method: Callable[[np.ndarray], Any]) -> Callable[[np.ndarray], Any]:
        def noted(samples: np.ndarray) -> Any:
            loud = np.abs(samples.astype(int)) >= AUDIBLE
            now = time.perf_counter()
            if loud.any() and (not times or now - last[0] > PAUSE / 2):
                times.append(now + int(np.argmax(loud)) / RATE)
            last[0] = now if loud.any() else last[0]
            return method(samples)

        last = [0.0]
        return noted

    with contextlib.ExitStack() as undo:
        for name, times in (("played", played), ("cleaned", cleaned)):
            setattr(room(), name, noting(times, getattr(room(), name)))
            undo.callback(delattr, room(), name)
        yield
