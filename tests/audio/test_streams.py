"""Streams on devices that refuse, change, fall silent or cannot do our rate."""

from __future__ import annotations

import asyncio
import threading
import time
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from livekit import rtc

from lkcook.audio import devices, echo, raw_stream, stream
from lkcook.audio.microphone import Microphone
from lkcook.audio.speaker import Speaker
from lkcook.audio.stream import BLOCK
from lkcook.errors import DeviceError
from tests.audio.portaudio import PortAudioError, Stream
from tests.scripted_models import tone

@pytest.mark.parametrize("side", [Microphone, Speaker])
async def test_a_device_that_cannot_be_opened_is_explained(portaudio, side):
    module = portaudio()
    module.InputStream = module.OutputStream = lambda **_: (_ for _ in ()).throw(PortAudioError("Device unavailable"))
    device = side("Headset")
    with pytest.raises(DeviceError, match="'USB Headset' could not be opened: Device unavailable\n  → check"):
        await (device.prepare() if side is Microphone else device.start())
    await device.aclose()


async def test_what_the_sound_card_took_before_an_interruption_is_told_before_its_end(portaudio):
    module, told = portaudio(), []
    speaker = Speaker()
    for event in ("playback_started", "playback_finished"):
        speaker.on(event, lambda _, event=event: told.append(event))
    await speaker.start()
    await speaker.capture_frame(rtc.AudioFrame(np.ones(48_000, np.int16).tobytes(), 48_000, 1, 48_000))
    speaker.flush()
    when = SimpleNamespace(outputBufferDacTime=0.0, currentTime=0.0)
    module.streams[0].callback(np.zeros((BLOCK, 1), np.int16), BLOCK, when, False)
    speaker.clear_buffer()  # before the event loop could hear of the block
    await asyncio.sleep(0)
    await speaker.aclose()
    assert told == ["playback_started", "playback_finished"] and module.streams[0].state == "closed"


async def test_blocks_that_portaudio_reports_as_lost_are_counted(portaudio):
    module, microphone = portaudio(), Microphone(processing=False)
    await microphone.prepare()
    for status in (False, True, False, True, True):
        module.streams[0].callback(np.zeros((BLOCK, 1), np.int16), BLOCK, None, status)
        await anext(microphone)
    await microphone.aclose()
    assert microphone.xruns == 3 and module.streams[0].state == "closed"


async def test_what_comes_while_the_session_does_not_listen_never_reaches_it(portaudio):
    module, microphone, taped = portaudio(), Microphone(processing=False), asyncio.Queue()
    microphone.tap = lambda samples, rate, at: taped.put_nowait(samples)
    await microphone.prepare()
    microphone.on_detached()
    coming = asyncio.ensure_future(anext(microphone))
    for level in (1000, 1000, 2000):
        if level == 2000:
            microphone.on_attached()
        module.streams[0].callback(np.full((BLOCK, 1), level, np.int16), BLOCK, None, False)
        assert (await taped.get()).any() == (level == 2000), "the recording has silence instead"
    assert set(np.frombuffer((await coming).data, np.int16)) == {2000}
    await microphone.aclose()


def test_a_microphone_has_its_noise_suppressed_unless_it_is_raw(portaudio):
    portaudio()
    assert Microphone().usual_canceller == "webrtc" and Microphone(processing=False).usual_canceller is None


def refuse(module: ModuleType, *rates: int) -> None:
    """A sound card that can do none of these."""
    opened = module.InputStream

    def picky(**options: Any) -> Stream:
        if options["samplerate"] in rates:
            raise PortAudioError("Error opening stream: Invalid sample rate [PaErrorCode -9997]")
        return opened(**options)

    module.InputStream = module.OutputStream = picky


async def test_a_microphone_that_cannot_do_48_khz_is_resampled(portaudio):
    module, microphone, heard = portaudio(), Microphone(processing=False), []
    refuse(module, 48_000)
    await microphone.prepare()
    card, signal = module.streams[0], tone(1, 1000, rate=44_100)
    assert (card.options["samplerate"], card.options["blocksize"]) == (44_100, 882)
    for block in signal.reshape(-1, 882, 1):
        card.callback(block, 882, None, False)
        await asyncio.sleep(0)
    await microphone.aclose()
    async for frame in microphone:
        assert (frame.sample_rate, frame.samples_per_channel) == (48_000, BLOCK)
        heard.append(np.frombuffer(frame.data, np.int16))
    samples = np.concatenate(heard)
    assert len(samples) / 48_000 == pytest.approx(1, abs=0.06)
    assert np.argmax(np.abs(np.fft.rfft(samples))) * 48_000 / len(samples) == pytest.approx(1000, abs=2)


async def test_a_speaker_that_cannot_do_48_khz_is_resampled(portaudio):
    module, speaker, ends = portaudio(), Speaker(), []
    refuse(module, 48_000)
    speaker.on("playback_finished", ends.append)
    await speaker.start()
    await speaker.capture_frame(rtc.AudioFrame(tone(1, 1000, rate=48_000).tobytes(), 48_000, 1, 48_000))
    speaker.flush()
    played, when = [], SimpleNamespace(outputBufferDacTime=0.0, currentTime=0.0)
    for _ in range(55):
        played.append(np.zeros((882, 1), np.int16))
        module.streams[0].callback(played[-1], 882, when, False)
    await speaker.wait_for_playout()
    await speaker.aclose()
    samples = np.concatenate(played)[:, 0]
    heard = samples[slice(*np.flatnonzero(np.abs(samples) > 100)[[0, -1]])]  # the resampler dithers
    assert len(heard) / 44_100 == pytest.approx(1, abs=0.01) and ends[0].playback_position == 1.0
    assert np.argmax(np.abs(np.fft.rfft(heard))) * 44_100 / len(heard) == pytest.approx(1000, abs=2)


async def test_a_device_that_can_do_no_rate_is_explained(portaudio):
    module = portaudio()
    refuse(module, 48_000, 44_100)
    with pytest.raises(DeviceError, match="could not be opened: .*Invalid sample rate"):
        await Microphone().prepare()
    assert devices.refresh(), "nothing was left open"


async def test_the_canceller_is_told_the_block_of_the_microphone_and_the_latency_of_the_speaker(portaudio):
    portaudio()
    microphone, speaker = Microphone(), Speaker()
    await microphone.prepare()
    await speaker.start()
    assert echo.room()._delays == {"input": 0.02, "output": Stream.latency}
    await microphone.aclose()
    await speaker.aclose()


async def test_lost_blocks_are_told_at_the_end_of_the_call_with_a_remedy(portaudio):
    module, microphone, notes = portaudio(), Microphone(), []
    microphone.on_note = notes.append
    await microphone.prepare()
    module.streams[0].callback(np.zeros((BLOCK, 1), np.int16), BLOCK, None, True)
    await microphone.aclose()
    await microphone.aclose()
    assert len(notes) == 1 and notes[0].startswith("1 block of the microphone was lost (xruns): the machine was too")
    await microphone.prepare()
    assert microphone.xruns == 0, "the next call is counted anew"
    await microphone.aclose()
    assert len(notes) == 1


async def test_a_lost_device_that_cannot_be_closed_holds_nothing_up(portaudio, monkeypatch):
    monkeypatch.setattr(raw_stream, "_ANSWER", 0.05)
    monkeypatch.setattr(stream, "_CHECK", 0.01)
    module, notes, stuck = portaudio(default=(0, 1)), [], threading.Event()
    microphone = Microphone("webcam")
    microphone.on_note = notes.append
    await microphone.prepare()
    module.streams[0].active = False
    module.streams[0].close = stuck.wait
    async with asyncio.timeout(40):
        while not notes:
            await asyncio.sleep(0.01)
        await microphone.aclose()
    assert notes == ["The microphone 'USB Webcam' was lost; the call goes on with 'Built-in Mic'."]
    assert [one.state for one in module.streams] == ["running", "closed"]
    assert not devices.refresh(), "PortAudio would wait for it for ever"
    stuck.set()
    async with asyncio.timeout(40):
        while not devices.refresh():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("again", ["the same device", "another one"])
async def test_a_device_that_is_lost_a_second_time_ends_the_call_unless_the_reader_chose_another(
    portaudio, monkeypatch, again
):
    monkeypatch.setattr(stream, "_CHECK", 0.01)
    module, speaker, notes = portaudio(default=(0, 1)), Speaker("hdmi"), []
    speaker.on_note = notes.append
    await speaker.start()
    lost = asyncio.create_task(speaker.lost())
    module.streams[0].active = False
    async with asyncio.timeout(40):
        while not notes:
            await asyncio.sleep(0.01)
        if again == "another one":
            await speaker.use("hdmi")
            module.streams[-1].active = False
            while len(notes) < 2:
                await asyncio.sleep(0.01)
            assert not lost.done()
        module.streams[-1].active = False
        with pytest.raises(DeviceError, match="The speaker was lost: 'USB Headset' .*\n  → check the device"):
            await lost
        await speaker.aclose()


async def test_an_interruption_while_a_device_is_being_opened_leaves_nothing_open(portaudio):
    module, microphone, go_on = portaudio(), Microphone(), threading.Event()
    opened = module.InputStream
    module.InputStream = lambda **options: go_on.wait(5) and opened(**options)
    preparing = asyncio.create_task(microphone.prepare())
    await asyncio.sleep(0.05)
    preparing.cancel()
    go_on.set()
    await asyncio.gather(preparing, return_exceptions=True)
    await microphone.aclose()
    assert [one.state for one in module.streams] == ["closed"] and devices.refresh()


async def test_a_process_that_was_held_up_does_not_take_its_devices_for_lost(portaudio, monkeypatch):
    monkeypatch.setattr(stream, "_CHECK", 0.01)
    monkeypatch.setattr(stream, "NEXT_BLOCK", 0.05)
    module, microphone, notes = portaudio(), Microphone(processing=False), []
    microphone.on_note = notes.append
    await microphone.prepare()
    for _ in range(3):
        module.streams[0].callback(np.zeros((BLOCK, 1), np.int16), BLOCK, None, False)
        await asyncio.sleep(0.03)
        time.sleep(0.2)
    await microphone.aclose()
    assert not notes and len(module.streams) == 1
