"""The browser's microphone and speaker, against a page that does what browser.js does."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

import lkcook
from lkcook.audio.browser import BLOCK, BrowserMicrophone, browser_sound
from lkcook.audio.listener import RATE
from lkcook.errors import DeviceError
from tests.audio.test_listener import capture
from tests.scripted_models import tone

HELLO = tone(0.02, 440)


async def next_frame(microphone: BrowserMicrophone) -> np.ndarray:
    async with asyncio.timeout(5):
        frame = await anext(microphone)
    assert (frame.sample_rate, frame.num_channels, frame.samples_per_channel) == (RATE, 1, BLOCK)
    return np.frombuffer(frame.data, np.int16)


class Silent:
    """A conversation that ends when it is told to."""

    def __init__(self) -> None:
        self.over = asyncio.Event()

    async def ended(self) -> None:
        await self.over.wait()


# -- both sides, both ways the sound can take -----------------------------------------------------


@pytest.mark.parametrize("transport", ["messages", "websocket"])
async def test_sound_flows_both_ways(page_of, transport):
    page = page_of(transport)
    microphone, speaker = browser_sound(page)
    await microphone.prepare()
    await speaker.start()
    assert page.open == {"microphone", "speaker"} and microphone.link.transport == transport
    said, answer = tone(0.2, 660), tone(0.31, 440)
    for start in range(0, len(said), BLOCK):
        page.speak(said[start : start + BLOCK])
    heard = np.concatenate([await next_frame(microphone) for _ in range(len(said) // BLOCK)])
    assert np.array_equal(heard, said) and microphone.lost == 0
    await capture(speaker, answer)
    speaker.flush()
    end = await speaker.wait_for_playout()
    assert np.array_equal(page.sound, answer) and page.played[-1] == "end" and "flush" not in page.played
    assert (end.playback_position, end.interrupted) == (0.31, False)
    for _ in range(2):
        await microphone.aclose()
        await speaker.aclose()
    assert not page.open and page.socket is None


async def test_a_page_without_an_origin_of_its_own_is_given_no_socket(page_of):
    page = page_of(origin="null")
    microphone, _ = browser_sound(page)
    await microphone.prepare()
    opening = next(message for message in page.told if message["sound"] == "open")
    assert (opening["port"], opening["token"]) == (0, "")
    await microphone.aclose()


async def test_each_side_can_be_opened_alone_and_again(page_of):
    page = page_of("websocket")
    microphone, speaker = browser_sound(page)
    for side, opened, closed in (
        ("microphone", microphone.prepare, microphone.aclose),
        ("speaker", speaker.start, speaker.aclose),
        ("microphone", microphone.prepare, microphone.aclose),
    ):
        await opened()
        assert page.open == {side}
        await closed()
        assert not page.open
    tokens = [message["token"] for message in page.told if message["sound"] == "open"]
    assert len(set(tokens)) == 3, "a token is good for one call"


async def test_other_messages_of_the_widget_and_other_calls_are_left_alone(page_of):
    page = page_of()
    microphone, _ = browser_sound(page)
    await microphone.prepare()
    page.say({"press": "stop"})
    page.say("anything")
    page.say({"sound": "lost", "call": "an earlier one", "message": "gone"})
    page.speak(HELLO)
    assert np.array_equal(await next_frame(microphone), HELLO)
    await microphone.aclose()


# -- the microphone -------------------------------------------------------------------------------


async def test_a_muted_microphone_hands_out_silence_also_to_the_recording(page_of):
    page, taped = page_of(), []
    microphone, _ = browser_sound(page)
    await microphone.prepare()
    microphone.tap = lambda samples, rate, at: taped.append(samples)
    for muted in (False, True, False):
        microphone.muted = muted
        page.speak(HELLO)
        assert np.array_equal(await next_frame(microphone), 0 * HELLO if muted else HELLO)
    assert [bool(samples.any()) for samples in taped] == [True, False, True]
    await microphone.aclose()


async def test_the_browser_suppresses_noise_unless_a_canceller_was_chosen(page_of):
    for canceller in (None, lkcook.canceller("webrtc")):
        page = page_of()
        microphone, _ = browser_sound(page)
        microphone.slot.use(canceller, at_once=True)
        await microphone.prepare()
        (asked,) = [message for message in page.told if message["sound"] == "open"]
        assert asked["suppress"] is microphone.suppresses_noise is (canceller is None)
        await microphone.aclose()


async def test_what_comes_while_the_session_does_not_listen_never_reaches_it(page_of):
    page, taped = page_of(), asyncio.Queue()
    microphone, _ = browser_sound(page)
    await microphone.prepare()
    microphone.tap = lambda samples, rate, at: taped.put_nowait(samples)
    microphone.on_detached()
    coming = asyncio.ensure_future(next_frame(microphone))
    for _ in range(3):
        page.speak(HELLO)
        assert not (await taped.get()).any(), "the recording has silence instead"
    microphone.on_attached()
    page.speak(HELLO // 2)
    assert np.array_equal(await coming, HELLO // 2) and (await taped.get()).any()
    await microphone.aclose()


async def test_frames_that_are_lost_are_counted(page_of):
    page = page_of()
    microphone, _ = browser_sound(page)
    await microphone.prepare()
    for skip in (7, 0, 2, 0, 3):  # before the first nobody listened
        page.speak(HELLO, skip=skip)
        await next_frame(microphone)
    assert microphone.lost == 5
    page.tell("microphone", (b"too short",))
    page.speak(HELLO)
    await next_frame(microphone)
    assert microphone.lost == 6
    await microphone.aclose()


async def test_a_frame_that_was_late_on_its_way_was_not_spoken_later(page_of):
    page, times = page_of(), []
    microphone, _ = browser_sound(page)
    await microphone.prepare()
    microphone.tap = lambda samples, rate, at: times.append(at)
    start = time.time() - 3600  # the other computer's clock
    page.speak(HELLO, start)
    await next_frame(microphone)
    await asyncio.sleep(0.2)
    for number in range(1, 4):  # they come together
        page.speak(HELLO, start + 0.02 * number)
        await next_frame(microphone)
    assert np.diff(times) == pytest.approx(0.02, abs=0.001)
    assert times[0] == pytest.approx(time.time() - 0.2, abs=0.15), "on this computer's clock"
    await microphone.aclose()


async def test_it_hangs_up_when_it_is_told_to(page_of):
    microphone, _ = browser_sound(page_of())
    await microphone.prepare()
    conversing = asyncio.create_task(microphone.converse(Silent()))
    await asyncio.sleep(0)
    microphone.hang_up()
    async with asyncio.timeout(5):
        await conversing
    await microphone.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(microphone)


async def test_a_page_that_goes_in_mid_call_ends_it_in_words(page_of):
    page = page_of("websocket")
    microphone, _ = browser_sound(page)
    await microphone.prepare()
    page.speak(HELLO)
    await next_frame(microphone)
    conversing = asyncio.create_task(microphone.converse(Silent()))
    await asyncio.sleep(0)
    await page.vanish()
    with pytest.raises(DeviceError, match="browser's microphone was lost: the page was closed or reloaded"):
        async with asyncio.timeout(5):
            await conversing
    await microphone.aclose()


async def test_a_page_that_falls_silent_ends_the_call_in_words(page_of, monkeypatch):
    monkeypatch.setattr("lkcook.audio.browser._NEXT_FRAME", 0.1)
    monkeypatch.setattr("lkcook.audio.browser_link._CLOSE_WITHIN", 0.1)
    page = page_of()
    microphone, _ = browser_sound(page)
    await microphone.prepare()
    page.speak(HELLO)
    await next_frame(microphone)
    await page.vanish()
    with pytest.raises(StopAsyncIteration):
        await next_frame(microphone)
    with pytest.raises(DeviceError, match="lost: it delivers no sound any more"):
        await microphone.converse(Silent())
    await microphone.aclose()
    assert page.told[-1]["sound"] == "close", "a page that only slept must let go of the microphone"


async def test_a_microphone_that_is_unplugged_ends_the_call_in_words(page_of):
    page = page_of()
    microphone, _ = browser_sound(page)
    await microphone.prepare()
    page.tell("lost", message="it was unplugged")
    with pytest.raises(DeviceError, match="lost: it was unplugged"):
        async with asyncio.timeout(5):
            await microphone.converse(Silent())
    await microphone.aclose()
