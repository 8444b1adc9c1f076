"""Devices are found by number, name or part of a name, and whatever is missing is explained with a remedy."""

from __future__ import annotations

import sys

import pytest

from lkcook.audio import devices
from lkcook.audio.microphone import Microphone
from lkcook.audio.speaker import Speaker
from lkcook.errors import DeviceError
from tests.audio.portaudio import HARDWARE

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


def test_a_menu_has_the_default_first_and_understands_what_it_offers(portaudio):
    portaudio([("Mic", 1, 0), ("HDMI", 0, 8), ("Mic", 1, 0), ("Webcam", 1, 0)], default=(3, 1))
    assert devices.names("input") == ["Webcam", "0 'Mic'", "2 'Mic'"] and devices.names("output") == ["HDMI"]
    assert [devices.input_device(name)["index"] for name in devices.names("input")] == [3, 0, 2]
    portaudio([])
    assert devices.names("input") == devices.names("output") == []


async def test_devices_are_looked_for_again_only_while_none_is_open(portaudio):
    module, microphone = portaudio(), Microphone()
    assert devices.refresh() and module.looked == 1
    await microphone.prepare()
    assert not devices.refresh() and module.looked == 1
    await microphone.aclose()
    assert devices.refresh() and module.looked == 2


async def test_a_device_keeps_its_name_when_looking_again_changed_its_number(portaudio):
    portaudio()
    speaker = Speaker("hdmi")
    module = portaudio([("USB Headset", 1, 2), ("HDMI", 0, 8)])
    await speaker.start()
    assert module.streams[0].options["device"] == 1
    await speaker.aclose()


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
