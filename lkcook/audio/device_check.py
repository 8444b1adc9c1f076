"""Before a call: is the speaker heard, does the microphone hear? Neither touches the echo canceller."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

import numpy as np

from lkcook import pcm
from lkcook.audio.echo import RATE
from lkcook.audio.rates import from_device, to_device
from lkcook.audio.stream import BLOCK, DeviceStream

Result = TypeVar("Result")
SILENCE = -96.0  # dBFS; what 16 bits cannot tell from nothing
_TONE_LEVEL = 0.1  # of full scale, -20 dBFS: heard, and no shock in headphones
_FADE = 0.05  # seconds; without it a tone clicks
_WAKING = 0.3  # seconds; what a device that wakes up swallows is silence then


async def test_tone(device: int | str | None = None) -> None:
    """Play 1 s of 440 Hz; returns when it was heard. Raises DeviceError."""
    left = _tone()
    all_given = asyncio.Event()
    loop = asyncio.get_running_loop()

    def give(_ahead: float) -> np.ndarray:
        nonlocal left
        block, left = left[:BLOCK], left[BLOCK:]
        if not len(left):
            loop.call_soon_threadsafe(all_given.set)
        return np.pad(block, (0, BLOCK - len(block)))

    stream = DeviceStream("output", device, lambda rate: to_device(rate, give), replaceable=False)
    async with _opened(stream):
        await _unless_lost(stream, all_given.wait())
        await asyncio.sleep(stream.delay)  # what PortAudio still holds would be cut off


async def level(device: int | str | None = None, seconds: float = 1.0) -> float:
    """How loud `seconds` of the microphone are: RMS in dBFS, from -96 (silence) to 0. Raises DeviceError.

    The signal is as it comes, before noise suppression and gain control. A quiet room has about -60, speech about -25;
    -96 is a microphone that is switched off, or that the system keeps from this program.
    """
    blocks: asyncio.Queue[np.ndarray] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def take(block: np.ndarray) -> None:
        loop.call_soon_threadsafe(blocks.put_nowait, block)

    async def some() -> np.ndarray:
        return np.concatenate([await blocks.get() for _ in range(max(1, round(seconds * RATE / BLOCK)))])

    stream = DeviceStream("input", device, lambda rate: from_device(rate, take), replaceable=False)
    async with _opened(stream):
        power = np.mean(np.square(pcm.to_float(await _unless_lost(stream, some()))))
    return max(SILENCE, float(10 * np.log10(power + 1e-12)))


def _tone() -> np.ndarray:
    at = np.arange(RATE) / RATE
    envelope = np.clip(np.minimum(at, 1 - at) / _FADE, 0, 1)
    tone = pcm.to_int16(_TONE_LEVEL * envelope * np.sin(2 * np.pi * 440 * at))
    return np.concatenate([np.zeros(round(_WAKING * RATE), np.int16), tone])


@contextlib.asynccontextmanager
async def _opened(stream: DeviceStream) -> AsyncIterator[None]:
    await stream.open()
    try:
        yield
    finally:
        await stream.close()


async def _unless_lost(stream: DeviceStream, work: Coroutine[Any, Any, Result]) -> Result:
    """What `work` returns; the DeviceError of a device that is lost before."""
    working, lost = asyncio.ensure_future(work), asyncio.ensure_future(stream.lost())
    try:
        await asyncio.wait({working, lost}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else await lost  # type: ignore[return-value]
    finally:
        for waiting in (working, lost):
            waiting.cancel()
        await asyncio.gather(working, lost, return_exceptions=True)
