"""What lkcook adds to the way of sound between PortAudio and the session, on the virtual devices of the tests.

    python -m bench.audio_path [--minutes 10]          from the folder of the project

Counted as added, for each block of 20 ms:
  microphone → session   from PortAudio's callback with a block to the frame that leaves `Microphone.__anext__`: the
                         way to the event loop, and the echo canceller, noise suppression and gain control.
  session → speaker      from the call of `Speaker.capture_frame`, with nothing else to play, to the return of the
                         callback in which PortAudio gets the sample. PortAudio asks once in 20 ms, so most of it is
                         the wait for the next callback (10 ms on average), which is shown apart, too.
Not counted, because the device asks for them: the block itself (a microphone's first sample is 20 ms old when its
block is whole) and the latency of the streams (LATENCY in lkcook/audio/raw_stream.py), which is shown.

The soak keeps both devices open and lets the speaker speak twice a second. The acoustic rows are the whole way of a
sound through the virtual devices, with the buffers of PulseAudio and of pacat or parec at its ends (20 ms each):
  pacat → frame          from writing a sample to pacat, which plays into the virtual microphone
  capture_frame → parec  to reading the sample from parec, which records the virtual speaker
  echo                   from the canceller's view, the microphone listening to the speaker's monitor: what the echo
                         takes from `Room.played` to `Room.cleaned`, and the delay that the canceller is told
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import sounddevice
from rich.console import Console
from rich.table import Table

from bench.acoustics import PAUSE, echo, hand_over, into_the_microphone, out_of_the_speaker, times_of_frames
from lkcook.audio import devices
from lkcook.audio.microphone import Microphone
from lkcook.audio.speaker import Speaker
from tests.devices.conftest import PulseAudio, opened, start_pulse_audio

Callback = Callable[[np.ndarray, int, Any, Any], None]


class Stopwatch:
    """Stands in for one of sounddevice's streams; `calls`: (entry, return, loud) of each callback, perf_counter().

    xruns: seconds after the first callback of those that PortAudio gave a status.
    """

    def __init__(self, name: str) -> None:
        self.calls: list[tuple[float, float, bool]] = []
        self.xruns: list[float] = []
        self._name, self._stream = name, getattr(sounddevice, name)

    def __enter__(self) -> Stopwatch:
        setattr(sounddevice, self._name, self._timed)
        return self

    def __exit__(self, *_: object) -> None:
        setattr(sounddevice, self._name, self._stream)

    def _timed(self, *, callback: Callback, **options: Any) -> Any:
        def timed(data: np.ndarray, frames: int, when: Any, status: Any) -> None:
            entered = time.perf_counter()
            callback(data, frames, when, status)
            self.calls.append((entered, time.perf_counter(), bool(data.any())))
            if status:
                self.xruns.append(entered - self.calls[0][0])

        return self._stream(callback=timed, **options)


async def soak(minutes: float) -> dict[str, Any]:
    """Both devices open for so long. Seconds added in each direction, and xruns."""
    with Stopwatch("InputStream") as ear, Stopwatch("OutputStream") as mouth:
        microphone, speaker = Microphone(), Speaker()
        async with opened(speaker), opened(microphone):
            left: list[float] = []
            listening = asyncio.create_task(times_of_frames(microphone, left))
            asked = await _marks(speaker, minutes)
            listening.cancel()
            latencies = [device._stream._stream.latency for device in (microphone, speaker)]
    entries = [entry for entry, _, _ in ear.calls]
    given = [_first_loud(mouth.calls, at) for at in asked]
    return {
        "microphone → session": [out - entry for entry, out in zip(entries, left)],
        "session → speaker": [returned - at for at, (_, returned) in zip(asked, given)],
        "  of it the wait for PortAudio": [max(0.0, entry - at) for at, (entry, _) in zip(asked, given)],
        "between two callbacks, microphone": np.diff(entries[100:]),
        "between two callbacks, speaker": np.diff([entry for entry, _, _ in mouth.calls[100:]]),
        "xruns": {"microphone": ear.xruns, "speaker": mouth.xruns},
        "latencies": latencies,
    }


async def _marks(speaker: Speaker, minutes: float) -> list[float]:
    await asyncio.sleep(3)  # an idle virtual device begins with a pause and then hurries
    end, asked = time.monotonic() + 60 * minutes, []
    rng = np.random.default_rng(1)
    while time.monotonic() < end:
        asked.append(await hand_over(speaker))
        await speaker.wait_for_playout()
        await asyncio.sleep(PAUSE * rng.uniform(0.8, 1.2))  # not in step with the blocks
    return asked


def _first_loud(calls: list[tuple[float, float, bool]], since: float) -> tuple[float, float]:
    """The callback that was given the mark asked for at `since`."""
    return next((entry, returned) for entry, returned, loud in calls if loud and returned > since)


@contextlib.contextmanager
def virtual_devices() -> Iterator[PulseAudio]:
    """The PulseAudio of the tests, for this process."""
    with tempfile.TemporaryDirectory() as folder:
        pulse = start_pulse_audio(Path(folder))
        os.environ.update(pulse.environment)
        devices.refresh()
        try:
            yield pulse
        finally:
            pulse.kill()


def show(rows: dict[str, Any]) -> None:
    """One line for each row of seconds, in ms."""
    table = Table("", *(f"{name}, ms" for name in ("median", "p95", "max")), "n", title="blocks of 20 ms at 48 kHz")
    for name, seconds in rows.items():
        figures = [*np.percentile(seconds, [50, 95]), max(seconds)]
        table.add_row(name, *(f"{1000 * figure:.1f}" for figure in figures), str(len(seconds)))
    Console(width=110).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    minutes = parser.parse_args().minutes
    with virtual_devices() as pulse:
        rows = asyncio.run(soak(minutes))
        xruns, latencies = rows.pop("xruns"), rows.pop("latencies")
        rows["pacat → frame"] = asyncio.run(into_the_microphone(pulse))
        rows["capture_frame → parec"] = asyncio.run(out_of_the_speaker(pulse))
        rows["echo"], told = asyncio.run(echo())
    show(rows)
    print(f"the canceller is told {1000 * told:.0f} ms")
    print("PortAudio's latency: microphone {:.0f} ms, speaker {:.0f} ms".format(*(1000 * one for one in latencies)))
    for side, times in xruns.items():
        at = f", {', '.join(f'{seconds:.1f}' for seconds in times)} s after its first block" if times else ""
        print(f"xruns of the {side} in {minutes:g} minutes: {len(times)}{at}")


if __name__ == "__main__":
    main()
