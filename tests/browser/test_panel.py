"""The panel in a real JupyterLab: a person presses its buttons."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import look, open_notebook, run_all, write_notebook
from tests.browser.test_first_notebook import PATIENCE

SETUP = """
import os
os.environ.pop("LKCOOK_CALLER", None)  # a person is here
import lkcook
from lkcook.terminal import ava, new_session
lkcook.setup()
"""
CALL = """
call = await lkcook.talk(new_session(), ava(), ["What are your opening hours?"])
call.transcript
"""
RATE = """() => new Promise(done => {
    const meters = document.querySelector('.lkcook-meters'), seen = [];
    const look = () => {
        if (!meters.isConnected) return done(seen);
        seen.push([performance.now(), Number(meters.dataset.moves)]);
        requestAnimationFrame(look);
    };
    look();
})"""
ERRORS = "[data-mime-type='application/vnd.jupyter.error'], [data-mime-type='application/vnd.jupyter.stderr']"


@pytest.fixture
async def panel(browser_page: Page, lab: str, lab_folder: Path) -> Page:
    """A panel that waits for somebody to call."""
    write_notebook(lab_folder / "panel.ipynb", SETUP, CALL)
    page = await open_notebook(browser_page, lab, "panel.ipynb")
    await run_all(page)
    await expect(page.locator(".lkcook-hint")).to_contain_text("Press Talk", timeout=PATIENCE)
    return page


def fastest_second(seen: list[tuple[float, int]]) -> float:
    """Most movements of the meters within any one second."""
    return max(
        (moves - before) / (at - began) * 1000
        for i, (began, before) in enumerate(seen)
        for at, moves in seen[i + 30 : i + 90]
        if at - began > 900
    )


async def test_play_the_script_completes_a_call_and_leaves_a_picture_that_is_saved(panel: Page, lab: str) -> None:
    await look(panel, "panel-before-a-call")
    for control in ("talk", "script", "stop", "input", "output", "tone", "check"):
        await expect(panel.locator(f".lkcook-{control}")).to_be_enabled()
    await expect(panel.locator(".lkcook-mute")).to_be_disabled()

    await panel.locator(".lkcook-script").focus()
    await panel.keyboard.press("Enter")  # of which JupyterLab would make a command of its own
    moving = asyncio.ensure_future(panel.evaluate(RATE))
    said = panel.locator(".lkcook-said")
    await expect(said).to_contain_text("What are your opening hours?", timeout=PATIENCE)
    await expect(panel.locator(".lkcook-legend")).to_contain_text("turn commit", timeout=PATIENCE)
    await look(panel, "panel-in-a-call")
    picture = panel.locator(".jp-OutputArea-output", has_text="What are your opening hours?").first
    await expect(picture).to_contain_text("last turn", timeout=PATIENCE)
    await expect(panel.locator(".lkcook-panel")).to_have_count(0)
    await expect(panel.locator("td", has_text="opening hours")).to_be_visible()
    await expect(panel.locator(ERRORS)).to_have_count(0)
    await look(panel, "panel-after-a-call")
    assert fastest_second(await moving) >= 20

    await panel.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    await panel.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page = await open_notebook(panel, lab, "panel.ipynb", kernel=False)
    saved = page.locator(".jp-OutputArea-output", has_text="What are your opening hours?").first
    await expect(saved).to_contain_text("last turn")
    await expect(page.get_by_text("Error displaying widget")).to_have_count(0)
    await look(page, "panel-in-a-saved-notebook")


async def test_stop_hangs_up_and_keeps_what_was_said(panel: Page) -> None:
    await panel.locator(".lkcook-script").click()
    await expect(panel.locator(".lkcook-said")).to_contain_text("agent", timeout=PATIENCE)
    await panel.locator(".lkcook-stop").click()
    await expect(panel.locator(".lkcook-panel")).to_have_count(0, timeout=PATIENCE)
    await expect(panel.locator("td", has_text="agent")).to_be_visible()
    await expect(panel.locator(ERRORS)).to_have_count(0)


async def test_stop_before_a_call_says_what_to_press(panel: Page) -> None:
    await panel.locator(".lkcook-stop").click()
    await expect(panel.get_by_text("press Talk or Play the script")).to_be_visible()


async def test_a_call_in_another_cell_hangs_up_the_first(
    browser_page: Page, lab: str, lab_folder: Path
) -> None:
    first = "import asyncio\nfirst = asyncio.create_task(lkcook.talk(new_session(), ava(), caller=\"browser\"))\nawait asyncio.sleep(0)"
    second = CALL.replace("])", "], caller=\"script\")")
    write_notebook(lab_folder / "two.ipynb", SETUP, first, second)
    page = await open_notebook(browser_page, lab, "two.ipynb")
    await run_all(page)
    await expect(page.get_by_text("Another call was started")).to_be_visible(timeout=PATIENCE)
    await expect(page.locator("td", has_text="opening hours")).to_be_visible(timeout=PATIENCE)
