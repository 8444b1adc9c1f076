"""The menus of notebook 01 in a real JupyterLab: choosing rewrites the recipe's cell."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import ROOT, open_notebook
from tests.browser.test_first_notebook import PATIENCE

NOTEBOOK = "01_inference_strings.ipynb"


def _index(mark: str) -> int:
    """The number of the code cell that contains `mark`."""
    cells = json.loads((ROOT / "notebooks" / NOTEBOOK).read_text())["cells"]
    return next(i for i, cell in enumerate(cells) if cell["cell_type"] == "code" and mark in "".join(cell["source"]))


@pytest.fixture
async def notebook(browser_page: Page, lab: str) -> Page:
    return await open_notebook(browser_page, lab, NOTEBOOK)


async def _run(page: Page, index: int) -> None:
    """Run one cell, wherever it is: JupyterLab scrolls there."""
    await page.evaluate(
        """async index => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            notebook.activeCellIndex = index;
            await notebook.scrollToItem(index);
            await window.jupyterapp.commands.execute('notebook:run-cell');
        }""",
        index,
    )


async def _until_there(page: Page, index: int, part: Locator, count: int) -> None:
    """Scroll to a cell until `part` of it stays: outputs that grow above it push it out of sight, and of the page."""
    stayed = 0
    for _ in range(PATIENCE // 500):
        stayed = stayed + 1 if await part.count() == count else 0
        if stayed == 4:
            return
        if not stayed:
            scroll = "index => { window.jupyterapp.shell.currentWidget.content.scrollToItem(index); }"
            await page.evaluate(scroll, index)
        await page.wait_for_timeout(500)  # for the layout, which tells nobody when it is done
    raise AssertionError(f"{part} did not appear")


async def test_choosing_a_voice_rewrites_the_recipe(notebook: Page) -> None:
    for mark in ("lkcook.setup()", "lkcook.Picker()"):
        await _run(notebook, _index(mark))
    picker = notebook.locator(f".jp-Cell[data-windowed-list-index='{_index('lkcook.Picker()')}']")
    menus = picker.locator("select")
    await _until_there(notebook, _index("lkcook.Picker()"), menus, 3)
    await menus.nth(2).select_option(label="Apollo — American male, casual (deepgram/aura-2)")
    await menus.nth(0).select_option("deepgram/nova-2:es")
    await expect(picker.locator("pre", has_text="deepgram/aura-2:apollo")).to_be_visible(timeout=PATIENCE)
    await notebook.wait_for_function(
        """() => {
            const cells = window.jupyterapp.shell.currentWidget.content.widgets;
            const recipe = [...cells].find(c => (c.model.getMetadata('tags') ?? []).includes('recipe'));
            const code = recipe.model.sharedModel.getSource();
            return code.includes('deepgram/aura-2:apollo') && code.includes('deepgram/nova-2:es');
        }""",
        timeout=PATIENCE,
    )
