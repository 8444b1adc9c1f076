"""Push-to-talk in a real JupyterLab: a person holds the panel's button and speaks into the browser's microphone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from playwright.async_api import expect

from lkcook.audio.clip import Clip
from tests.browser.conftest import look, open_notebook, run_all, write_notebook
from tests.browser.test_browser_sound import QUESTION, browser_that_hears, sound_card
from tests.browser.test_first_notebook import PATIENCE
from tests.browser.test_panel import ERRORS
from tests.devices.conftest import RATE, PulseAudio
from tests.speech import say

__all__ = ["sound_card"]

SETUP = """
import os
os.environ.pop("LKCOOK_CALLER", None)  # a person is here
import lkcook
from livekit.agents import Agent, StopResponse
from lkcook.terminal import new_session
lkcook.setup()

class Receptionist(Agent):
    async def on_user_turn_completed(self, turn_ctx, new_message):
        if not new_message.text_content:  # the button was only touched
            raise StopResponse()
"""
CALL = """
session = new_session(turn_handling={"turn_detection": "manual"})

def start_turn():
    session.interrupt()
    session.clear_user_turn()
    session.input.set_audio_enabled(True)

def end_turn():
    session.input.set_audio_enabled(False)
    session.commit_user_turn(transcript_timeout=10)

events = []
on_event = lambda *event: events.append(event)
agent = Receptionist(instructions="You work at the restaurant Bella, open from 11 am to 10 pm. Use under eight words.")
call = await lkcook.talk(session, agent, push_to_talk=(start_turn, end_turn), on_event=on_event)
call
"""
ORDER = """
moves = [payload for kind, payload in events if kind == "button"]
answered_after = events.index(("button", "released")) < events.index(("state", ("agent", "thinking")))
print(f"{moves} answered after the release: {answered_after}")
"""


async def test_the_agent_answers_when_the_button_is_released(
    lab: str, lab_folder: Path, sound_card: PulseAudio, tmp_path: Path
) -> None:
    pause = np.zeros(5 * RATE, np.int16)  # until the button is down
    question = np.concatenate([pause, say(QUESTION, rate=RATE), np.zeros(120 * RATE, np.int16)])
    wav = Clip(question, RATE).write(tmp_path / "question.wav")
    write_notebook(lab_folder / "hold.ipynb", SETUP, CALL, ORDER)
    async with browser_that_hears(wav, sound_card, "--use-fake-ui-for-media-stream") as page:
        await open_notebook(page, lab, "hold.ipynb")
        await run_all(page)
        button, said = page.locator(".lkcook-hold"), page.locator(".lkcook-said")
        await expect(button).to_be_visible(timeout=PATIENCE)
        await expect(button).to_be_disabled()
        await page.locator(".lkcook-talk").click()
        await expect(button).to_be_enabled(timeout=PATIENCE)
        await button.hover()
        await page.mouse.down()
        await expect(button).to_have_attribute("aria-pressed", "true")
        await page.mouse.move(5, 5)  # off the button, as a hand may slip
        await expect(said).to_contain_text("opening", timeout=PATIENCE)
        await look(page, "panel-push-to-talk-held")
        await page.mouse.up()
        await expect(button).to_have_attribute("aria-pressed", "false")
        await expect(said).to_contain_text("agent", timeout=PATIENCE)
        await look(page, "panel-push-to-talk-answered")

        for key in ("Space", "Enter"):
            await button.focus()
            await page.keyboard.down(key)
            await expect(button).to_have_attribute("aria-pressed", "true")
            if key == "Space":
                await page.keyboard.up(key)
            else:
                await page.locator(".lkcook-stop").focus()  # and so loses the focus with the key still down
            await expect(button).to_have_attribute("aria-pressed", "false")
        await page.keyboard.up("Enter")
        await page.locator(".lkcook-stop").click()
        moves = ["ready", *["pressed", "released"] * 3]
        await expect(page.get_by_text(f"{moves} answered after the release: True")).to_be_visible(timeout=PATIENCE)
        await expect(page.locator("td", has_text="opening hours").first).to_be_visible()
        await expect(page.locator(ERRORS)).to_have_count(0)
