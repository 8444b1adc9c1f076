"""Whole calls through `talk()` with a person at a browser; the page is made up, the models follow a script."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import numpy as np
import pytest

from lkcook.audio.browser import BLOCK, browser_sound
from lkcook.audio.line import AUDIBLE
from lkcook.call import last_call, talk
from lkcook.errors import DeviceError
from tests.audio.page import Page
from tests.call.conftest import CALLER_HZ
from tests.scripted_models import ScriptedTTS, tone

BEEP = tone(0.4, CALLER_HZ)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    page = Page("websocket")
    yield page
    await page.aclose()


async def speak(page: Page, samples: np.ndarray) -> None:
    """Once the microphone is on: `samples`, then silence for good, as a microphone has it."""
    await page.until(lambda: page.open == {"microphone", "speaker"})
    number = 0
    while True:
        piece = samples[BLOCK * number : BLOCK * (number + 1)]
        page.speak(np.pad(piece, (0, BLOCK - len(piece))))
        number += 1
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def speaking(page: Page) -> AsyncIterator[None]:
    task = asyncio.create_task(speak(page, BEEP))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_person_at_a_browser_is_answered_there(page, pipeline, agent):
    microphone, speaker = browser_sound(page)
    speaker.on("playback_finished", lambda event: microphone.hang_up())
    session = pipeline(text_to_speech=(voice := ScriptedTTS()))
    async with speaking(page):
        call = await talk(session, agent, caller=microphone, listener=speaker)
    assert [(said.who, said.text.strip()) for said in call.transcript] == [
        ("caller", "Hello there."),
        ("agent", "Good morning to you."),
    ]
    answer = voice.samples("Good morning to you.")
    assert np.array_equal(page.sound[: len(answer)], answer) and not page.sound[len(answer) :].any()
    kept = np.count_nonzero(np.abs(call.recording.channel("caller").samples.astype(int)) >= AUDIBLE)
    assert kept == pytest.approx(np.count_nonzero(np.abs(BEEP.astype(int)) >= AUDIBLE), abs=BLOCK), "stalls leave gaps, and lose nothing"
    assert not page.open and page.socket is None


async def test_a_page_that_is_closed_in_mid_call_ends_it_and_loses_nothing(page, pipeline, agent):
    microphone, speaker = browser_sound(page)
    speaker.on("playback_finished", lambda event: asyncio.ensure_future(page.vanish()))
    async with speaking(page):
        with pytest.raises(DeviceError, match="browser's microphone was lost: the page was closed"):
            await talk(pipeline(), agent, caller=microphone, listener=speaker)
    assert [said.who for said in last_call().transcript] == ["caller", "agent"]
