"""What a control panel asks of a device before a call."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from lkcook.audio import device_check
from lkcook.errors import DeviceError
from tests.devices.conftest import RATE
from tests.scripted_models import tone


async def test_the_test_tone_is_a_quiet_second_of_440_hz_without_clicks(pulse):
    async with pulse.listening() as recording:
        await device_check.test_tone("virtual_speaker")
        await recording.until(lambda: recording.quiet_for(0.2))
    heard = recording.samples[slice(*np.flatnonzero(recording.samples)[[0, -1]])].astype(float)
    assert len(heard) / RATE == pytest.approx(1, abs=0.05)
    assert np.argmax(np.abs(np.fft.rfft(heard))) * RATE / len(heard) == pytest.approx(440, abs=2)
    assert 0.09 < np.abs(heard).max() / 32768 < 0.11 and np.abs(heard[:200]).max() < 500


async def test_the_level_is_the_rms_in_dbfs(pulse):
    assert await device_check.level("virtual_microphone", 0.3) == device_check.SILENCE
    playing = asyncio.create_task(pulse.play(tone(4, 440, rate=RATE, level=8000)))
    await asyncio.sleep(2)  # PulseAudio's first block can be late
    assert await device_check.level(seconds=0.5) == pytest.approx(20 * np.log10(8000 / 32768 / np.sqrt(2)), abs=0.5)
    await playing


@pytest.mark.parametrize("check", [device_check.test_tone, lambda device: device_check.level(device, 30)])
async def test_a_device_that_is_lost_during_its_check_is_not_replaced(headset, check):
    device = "usb_speaker" if check is device_check.test_tone else "usb_microphone"
    checking = asyncio.create_task(check(device))
    await asyncio.sleep(0.5 if device == "usb_speaker" else 2.5)  # until the first block; before that PortAudio hangs
    headset.kill()
    with pytest.raises(DeviceError, match=f"was lost: '{device}'"):
        await checking


@pytest.mark.parametrize("check", [device_check.test_tone, device_check.level])
async def test_an_unknown_device_is_refused(pulse, check):
    with pytest.raises(DeviceError, match="'gramophone' is no"):
        await check("gramophone")
