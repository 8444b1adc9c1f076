"""Between PortAudio's blocks, at whatever rate a device can do, and ours: 20 ms of int16 mono at 48 kHz."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lkcook import pcm
from lkcook.audio.echo import RATE
from lkcook.audio.stream import BLOCK, Work


def from_device(rate: int, take: Callable[[np.ndarray], None]) -> Work:
    """Gives `take` a microphone's sound."""
    resampler = pcm.Resampler(rate, RATE)
    waiting = np.zeros(0, np.int16)

    def work(data: np.ndarray, _when: Any) -> None:
        nonlocal waiting
        waiting = np.concatenate([waiting, resampler.push(data)])
        while len(waiting) >= BLOCK:
            take(waiting[:BLOCK])
            waiting = waiting[BLOCK:]

    return work


def to_device(rate: int, give: Callable[[float], np.ndarray]) -> Work:
    """Fills a speaker's blocks with what `give` returns; it is told in how many seconds that will sound."""
    resampler = pcm.Resampler(RATE, rate)
    waiting = np.zeros(0, np.int16)

    def work(data: np.ndarray, when: Any) -> None:
        nonlocal waiting
        ahead = max(0.0, when.outputBufferDacTime - when.currentTime)
        while len(waiting) < len(data):
            block = give(ahead + len(waiting) / rate)
            waiting = np.concatenate([waiting, resampler.push(block)])
        data[:] = waiting[: len(data)]
        waiting = waiting[len(data) :]

    return work
