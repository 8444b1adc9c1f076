"""Devices are found by number, name or part of a name, and whatever is missing is explained with a remedy.

PortAudio is played by a module of the same shape: which devices there are is the test's choice.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from livekit import rtc

from lkcook.audio import devices
from lkcook.audio.microphone import Microphone
from lkcook.audio.speaker import Speaker
from lkcook.audio.stream import BLOCK
from lkcook.errors import DeviceError

HARDWARE = [("Built-in Mic", 2, 0), ("USB Headset", 1, 2), ("HDMI", 0, 8), ("USB Webcam", 1, 0), ("USB", 1, 0)]


class PortAudioError(Exception):
    """What the stand-in raises where sounddevice would."""


class Stream:
    """A stream that moves only when the test calls `callback`."""

    latency, active = 0.05, True

    def __init__(self, **options: Any) -> None:
        self.callback = options["callback"]
        self.options, self.state = options, "open"

    def start(self) -> None:
        self.state = "running"

    def close(self) -> None:
        self.state = "closed"


def stand_in(hardware: list[tuple[str, int, int]], default: tuple[int, int] = (-1, -1)) -> ModuleType:
    module = ModuleType("sounddevice")
    module.streams = []

    def opened(**options: Any) -> Stream:
        module.streams.append(Stream(**options))
        return module.streams[-1]

    module.query_devices = lambda: [
        {
            "index": number,
            "name": name,
            "max_input_channels": ins,
            "max_output_channels": outs,
            "default_samplerate": 44_100.0,
        }
        for number, (name, ins, outs) in enumerate(hardware)
    ]
    module.default = SimpleNamespace(device={"input": default[0], "output": default[1]})
    module.InputStream = module.OutputStream = opened
    module.PortAudioError = PortAudioError
    return module


@pytest.fixture
def portaudio(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    """Put a stand-in with this hardware in force."""

    def install(hardware: list[tuple[str, int, int]] = HARDWARE, **options: Any) -> ModuleType:
        module = stand_in(hardware, **options)
        monkeypatch.setitem(sys.modules, "sounddevice", module)
        return module

    return install


@pytest.mark.parametrize(
    ("which", "name"),
    [(1, "USB Headset"), ("Built-in Mic", "Built-in Mic"), ("webcam", "USB Webcam"), ("HEADSET", "USB Headset")],
)
def test_a_microphone_is_found_by_number_name_or_part_of_a_name(portaudio, which, name):
    portaudio()
    assert devices.input_device(which)["name"] == Microphone(which).device["name"] == name


def test_a_whole_name_is_no_part_of_another(portaudio):
    portaudio()
    assert devices.input_device("USB")["index"] == 4


def test_a_name_that_fits_more_than_one_lists_the_candidates(portaudio):
    portaudio()
    with pytest.raises(DeviceError) as refused:
        devices.input_device("usb")
    assert str(refused.value) == (
        "'usb' fits more than one microphone\n  → choose one of: 1 'USB Headset', 3 'USB Webcam', 4 'USB'"
    )


def test_two_devices_of_the_same_name_are_told_apart_by_number(portaudio):
    portaudio([("Mic", 1, 0), ("Mic", 1, 0)])
    with pytest.raises(DeviceError, match="fits more than one microphone\n  → choose one of: 0 'Mic', 1 'Mic'"):
        devices.input_device("Mic")
    assert devices.input_device(1)["index"] == 1


@pytest.mark.parametrize("which", ["Bluetooth", 7, 2, "HDMI"])
def test_what_is_no_microphone_is_refused_with_those_there_are(portaudio, which):
    portaudio()
    with pytest.raises(DeviceError, match=f"{which!r} is no microphone\n  → choose one of: 0 'Built-in Mic', 1 'USB"):
        Microphone(which)


def test_a_speaker_needs_an_output(portaudio):
    portaudio()
    assert Speaker("hdmi").device["index"] == 2
    with pytest.raises(DeviceError, match="0 is no speaker\n  → choose one of: 1 'USB Headset', 2 'HDMI'"):
        Speaker(0)


def test_the_default_is_the_systems_or_else_the_first(portaudio):
    portaudio(default=(3, 2))
    assert (devices.input_device()["index"], devices.output_device()["index"]) == (3, 2)
    portaudio(default=(-1, -1))
    assert (devices.input_device()["index"], devices.output_device()["index"]) == (0, 1)
    assert devices.have_input() and devices.have_output()


def test_without_devices_there_is_a_remedy(portaudio):
    portaudio([("HDMI", 0, 8)])
    assert not devices.have_input() and devices.have_output()
    with pytest.raises(DeviceError, match="no microphone on the machine that runs .*\n  → .*restart the kernel"):
        Microphone()
    portaudio([])
    assert not devices.have_output() and devices.listing() == []
    with pytest.raises(DeviceError, match="no speaker on the machine"):
        Speaker()


def test_the_listing_has_a_line_for_each_device(portaudio):
    portaudio()
    lines = devices.listing()
    assert len(lines) == len(HARDWARE) and lines[1].split() == ["1", "USB", "Headset", "(1", "in,", "2", "out)"]


@pytest.mark.parametrize(
    ("platform", "line"), [("linux", "apt-get install -y libportaudio2"), ("darwin", "pip install"), ("win32", "pip")]
)
def test_a_missing_portaudio_is_explained_with_the_line_to_run(monkeypatch, tmp_path, platform, line):
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(DeviceError, match=f"PortAudio is not installed .*not found.*\n  → .*{line}"):
        Microphone()
    assert not devices.have_input() and not devices.have_output()


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
