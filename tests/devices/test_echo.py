"""The agent's voice on its way from the speaker into the microphone, and what is left of it.

PulseAudio carries the speaker's sound back into the microphone, 6 dB quieter, as a table with both on it would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest

from lkcook import pcm
from lkcook.audio.microphone import Microphone
from lkcook.audio.speaker import Speaker
from tests.devices.conftest import RATE, PulseAudio, found, opened, say
from tests.speech import human

CONVERGED = 2.0  # seconds of speech after which the canceller must know the path


@pytest.fixture
def table(pulse: PulseAudio) -> Iterator[None]:
    """Speaker and microphone hear each other for as long as the test runs."""
    with pulse.echo():
        yield


def agents_voice() -> np.ndarray:
    """Six seconds of human speech at 48 kHz."""
    spoken = np.concatenate([samples for samples, _ in human()])
    return pcm.resample(spoken[: 6 * 16_000], 16_000, RATE)


async def echo_heard(processing: bool) -> np.ndarray:
    """What the microphone hands out while the speaker talks."""
    microphone, speaker, frames = Microphone(processing=processing), Speaker(), []
    async with opened(speaker), opened(microphone):
        await anext(microphone)
        await say(speaker, agents_voice(), RATE)
        played = asyncio.create_task(speaker.wait_for_playout())
        while not played.done():
            frames.append(await anext(microphone))
    return np.concatenate([np.frombuffer(frame.data, np.int16) for frame in frames])


def level(heard: np.ndarray) -> float:
    """dBFS (RMS) once the canceller had time to learn."""
    return 20 * np.log10(np.sqrt(np.mean(pcm.to_float(heard[round(CONVERGED * RATE) :]) ** 2)) + 1e-9)


async def test_the_canceller_removes_the_agents_own_voice(pulse, table):
    raw, cleaned = await echo_heard(processing=False), await echo_heard(processing=True)
    print(f"echo {level(raw):.1f} dBFS, with the canceller {level(cleaned):.1f} dBFS")
    assert found(agents_voice(), raw)[0] > 0.9, "without the canceller the agent hears itself"
    assert level(raw) > -40 and level(raw) - level(cleaned) >= 20
