"""Microphone and Speaker through PortAudio, ALSA and PulseAudio: what goes in on one side comes out on the other."""

from __future__ import annotations

import asyncio
import ctypes
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from livekit.agents.voice.io import PlaybackFinishedEvent

from lkcook import pcm
from lkcook.audio import devices
from lkcook.audio.microphone import Microphone
from lkcook.audio.speaker import Speaker
from lkcook.errors import DeviceError
from tests.devices.conftest import RATE, PulseAudio, found, noise, opened, say, start_pulse_audio
from tests.scripted_models import tone

CALL_UNTIL_LOST = """
import asyncio
from lkcook.audio.microphone import Microphone
from lkcook.audio.speaker import Speaker

class Call:
    async def ended(self):
        await asyncio.Event().wait()

async def call():
    microphone, speaker = Microphone(), Speaker()
    await microphone.prepare()
    await speaker.start()
    frames = asyncio.create_task(listen(microphone))
    try:
        await microphone.converse(Call())
    finally:
        await microphone.aclose()
        await speaker.aclose()
        await frames

async def listen(microphone):
    async for _ in microphone:
        print("frame", flush=True)

asyncio.run(call())
"""


async def heard_while_playing(pulse: PulseAudio, microphone: Microphone, signal: np.ndarray) -> np.ndarray:
    """What the microphone delivers from its first frame until half a second after `signal` was played."""
    frames = [await anext(microphone)]
    playing = asyncio.create_task(pulse.play(signal))
    rest = 25
    while rest:
        frames.append(await anext(microphone))
        rest -= playing.done()
    await playing
    assert {(f.sample_rate, f.num_channels, f.samples_per_channel) for f in frames} == {(RATE, 1, RATE // 50)}
    return np.concatenate([np.frombuffer(frame.data, np.int16) for frame in frames])


async def test_what_is_played_into_the_microphone_reaches_the_frames(pulse):
    microphone, taps = Microphone(processing=False), []
    microphone.tap = lambda samples, rate, at: taps.append(samples.copy())
    async with opened(microphone):
        heard = await heard_while_playing(pulse, microphone, noise(1))
    fit, spread = found(noise(1), heard)
    assert fit > 0.98 and spread < 0.02 and microphone.xruns == 0
    assert np.array_equal(np.concatenate(taps), heard)


async def test_what_the_speaker_is_given_is_heard(pulse):
    speaker, ends, signal = Speaker(), [], noise(1, 24_000)
    speaker.on("playback_finished", ends.append)
    async with pulse.listening() as recording, opened(speaker):
        await say(speaker, signal)
        await speaker.wait_for_playout()
        await recording.until(lambda: recording.quiet_for(0.2))
    fit, spread = found(pcm.resample(signal, 24_000, RATE), recording.samples)
    assert fit > 0.98 and spread < 0.02
    assert ends == [PlaybackFinishedEvent(playback_position=1.0, interrupted=False)]


async def test_an_interrupted_speaker_falls_silent_and_the_rest_stays_unheard(pulse):
    speaker, ends = Speaker(), []
    speaker.on("playback_finished", ends.append)
    async with pulse.listening() as recording, opened(speaker):
        await say(speaker, tone(20, 440))
        await recording.until(lambda: recording.loud)
        speaker.clear_buffer()
        await recording.until(lambda: recording.quiet_for(0.3))
        interrupted = len(recording.samples)
        await say(speaker, tone(0.5, 880))
        await speaker.wait_for_playout()
        await recording.until(lambda: recording.quiet_for(0.2))
    assert [(end.interrupted, 0 < end.playback_position < 5) for end in ends] == [(True, True), (False, True)]
    before, after = recording.samples[:interrupted], recording.samples[interrupted:]
    assert np.count_nonzero(before) / RATE < ends[0].playback_position + 0.5
    spectrum = np.abs(np.fft.rfft(after))
    assert np.argmax(spectrum) * RATE / len(after) == pytest.approx(880, abs=5), "only the new utterance is heard"


async def test_blocks_that_come_too_late_for_the_speaker_are_counted(pulse):
    speaker = Speaker()
    async with opened(speaker):
        await say(speaker, tone(0.1, 440))
        await speaker.wait_for_playout()
        before = speaker.xruns
        ctypes.PyDLL(None).usleep(500_000)  # unlike time.sleep it keeps the interpreter, and so the callback, waiting
        await say(speaker, tone(0.1, 440))
        await speaker.wait_for_playout()
    assert speaker.xruns > before


@pytest.fixture
def no_48_khz(pulse: PulseAudio, monkeypatch: pytest.MonkeyPatch) -> None:
    """PulseAudio takes any rate, so the refusal is PortAudio's words without PortAudio."""
    for name in ("InputStream", "OutputStream"):
        stream = getattr(sounddevice := devices.portaudio(), name)

        def picky(stream: type = stream, **options: Any) -> Any:
            if options["samplerate"] == RATE:
                raise sounddevice.PortAudioError("Error opening stream: Invalid sample rate", -9997)
            return stream(**options)

        monkeypatch.setattr(sounddevice, name, picky)


async def test_devices_that_cannot_do_48_khz_are_used_at_their_own_rate(pulse, no_48_khz):
    microphone, speaker, signal = Microphone(processing=False), Speaker(), noise(1, 24_000)
    async with opened(microphone):
        heard = await heard_while_playing(pulse, microphone, pcm.resample(signal, 24_000, RATE))
    assert found(pcm.resample(signal, 24_000, RATE), heard)[0] > 0.95
    async with pulse.listening() as recording, opened(speaker):
        assert speaker._stream._stream.samplerate == 44_100
        await say(speaker, signal)
        await speaker.wait_for_playout()
        await recording.until(lambda: recording.quiet_for(0.2))
    assert found(pcm.resample(signal, 24_000, RATE), recording.samples)[0] > 0.95 and speaker.xruns < 3


async def test_devices_are_found_by_name_and_by_part_of_it(pulse):
    numbers = {line.split()[1]: int(line.split()[0]) for line in devices.listing()}
    assert {"virtual_microphone", "virtual_speaker"} <= set(numbers)
    assert Microphone("virtual_mic").device["index"] == numbers["virtual_microphone"]
    assert Microphone("Virtual_Mic").device["name"] == Microphone(numbers["virtual_microphone"]).device["name"]
    speaker = Speaker("virtual_speaker")
    async with pulse.listening() as recording, opened(speaker):
        await say(speaker, tone(0.2, 440))
        await recording.until(lambda: recording.loud)


@pytest.mark.parametrize("side", [Microphone, Speaker])
async def test_an_unknown_device_is_refused_with_those_there_are(pulse, side):
    with pytest.raises(DeviceError, match="'gramophone' is no (microphone|speaker)") as refused:
        side("gramophone")
    assert all(name in refused.value.remedy for name in ("virtual_microphone", "virtual_speaker", "default"))


@pytest.mark.parametrize(("side", "clients"), [(Microphone, "source-outputs"), (Speaker, "sink-inputs")])
async def test_a_closed_device_is_free_and_can_be_opened_again(pulse, side, clients):
    device, idle = side(), pulse.control("list", "short", clients)
    for _ in range(2):
        async with opened(device):
            assert pulse.control("list", "short", clients) != idle
            if side is Microphone:
                assert (await anext(device)).samples_per_channel == RATE // 50
            else:
                await say(device, tone(0.1, 440))
                await device.wait_for_playout()
        await device.aclose()
        assert pulse.control("list", "short", clients) == idle


async def test_hanging_up_ends_the_conversation_and_the_frames(pulse):
    class Call:
        async def ended(self) -> None:
            await asyncio.Event().wait()

    microphone = Microphone()
    async with asyncio.timeout(40), opened(microphone):
        talking = asyncio.create_task(microphone.converse(Call()))
        await anext(microphone)
        microphone.hang_up()
        await talking
    with pytest.raises(StopAsyncIteration):
        async with asyncio.timeout(40):
            while True:
                await anext(microphone)


def test_a_sound_system_that_dies_in_mid_call_is_reported_as_lost(tmp_path):
    server = start_pulse_audio(tmp_path)
    call = subprocess.Popen(
        [sys.executable, "-c", CALL_UNTIL_LOST],
        env=server.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert [call.stdout.readline() for _ in range(10)] == ["frame\n"] * 10
        server.kill()
        _, errors = call.communicate(timeout=60)
    finally:
        call.kill()
        server.kill()
    assert "DeviceError: The microphone was lost" in errors and "check the device and call again" in errors
