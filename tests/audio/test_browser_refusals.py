"""What can keep a page from opening the browser's sound, in words for the reader."""

from __future__ import annotations

import asyncio

import pytest

from lkcook.audio.browser import browser_sound
from lkcook.audio.browser_link import BrowserLink
from lkcook.errors import DeviceError
from tests.audio.test_browser import HELLO, next_frame


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("NotAllowedError", "was not allowed to use the microphone\n.*left of the page's address, set Microphone to Allow"),
        ("NotFoundError", "found no microphone on your computer\n.*plug one in"),
        ("NotReadableError", "another program holds it"),
        ("TypeError", "TypeError: the browser said so"),
    ],
)
async def test_what_the_browser_refuses_is_explained(page_of, error, words):
    page = page_of(refuses={"microphone": error})
    microphone, speaker = browser_sound(page)
    with pytest.raises(DeviceError, match=words):
        await microphone.prepare()
    await microphone.aclose()
    await speaker.start()  # which is another matter
    assert page.open == {"speaker"}
    await speaker.aclose()


async def test_an_insecure_page_is_told_where_to_go(page_of):
    microphone, _ = browser_sound(page_of(origin="http://hub.example", secure=False))
    with pytest.raises(DeviceError, match="http://hub.example.*\n.*ssh -L 8888:localhost:8888"):
        await microphone.prepare()


async def test_a_widget_that_no_page_shows_is_noticed(page_of):
    page = page_of(deaf=True)
    microphone, _ = browser_sound(BrowserLink(page, answer_within=0.2))
    with pytest.raises(DeviceError, match="did not answer within 0.2 s\n.*with the widget shown"):
        await microphone.prepare()
    page.deaf = False
    await microphone.prepare()
    await microphone.aclose()


async def test_a_page_that_still_loads_is_asked_again(page_of):
    page = page_of(deaf=True)
    microphone, _ = browser_sound(page)
    opening = asyncio.create_task(microphone.prepare())
    while len(page.told) < 2:
        await asyncio.sleep(0.05)
    page.deaf = False
    await opening
    await microphone.aclose()


async def test_a_question_for_permission_that_nobody_answers_is_explained(page_of, monkeypatch):
    page = page_of()
    monkeypatch.setattr("lkcook.audio.browser_link._CLOSE_WITHIN", 0.1)
    link = BrowserLink(page, open_within=0.2)
    microphone, _ = browser_sound(link)
    link.on_frame = None
    answer = page._answer

    async def hesitant(content, buffers):
        if content["sound"] != "open":
            await answer(content, buffers)

    page._answer = hesitant
    with pytest.raises(DeviceError, match="within 0.2 s\n.*answer the browser's question for permission"):
        await microphone.prepare()
    assert page.told[-1]["sound"] == "close"


async def test_an_interrupted_opening_is_taken_back(page_of):
    page = page_of("websocket", refuses={})
    microphone, _ = browser_sound(page)
    opening = asyncio.create_task(microphone.prepare())
    await page.until(lambda: page.socket is not None)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    await microphone.aclose()
    assert not page.open and page.told[-1]["sound"] == "close"


async def test_a_browser_that_waits_for_a_click_says_so_once(page_of):
    page, said = page_of(), []
    link = BrowserLink(page, notify=said.append)
    microphone, _ = browser_sound(link)
    await microphone.prepare()
    page.tell("blocked")
    page.tell("blocked")
    page.speak(HELLO)
    await next_frame(microphone)
    assert link.blocked and len(said) == 1 and "click anywhere" in said[0]
    page.tell("resumed")
    page.speak(HELLO)
    await next_frame(microphone)
    assert not link.blocked
    await microphone.aclose()


async def test_what_the_page_reports_is_kept(page_of):
    page = page_of(latency=0.04)
    microphone, speaker = browser_sound(page)
    await microphone.prepare()
    await speaker.start()
    assert speaker.link.latency == 0.04
    page.tell("report", underruns=2, lowest=0.05, latency=0.06)
    page.speak(HELLO)
    await next_frame(microphone)
    assert (speaker.underruns, speaker.link.lowest, speaker.link.latency) == (2, 0.05, 0.06)
    await microphone.aclose()
    await speaker.aclose()
