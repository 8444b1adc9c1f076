"""The browser's speaker on a clock that jumps: what was heard, and what was only sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from lkcook.audio.browser import BrowserSpeaker, browser_sound
from lkcook.audio.browser_link import BUFFER, BrowserLink
from lkcook.audio.listener import RATE
from tests.audio.page import Page
from tests.audio.test_listener import Tape, capture
from tests.scripted_models import tone


@pytest.fixture
def page(page_of) -> Page:
    """Its browser takes another 50 ms."""
    return page_of(latency=0.05)


@pytest.fixture
async def speaker(page, clock, monkeypatch) -> AsyncIterator[BrowserSpeaker]:
    monkeypatch.setattr("lkcook.audio.browser.time", clock)
    _, speaker = browser_sound(BrowserLink(page, transports=["messages"]))  # the socket's thread has real time
    await speaker.start()
    yield speaker
    await speaker.aclose()


@pytest.fixture
def sent(speaker, clock, monkeypatch) -> list[tuple[int, float]]:
    """(samples, time) of everything that was sent to the page."""
    play, sent = speaker.link.play, []
    monkeypatch.setattr(
        speaker.link, "play", lambda samples: (sent.append((len(samples) // 2, clock.time())), play(samples))
    )
    return sent


def marks(page: Page) -> list[str]:
    """What the page was told between the sounds."""
    return [part for part in page.played if isinstance(part, str)]


def interrupt_after(speaker: BrowserSpeaker, blocks: int) -> None:
    """Barge in when so many blocks were heard."""
    tape, heard = speaker.tap, []

    def tap(samples, rate, at):
        tape(samples, rate, at)
        heard.append(samples)
        if len(heard) == blocks:
            asyncio.get_running_loop().call_soon(speaker.clear_buffer)

    speaker.tap = tap


async def test_an_utterance_is_heard_when_it_sounds_in_the_page(speaker, sent):
    tape = Tape(speaker)
    await capture(speaker, tone(0.5, 440))
    speaker.flush()
    await speaker.wait_for_playout()
    assert np.array_equal(tape.samples, tone(0.5, 440)) and tape.finished == [(0.5, False)]
    assert sum(count for count, _ in sent) == 0.5 * RATE
    assert [at for _, at in tape.blocks] == pytest.approx([at + BUFFER + 0.05 for _, at in sent], abs=1e-6)


async def test_what_was_sent_but_not_heard_is_not_played(speaker, page, sent):
    tape = Tape(speaker)
    interrupt_after(speaker, 5)
    await capture(speaker, tone(5, 440))
    speaker.flush()
    await speaker.wait_for_playout()
    assert tape.finished == [(0.1, True)] and len(tape.samples) == 0.1 * RATE
    on_its_way = (sum(count for count, _ in sent) - len(tape.samples)) / RATE
    assert on_its_way == pytest.approx(BUFFER + 0.05, abs=0.03)
    await page.until(lambda: "flush" in marks(page))
    assert marks(page)[-1] == "flush"


async def test_an_utterance_that_was_sent_whole_can_still_be_interrupted(speaker):
    tape = Tape(speaker)
    interrupt_after(speaker, 2)
    await capture(speaker, tone(0.1, 440))  # less than what is on its way at any time
    speaker.flush()
    await capture(speaker, tone(0.05, 880))
    speaker.flush()
    await speaker.wait_for_playout()
    assert tape.finished == [(len(tape.samples) / RATE, True), (0.0, True)] and 0.04 <= len(tape.samples) / RATE < 0.1


async def test_an_utterance_that_nobody_heard_has_not_started(speaker, sent):
    tape = Tape(speaker)
    await capture(speaker, tone(1, 440))
    speaker.flush()
    while not sent:
        await asyncio.sleep(0.001)
    speaker.clear_buffer()
    await speaker.wait_for_playout()
    assert tape.finished == [(0.0, True)] and len(tape.events) == 1 and not tape.blocks


async def test_the_next_utterance_is_whole_after_an_interruption(speaker):
    tape = Tape(speaker)
    interrupt_after(speaker, 3)
    await capture(speaker, tone(1, 440))
    speaker.flush()
    await speaker.wait_for_playout()
    heard = len(tape.samples)
    await capture(speaker, tone(0.07, 880))
    speaker.flush()
    await speaker.wait_for_playout()
    assert np.array_equal(tape.samples[heard:], tone(0.07, 880)) and tape.finished == [(0.06, True), (0.07, False)]


async def test_utterances_in_a_row_are_told_apart_inside_a_block(speaker):
    tape = Tape(speaker)
    interrupt_after(speaker, 9)
    for seconds in (0.05, 0.03, 0.5):
        await capture(speaker, tone(seconds, 440))
        speaker.flush()
    await speaker.wait_for_playout()
    assert tape.finished == [(0.05, False), (0.03, False), (pytest.approx(0.1), True)]


async def test_the_page_is_told_where_sound_ends_so_that_a_pause_is_no_underrun(speaker, page):
    for _ in range(2):
        await capture(speaker, tone(0.05, 440))
        speaker.flush()
        await speaker.wait_for_playout()
    await page.until(lambda: marks(page) == ["end", "end"])
    assert isinstance(page.played[-1], str) and len(page.sound) == 0.1 * RATE


async def test_a_short_stall_is_caught_up_with_and_a_long_one_goes_on_from_now(speaker, sent, clock):
    tape = Tape(speaker)
    await capture(speaker, tone(3, 440))
    speaker.flush()
    while len(sent) < 20:
        await asyncio.sleep(0.001)
    clock.now += BUFFER - 0.03
    while len(sent) < 40:
        await asyncio.sleep(0.001)
    clock.now += 2
    await speaker.wait_for_playout()
    gaps = np.diff([at for _, at in tape.blocks])
    assert (gaps > 0.03).sum() == 1 and gaps.max() == pytest.approx(2, abs=0.05), "only the long one is a gap"
    assert tape.finished == [(3.0, False)]
