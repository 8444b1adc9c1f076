"""A real JupyterLab, started as the README says, in a real Chromium."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.async_api import Page, async_playwright

ROOT = Path(__file__).parents[2]
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
_START_WITHIN = 90.0  # seconds


@pytest.fixture(scope="session")
def lab_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copies of the notebooks, since JupyterLab saves what it runs; tests may add their own."""
    folder = tmp_path_factory.mktemp("lab") / "notebooks"
    shutil.copytree(ROOT / "notebooks", folder)
    return folder


def write_notebook(path: Path, *cells: str) -> None:
    """A notebook of these code cells."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, path)


@pytest.fixture(scope="session")
def lab(lab_folder: Path) -> Iterator[str]:
    """The address, of any notebook in `lab_folder`, in a running JupyterLab."""
    folder = lab_folder
    port, token = _free_port(), secrets.token_hex(16)
    options = ["--no-browser", f"--port={port}", "--ServerApp.port_retries=0"]
    options.append(f"--IdentityProvider.token={token}")
    command = [sys.executable, "cook.py", "lab", str(folder / "00_start_here.ipynb"), *options]
    log = folder.parent / "lab.log"
    environment = {**os.environ, "LKCOOK_CALLER": "script", "JUPYTER_CONFIG_DIR": str(folder.parent / "config")}
    with log.open("wb") as out:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api?token={token}", server, log)
        yield f"http://127.0.0.1:{port}/lab/tree/{{notebook}}?token={token}"
    finally:
        server.terminate()
        server.wait(timeout=30)


@contextlib.asynccontextmanager
async def launched(*flags: str, **options: Any) -> AsyncIterator[Page]:
    """An empty page of a browser of its own, high enough that all that is run stays in sight."""
    async with async_playwright() as playwright:
        found = next(filter(None, map(shutil.which, _BROWSERS)), None) or playwright.chromium.executable_path
        if not Path(found).exists():
            pytest.skip("Notebooks need Chromium. Run: .venv/bin/python -m playwright install chromium")
        browser = await playwright.chromium.launch(executable_path=found, args=[*_FLAGS, *flags], **options)
        yield await browser.new_page(viewport={"width": 1400, "height": 3000})
        await browser.close()


@pytest.fixture
async def browser_page() -> AsyncIterator[Page]:
    """A page of a browser without microphone and speaker."""
    async with launched() as page:
        yield page


async def look(page: Page, name: str) -> None:
    """Write a screenshot for people to look at: screenshots/<name>.png."""
    folder = ROOT / "screenshots"
    folder.mkdir(exist_ok=True)
    await page.screenshot(path=folder / f"{name}.png")


async def run_all(page: Page) -> None:
    """Begin to run every cell."""
    await page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")


async def open_notebook(page: Page, lab: str, name: str, kernel: bool = True) -> Page:
    """Open one notebook alone: JupyterLab would bring back all that earlier tests had open. kernel=False waits for none."""
    await page.goto(f"{lab.format(notebook=name)}&reset")
    await page.wait_for_function(
        """([name, kernel]) => {
            const panel = window.jupyterapp?.shell.currentWidget;
            return panel?.context?.path?.endsWith(name) && panel.context.isReady && panel.content.widgets.length
                && (!kernel || panel.sessionContext.session?.kernel?.status === 'idle');
        }""",
        arg=[name, kernel],
        timeout=60_000,
    )
    return page


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2)
            return
        except OSError:
            time.sleep(0.2)  # a server that does not listen yet gives no event to wait for
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-3000:]}")
