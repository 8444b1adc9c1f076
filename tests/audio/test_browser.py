"""The browser's microphone and speaker, against a page that is played by Python."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.voice.io import PlaybackFinishedEvent

from lkcook.audio.browser import BLOCK, BrowserMicrophone, BrowserSpeaker, browser_sound
from lkcook.audio.browser_link import BUFFER, BrowserLink
from lkcook.errors import DeviceError
from tests.audio.page import Page
from tests.scripted_models import tone


class Call:
    """A conversation that nobody ends."""

    async def ended(self) -> None:
        await asyncio.Event().wait()


@pytest.fixture
async def pages() -> AsyncIterator[Callable[..., Page]]:
    """Makes pages; at the end no thread of lkcook's is left."""
    made: list[Page] = []

    def make(*arguments: Any, **options: Any) -> Page:
        made.append(Page(*arguments, **options))
        return made[-1]

    async with asyncio.timeout(30):
        yield make
    for page in made:
        await page.aclose()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("lkcook")]


def sides(page: Page, **options: Any) -> tuple[BrowserMicrophone, BrowserSpeaker]:
    return browser_sound(BrowserLink(page, **options))


async def say(speaker: BrowserSpeaker, samples: np.ndarray) -> None:
    for piece in np.split(samples, range(2400, len(samples), 2400)):
        await speaker.capture_frame(rtc.AudioFrame(piece.tobytes(), 24_000, 1, len(piece)))
    speaker.flush()


async def next_samples(microphone: BrowserMicrophone) -> np.ndarray:
    frame = await anext(microphone)
    assert (frame.sample_rate, frame.num_channels) == (24_000, 1)
    return np.frombuffer(frame.data, np.int16)


def block(value: int) -> np.ndarray:
    return np.full(BLOCK, value, np.int16)


@pytest.mark.parametrize("transport", ["messages", "websocket"])
async def test_what_the_page_hears_becomes_frames_in_order(pages, transport):
    page = pages(transport)
    microphone, _ = sides(page)
    await microphone.prepare()
    for value in range(1, 6):
        page.speak(block(value))
    assert [int((await next_samples(microphone))[0]) for _ in range(5)] == [1, 2, 3, 4, 5]
    assert microphone.lost == 0 and microphone.link.transport == transport
    await microphone.aclose()
    assert not page.open, "the browser's recording sign went out"


@pytest.mark.parametrize("transport", ["messages", "websocket"])
async def test_what_the_agent_says_reaches_the_page_whole_and_is_told_when_it_sounds(pages, transport):
    page, started, ends = pages(transport, latency=0.05), [], []
    _, speaker = sides(page)
    speaker.on("playback_started", lambda event: started.append((event.created_at, time.time())))
    speaker.on("playback_finished", ends.append)
    await speaker.start()
    samples, began = tone(0.5, 440), time.time()
    await say(speaker, samples)
    await speaker.wait_for_playout()
    assert np.array_equal(page.sound, samples) and page.played[-1] == "end"
    assert ends == [PlaybackFinishedEvent(playback_position=0.5, interrupted=False)]
    (sounded, told), = started
    assert sounded >= began + BUFFER + 0.05, "after the page's buffer and the browser's own latency"
    assert told >= sounded, "nobody is told of a sound before it is heard"
    await speaker.aclose()


async def test_a_barge_in_empties_the_page_and_what_it_still_held_was_not_heard(pages):
    page, ends = pages(), []
    _, speaker = sides(page)
    speaker.on("playback_finished", ends.append)
    await speaker.start()
    await say(speaker, tone(5, 440))
    await page.until(lambda: len(page.sound) > 24_000 // 2)
    speaker.clear_buffer()
    await page.until(lambda: isinstance(page.played[-1], str))
    assert page.played[-1] == "flush"
    (end,) = ends
    sent = len(page.sound) / 24_000
    assert end.interrupted and 0 < end.playback_position <= sent - BUFFER + 0.03
    await speaker.aclose()


async def test_an_utterance_that_is_cut_before_its_first_sound_was_not_heard_at_all(pages):
    page, ends = pages(), []
    _, speaker = sides(page)
    speaker.on("playback_finished", ends.append)
    await speaker.start()
    await say(speaker, tone(1, 440))
    await page.until(lambda: len(page.sound) > 0)
    speaker.clear_buffer()
    assert [(end.interrupted, end.playback_position) for end in ends] == [(True, 0.0)]
    await speaker.aclose()


async def test_while_muted_the_agent_gets_silence(pages):
    page = pages()
    microphone, _ = sides(page)
    await microphone.prepare()
    taps: list[int] = []
    microphone.tap = lambda samples, rate, at: taps.append(int(samples[0]))
    for value, muted in ((1, False), (2, True), (3, False)):
        microphone.muted = muted
        page.speak(block(value))
        assert int((await next_samples(microphone))[0]) == (0 if muted else value)
    assert taps == [1, 0, 3]
    await microphone.aclose()


async def test_frames_that_get_lost_on_the_way_are_counted(pages):
    page = pages()
    microphone, _ = sides(page)
    await microphone.prepare()
    page.speak(block(1))
    page.speak(block(2), skip=3)
    await next_samples(microphone)
    await next_samples(microphone)
    assert microphone.lost == 3
    await microphone.aclose()


async def test_a_frame_that_was_late_on_its_way_was_not_spoken_later(pages):
    page, at = pages(), time.time()
    microphone, _ = sides(page)
    times: list[float] = []
    microphone.tap = lambda samples, rate, when: times.append(when)
    await microphone.prepare()
    page.speak(block(1), at)
    await next_samples(microphone)
    await asyncio.sleep(0.25)  # what was spoken in that time arrives all at once
    for number in range(1, 10):
        page.speak(block(1), at + 0.02 * number)
    for _ in range(9):
        await next_samples(microphone)
    assert np.allclose(np.diff(times), 0.02, atol=0.001)
    await microphone.aclose()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("NotAllowedError", "set Microphone to Allow"),
        ("NotFoundError", "no microphone on your computer"),
        ("NotReadableError", "another program holds it"),
        ("SomethingNew", "SomethingNew: the browser said so"),
    ],
)
async def test_what_the_browser_refuses_is_told_with_what_to_do(pages, error, words):
    page = pages(refuses={"microphone": error})
    microphone, _ = sides(page)
    with pytest.raises(DeviceError, match="browser") as refused:
        await microphone.prepare()
    assert words in str(refused.value)
    await microphone.aclose()


async def test_a_page_that_is_not_secure_is_told_how_to_become_so(pages):
    microphone, _ = sides(pages(secure=False, origin="http://hub.example.com"))
    with pytest.raises(DeviceError, match="http://hub.example.com") as refused:
        await microphone.prepare()
    assert "ssh -L" in refused.value.remedy
    await microphone.aclose()


async def test_a_page_that_does_not_answer_is_reported_after_a_while(pages):
    microphone, _ = sides(pages(deaf=True), answer_within=0.2)
    with pytest.raises(DeviceError, match="did not answer within 0.2 s"):
        await microphone.prepare()
    await microphone.aclose()


@pytest.mark.parametrize("transport", ["websocket"])
async def test_a_page_that_is_closed_in_mid_call_is_a_lost_microphone(pages, transport):
    page = pages(transport)
    microphone, speaker = sides(page)
    await microphone.prepare()
    await speaker.start()
    talking = asyncio.create_task(microphone.converse(Call()))
    page.speak(block(1))
    await next_samples(microphone)
    await page.vanish()
    with pytest.raises(DeviceError, match="The browser's microphone was lost"):
        await talking
    await microphone.aclose()
    await speaker.aclose()


async def test_a_microphone_that_is_unplugged_says_why(pages):
    page = pages()
    microphone, _ = sides(page)
    await microphone.prepare()
    talking = asyncio.create_task(microphone.converse(Call()))
    await asyncio.sleep(0)
    page.tell("lost", message="it was unplugged, or its permission withdrawn")
    with pytest.raises(DeviceError, match="unplugged"):
        await talking
    await microphone.aclose()


async def test_a_reader_whose_browser_waits_for_a_click_is_told_to_click(pages):
    told: list[str] = []
    page = pages()
    microphone, _ = sides(page, notify=told.append)
    await microphone.prepare()
    page.tell("blocked")
    page.tell("resumed")
    page.speak(block(1))
    await next_samples(microphone)
    assert len(told) == 1 and "click anywhere" in told[0] and not microphone.link.blocked
    await microphone.aclose()


async def test_both_sides_can_be_used_for_one_call_after_another(pages):
    page = pages("websocket")
    microphone, speaker = sides(page)
    for value in (1, 2):
        await microphone.prepare()
        await speaker.start()
        assert page.open == {"microphone", "speaker"}
        page.speak(block(value))
        assert int((await next_samples(microphone))[0]) == value
        await microphone.aclose()
        await speaker.aclose()
        assert not page.open


async def test_messages_of_another_widget_or_an_earlier_call_are_ignored(pages):
    page = pages()
    microphone, _ = sides(page)
    await microphone.prepare()
    for stranger in ("text", None, {"do": "talk"}, {"sound": "lost", "call": "an earlier one", "message": "x"}):
        page.say(stranger)
    page.speak(block(7))
    assert int((await next_samples(microphone))[0]) == 7
    await microphone.aclose()
