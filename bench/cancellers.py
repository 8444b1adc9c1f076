"""What each noise canceller of this machine costs, and what it does to noise and to clean speech.

    python bench/cancellers.py

Real-time factors: 0.1 means that ten seconds of sound take one. "CPU" counts the processor's time alone, that of every
thread, since DeepFilterNet works in one of its own; "alone" and "busy" count waiting too, and "busy" is with another
thread that computes all the while, in the same process, as a notebook's would. Compare the rows of one run: on a
machine that has other work, all of them are larger.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import lkcook
from lkcook import pcm
from lkcook.noise.canceller import added_delay
from lkcook.noise.catalogue import CORES, missing

RATE = 24_000
DELAYS = (8_000, 16_000, 24_000, 48_000)
FRAME = RATE // 20  # 50 ms, as LiveKit's rooms have them
TIMES = 3
SPOKEN = 6  # recordings


def speech() -> np.ndarray:
    """int16 at 24 kHz: some of the recordings of callers, a second of a very quiet room before them."""
    spoken = [each.clip.mono(RATE) for each in lkcook.turn_recordings() if each.kind == "complete sentence"][:SPOKEN]
    return np.concatenate([pink(1.0, 10), *spoken])


def pink(seconds: float, level: float = 1000) -> np.ndarray:
    """int16 at 24 kHz: noise that falls by 3 dB an octave."""
    count = int(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(7).standard_normal(count))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.fft.rfftfreq(count, 1 / RATE), 50)), count)
    return (noise / noise.std() * level).astype(np.int16)


@contextmanager
def busy() -> Iterator[None]:
    """Another thread multiplies matrices and counts in Python by turns."""
    over = threading.Event()

    def compute() -> None:
        matrix = np.random.default_rng(0).standard_normal((300, 300))
        while not over.is_set():
            matrix = np.tanh(matrix @ matrix / 300)
            sum(range(20_000))

    thread = threading.Thread(target=compute)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def factors(name: str, samples: np.ndarray) -> tuple[float, float]:
    """Medians of the seconds that one second of sound takes, frame by frame: of this process's threads, and in all."""
    canceller, taken = lkcook.canceller(name), []
    canceller.clean(samples[:RATE], RATE)
    for _ in range(TIMES):
        worked, started = time.process_time(), time.perf_counter()
        for at in range(0, len(samples), FRAME):
            canceller.clean(samples[at : at + FRAME], RATE)
        taken.append((time.process_time() - worked, time.perf_counter() - started))
    cpu, wall = (statistics.median(each) * RATE / len(samples) for each in zip(*taken))
    return cpu, wall


def change(name: str, samples: np.ndarray) -> float:
    """dB that the canceller adds to the level of a sound, its first two seconds not counted."""
    cleaned = lkcook.canceller(name).clean(samples, RATE)
    levels = [np.sqrt(np.mean(pcm.to_float(each[2 * RATE :]) ** 2)) + 1e-7 for each in (samples, cleaned)]
    return float(20 * np.log10(levels[1] / levels[0]))


def loading(name: str) -> tuple[float, float]:
    """Seconds until the first and the second canceller are there."""
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        lkcook.canceller(name)
        seconds.append(time.perf_counter() - started)
    return seconds[0], seconds[1]


def measured(name: str, spoken: np.ndarray) -> list[str]:
    """One row of the table."""
    first, second = loading(name)
    cpu, alone = factors(name, spoken[: 8 * RATE])
    with busy():
        _, pressed = factors(name, spoken[: 8 * RATE])
    delays = [f"{1000 * added_delay(CORES[name], rate):.0f}" for rate in DELAYS]
    levels = [f"{change(name, pink(8.0)):.1f}", f"{change(name, spoken):+.1f}"]
    return [name, f"{first:.2f}", f"{second:.2f}", f"{cpu:.3f}", f"{alone:.3f}", f"{pressed:.3f}", *delays, *levels]


def main() -> None:
    """Measure every canceller that is here, and print the table."""
    heads = ["", "load, s", "again, s", "CPU", "alone", "busy", *(f"{rate // 1000} kHz, ms" for rate in DELAYS)]
    table = Table(*heads, "noise, dB", "speech, dB", title=f"{Path(__file__).stem}: frames of 50 ms at 24 kHz")
    spoken = speech()
    for name, core in CORES.items():
        if remedy := missing(core):
            table.add_row(name, remedy)
        else:
            table.add_row(*measured(name, spoken))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
