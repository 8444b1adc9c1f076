"""The browser's microphone and speaker, for real: Chromium hears a WAV file and plays into a virtual sound card."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Page, expect

from lkcook import pcm
from lkcook.audio.clip import Clip
from tests.browser.conftest import launched, look, open_notebook, run_all, write_notebook
from tests.browser.test_first_notebook import PATIENCE
from tests.devices.conftest import RATE, PulseAudio, found, start_pulse_audio
from tests.end_to_end.conftest import words_in
from tests.speech import say

QUESTION = "What are your opening hours?"
SETUP = """
import os
os.environ.pop("LKCOOK_CALLER", None)  # a person is here
import lkcook
from livekit.agents import Agent
from lkcook.terminal import new_session
lkcook.setup()
"""
CALL = """
instructions = "You answer the phone at the restaurant Bella, open from 11 am to 10 pm. Use under eight words."
call = await lkcook.talk(new_session(), Agent(instructions=instructions))
call.transcript
"""
HOW = "print('sound over', call.caller.link.transport, 'frames lost:', call.caller.lost)"
LOOP = """
import json
import numpy as np
from livekit import rtc
from lkcook.audio.browser import browser_sound
from lkcook.audio.browser_link import BrowserLink
from lkcook.audio.browser_widget import SoundWidget
widget = SoundWidget()
widget
"""
BOTH_WAYS = """
link = BrowserLink(widget, transports=("{transport}", "messages"))
microphone, speaker = browser_sound(link)
await microphone.prepare()
await speaker.start()
noise = np.load("noise.npy")
for piece in np.split(noise, range(2400, len(noise), 2400)):
    await speaker.capture_frame(rtc.AudioFrame(piece.tobytes(), 24_000, 1, len(piece)))
speaker.flush()
heard = [np.frombuffer((await anext(microphone)).data, np.int16) for _ in range(450)]
await speaker.wait_for_playout()
np.save("heard.npy", np.concatenate(heard))
delays = sorted(microphone.delays)
report = {{"transport": link.transport, "lost": microphone.lost, "underruns": speaker.underruns}}
report["delay p50, p95"] = [round(delays[int(len(delays) * part)], 1) for part in (0.5, 0.95)]
await microphone.aclose()
await speaker.aclose()
print("REPORT", json.dumps(report))
"""


@pytest.fixture
def sound_card(tmp_path: Path) -> Iterator[PulseAudio]:
    """A speaker for the browser alone: the kernel sees none, as on a machine in the cloud."""
    pulse = start_pulse_audio(tmp_path)
    pulse.control("set-default-sink", "speaker")
    yield pulse
    pulse.kill()


@contextlib.asynccontextmanager
async def browser_that_hears(wav: Path, card: PulseAudio, *flags: str) -> AsyncIterator[Page]:
    """A browser whose microphone delivers `wav`, from the moment it is opened, and then silence."""
    fake = ("--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={wav}%noloop")
    heard = {"ignore_default_args": ["--mute-audio"], "env": card.environment}
    async with launched(*fake, *flags, **heard) as page:
        yield page


def noise(seconds: float, seed: int) -> np.ndarray:
    """A signal at 24 kHz that resembles itself nowhere else; nothing above 6 kHz, where resamplers differ."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(0, 6000, round(seconds * 24_000)))
    spectrum[len(spectrum) // 2 :] = 0
    return np.fft.irfft(spectrum).clip(-32768, 32767).astype(np.int16)


async def test_the_browsers_microphone_is_understood_and_answered_through_its_speaker(
    lab: str, lab_folder: Path, sound_card: PulseAudio, tmp_path: Path
) -> None:
    question = np.concatenate([np.zeros(2 * RATE, np.int16), say(QUESTION, rate=RATE), np.zeros(60 * RATE, np.int16)])
    wav = Clip(question, RATE).write(tmp_path / "question.wav")
    write_notebook(lab_folder / "sound.ipynb", SETUP, CALL, HOW)
    async with (
        browser_that_hears(wav, sound_card, "--use-fake-ui-for-media-stream") as page,
        sound_card.listening() as recording,
    ):
        await open_notebook(page, lab, "sound.ipynb")
        await run_all(page)
        await expect(page.locator(".lkcook-input")).to_have_value("browser", timeout=PATIENCE)
        await page.locator(".lkcook-tone").click()
        await recording.until(lambda: recording.quiet_for(0.5))
        tested = len(recording.samples)
        await page.locator(".lkcook-talk").click()
        said = page.locator(".lkcook-said")
        await expect(said).to_contain_text("opening hours", timeout=PATIENCE)
        await expect(said).to_contain_text("agent", timeout=PATIENCE)
        await recording.until(lambda: recording.quiet_for(1.0))
        answer = recording.samples[tested:]
        await look(page, "panel-with-the-browsers-microphone")
        await page.locator(".lkcook-stop").click()
        await expect(page.get_by_text("sound over websocket frames lost: 0")).to_be_visible(timeout=PATIENCE)
        await expect(page.locator("td", has_text="opening hours")).to_be_visible()
    tone = np.abs(np.fft.rfft(recording.samples[:tested]))
    assert np.argmax(tone) * RATE / tested == pytest.approx(440, abs=5)
    assert {"10", "11"} <= set(re.findall(r"\d+", words_in(Clip(answer, RATE))))


@pytest.mark.parametrize("transport", ["proxy", "messages"])  # the call above takes the WebSocket
async def test_sound_goes_both_ways_over(
    lab: str, lab_folder: Path, sound_card: PulseAudio, tmp_path: Path, transport: str
) -> None:
    spoken = say("The quick brown fox jumps over the lazy dog, and the dog sleeps on in the sun.", rate=24_000)
    # after the noise: the browser's echo canceller works on what is said while it plays
    wav = Clip(np.concatenate([np.zeros(4 * 24_000, np.int16), spoken]), 24_000).write(tmp_path / "spoken.wav")
    np.save(lab_folder / "noise.npy", noise(2, seed=5))
    write_notebook(lab_folder / f"{transport}.ipynb", LOOP, BOTH_WAYS.format(transport=transport))
    async with (
        browser_that_hears(wav, sound_card, "--use-fake-ui-for-media-stream") as page,
        sound_card.listening() as recording,
    ):
        await open_notebook(page, lab, f"{transport}.ipynb")
        await run_all(page)
        printed = page.locator(".jp-OutputArea-output", has_text="REPORT")
        await expect(printed).to_be_visible(timeout=PATIENCE)
        report = json.loads((await printed.inner_text()).split("REPORT", 1)[1])
    print(report)
    assert (report["transport"], report["lost"]) == (transport, 0)
    fit, _ = found(pcm.resample(noise(2, seed=5), 24_000, RATE), recording.samples)
    assert fit > 0.95, "what the kernel gave is what the browser played"
    heard = words_in(Clip(np.load(lab_folder / "heard.npy"), 24_000))
    assert "quick brown fox" in heard.lower(), heard


async def test_a_reader_who_denies_the_microphone_is_told_how_to_allow_it(
    lab: str, lab_folder: Path, sound_card: PulseAudio, tmp_path: Path
) -> None:
    wav = Clip(np.zeros(RATE, np.int16), RATE).write(tmp_path / "silence.wav")
    write_notebook(lab_folder / "denied.ipynb", SETUP, CALL)
    async with browser_that_hears(wav, sound_card, "--deny-permission-prompts") as page:
        await open_notebook(page, lab, "denied.ipynb")
        await run_all(page)
        await page.locator(".lkcook-check").click(timeout=PATIENCE)
        await expect(page.locator(".lkcook-said")).to_contain_text("did not give its microphone")
        await page.locator(".lkcook-talk").click()
        await expect(page.get_by_text("DeviceError")).to_contain_text("set Microphone to Allow", timeout=PATIENCE)
