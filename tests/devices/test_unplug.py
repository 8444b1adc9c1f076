"""Devices that come, are changed and are lost in mid-call: the call goes on while there is something to go on with."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from lkcook.audio import devices
from lkcook.audio.microphone import Microphone
from lkcook.audio.speaker import Speaker
from lkcook.errors import DeviceError
from tests.devices.conftest import RATE, PulseAudio, found, noise, opened, say
from tests.scripted_models import tone

LOST = {
    "pulled out": lambda headset, *side: headset.kill(),
    "fallen silent": lambda headset, side, name: headset.control(f"suspend-{side}", name, "1"),
}


async def frames_from(microphone: Microphone, seconds: float) -> np.ndarray:
    """The next `seconds` of what the microphone hands out."""
    frames = [await anext(microphone) for _ in range(round(seconds * 50))]
    return np.concatenate([np.frombuffer(frame.data, np.int16) for frame in frames])


async def hears(pulse: PulseAudio, microphone: Microphone) -> float:
    """How well what is played into `pulse` is found in the microphone's frames."""
    await frames_from(microphone, 0.5)
    playing = asyncio.create_task(pulse.play(noise(0.5)))
    heard = await frames_from(microphone, 2)
    await playing
    return found(noise(0.5), heard)[0]


def test_a_device_that_is_plugged_in_is_offered_once_it_was_looked_for(pulse, request):
    before = devices.names("input")
    assert before[0] == "default" and {"virtual_microphone", "virtual_speaker"} < set(before)
    assert "usb_microphone" not in before
    headset = request.getfixturevalue("headset")
    assert {"usb_microphone", "usb_speaker"} < set(devices.names("input"))
    headset.kill()
    assert devices.refresh() and devices.names("input") == before


async def test_nothing_is_looked_for_while_a_device_is_open(pulse):
    async with opened(Speaker()):
        async with opened(Microphone(processing=False)):
            assert not devices.refresh()
        assert not devices.refresh()
    assert devices.refresh()


async def test_a_microphone_is_changed_in_mid_call(pulse, headset):
    microphone = Microphone(processing=False)
    async with opened(microphone):
        assert await hears(pulse, microphone) > 0.9
        await microphone.use("usb_mic")
        assert microphone.device["name"] == "usb_microphone"
        assert await hears(headset, microphone) > 0.9
        with pytest.raises(DeviceError, match="'gramophone' is no microphone"):
            await microphone.use("gramophone")
        assert await hears(headset, microphone) > 0.9, "the one in use is kept"


async def test_a_speaker_is_changed_in_mid_sentence(pulse, headset):
    speaker, signal = Speaker(), tone(6, 440)
    async with pulse.listening() as before, headset.listening() as after, opened(speaker):
        await say(speaker, signal)
        await before.until(lambda: before.loud)
        await speaker.use("usb_speaker")
        await after.until(lambda: after.loud)
        await speaker.wait_for_playout()
        await after.until(lambda: after.quiet_for(0.2))
    together = sum(np.count_nonzero(part.samples) for part in (before, after)) / RATE
    assert 5.5 < together < 6.1, "the rest, but for what the first still held"


async def test_a_device_that_cannot_be_opened_leaves_the_one_in_use(pulse, headset):
    microphone = Microphone(processing=False)
    async with opened(microphone):
        headset.kill()
        with pytest.raises(DeviceError, match="'usb_microphone' could not be opened"):
            await microphone.use("usb_microphone")
        assert microphone.device["name"] == "default" and await hears(pulse, microphone) > 0.9


@pytest.mark.parametrize("how", LOST)
async def test_a_lost_microphone_is_replaced_by_the_default_and_the_reader_is_told(pulse, headset, how):
    microphone, notes = Microphone("usb_microphone", processing=False), []
    microphone.on_note = notes.append
    async with opened(microphone):
        await frames_from(microphone, 0.5)
        LOST[how](headset, "source", "mic")
        async with asyncio.timeout(40):
            while not notes:
                await anext(microphone)
        assert notes == ["The microphone 'usb_microphone' was lost; the call goes on with 'default'."]
        assert await hears(pulse, microphone) > 0.9


@pytest.mark.parametrize("how", LOST)
async def test_a_lost_speaker_is_replaced_by_the_default_which_says_the_rest(pulse, headset, how):
    speaker, notes = Speaker("usb_speaker"), []
    speaker.on_note = notes.append
    async with pulse.listening() as rest, opened(speaker):
        await say(speaker, tone(3, 440))
        await asyncio.sleep(0.5)
        LOST[how](headset, "sink", "speaker")
        await speaker.wait_for_playout()
        await rest.until(lambda: rest.quiet_for(0.2))
    assert notes == ["The speaker 'usb_speaker' was lost; the call goes on with 'default'."]
    assert np.count_nonzero(rest.samples) > RATE


async def test_a_muted_microphone_hands_out_silence_and_then_goes_on(pulse):
    microphone, taps = Microphone(processing=False), []
    microphone.tap = lambda samples, rate, at: taps.append(samples)
    async with opened(microphone):
        await frames_from(microphone, 0.5)
        playing = asyncio.create_task(pulse.play(noise(3)))
        while not (await frames_from(microphone, 0.1)).any():
            pass
        microphone.muted, muted_from = True, len(taps)
        assert not (await frames_from(microphone, 0.5)).any() and not np.concatenate(taps[muted_from:]).any()
        microphone.muted = False
        assert (await frames_from(microphone, 0.5)).any()
        await playing
