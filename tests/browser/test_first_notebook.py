"""The first three cells as a reader runs them: Shift+Enter, look, listen."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import open_notebook

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "00_start_here.ipynb"

PATIENCE = 120_000  # ms: a cell may load models and hold a conversation


@pytest.fixture
async def page(browser_page: Page, lab: str) -> Page:
    return await open_notebook(browser_page, lab, NOTEBOOK.name)


async def run_next(page: Page, times: int = 1) -> None:
    """Shift+Enter, as often as it takes to run `times` code cells."""
    for _ in range(times):
        while await page.locator(".jp-Cell.jp-mod-active.jp-MarkdownCell").count():
            await page.keyboard.press("Shift+Enter")
        await page.keyboard.press("Shift+Enter")


async def begin(page: Page) -> None:
    """Select the first cell and clear what was saved."""
    await page.locator(".jp-Cell").first.click()
    await page.keyboard.press("Escape")
    await page.evaluate("window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    await expect(page.locator(".jp-OutputArea-output")).to_have_count(0)


def cell(page: Page, number: int) -> Locator:
    """The n-th code cell; JupyterLab takes those out of the page that are out of sight, so counting would not do."""
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    index = [i for i, each in enumerate(cells) if each["cell_type"] == "code"][number - 1]
    return page.locator(f".jp-Cell[data-windowed-list-index='{index}']")


def outputs(page: Page, number: int) -> Locator:
    """The outputs of the n-th code cell."""
    return cell(page, number).locator(".jp-OutputArea-output")


async def test_the_agent_is_heard_within_three_cells(page: Page) -> None:
    await begin(page)
    await run_next(page)
    await expect(outputs(page, 1).filter(has_text="Models on this machine")).to_be_visible(timeout=PATIENCE)
    await run_next(page, 2)
    await expect(outputs(page, 3).filter(has_text="A synthetic caller speaks")).to_be_visible(timeout=PATIENCE)
    await expect(outputs(page, 3).filter(has_text="What are your opening hours?")).to_be_visible(timeout=PATIENCE)

    player = outputs(page, 3).locator("audio")
    await expect(player).to_be_visible(timeout=PATIENCE)
    seconds = await player.evaluate(
        "a => a.duration || new Promise(done => a.addEventListener('loadedmetadata', () => done(a.duration)))"
    )
    assert seconds > 8, "three questions and their answers are longer than that"
    await expect(outputs(page, 3).filter(has_text="10 pm")).to_be_visible()

    await run_next(page, 2)
    await expect(outputs(page, 4).locator("td", has_text="caller")).to_have_count(3, timeout=PATIENCE)
    await expect(outputs(page, 5).locator("caption")).to_have_text(
        ["Turns: ms after the last syllable", "Turns: ms after the turn commit"]
    )
    assert await page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0


async def test_the_stop_button_hangs_up_and_keeps_the_call(page: Page) -> None:
    await begin(page)
    await run_next(page, 3)
    await expect(outputs(page, 3).filter(has_text="What are your opening hours?")).to_be_visible(timeout=PATIENCE)
    await page.get_by_title("Interrupt the kernel").click()
    await expect(outputs(page, 3).locator("audio")).to_be_visible(timeout=PATIENCE)
    await expect(cell(page, 3).locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"))
    await expect(page.locator("[data-mime-type='application/vnd.jupyter.error']")).to_have_count(0)
