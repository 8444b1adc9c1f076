"""The timeline to click, in a real browser: it plays, points, obeys keys and follows the theme."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Frame, Page

from lkcook.report.timeline_reading import read_timeline
from tests.report import made_up

_POINT = """([row, second, lane]) => {  // the pixel of the window where this second of this row is
  const svg = document.querySelector("svg"), group = svg.querySelectorAll(".row")[row], data = group.dataset;
  const share = (second - data.start) / (data.end - data.start);
  const x = Number(data.left) + share * (data.right - data.left), y = Number(data.top) + (lane + 0.5) * data.lane;
  const inside = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
  const frame = window.frameElement.getBoundingClientRect();
  return [inside.x + frame.x, inside.y + frame.y];
}"""
_PLAYS_AT = "() => [document.querySelector('audio').currentTime, document.querySelector('audio').paused]"


async def shown(page: Page, folder: Path, timeline, background: str = "#111111") -> Frame:
    """Show it as a saved notebook would, and return the frame."""
    saved = folder / "saved.html"
    html = f'<meta charset="utf-8"><body style="background: {background}">{timeline.interactive()._repr_html_()}'
    saved.write_text(html, encoding="utf-8")
    await page.goto(saved.as_uri())
    frame = page.frames[1]
    await frame.wait_for_function("() => document.querySelector('audio').readyState >= 1")
    return frame


@pytest.mark.parametrize("row, second", [(0, 3.0), (2, 51.5)])
async def test_a_click_plays_the_second_that_was_clicked_and_keys_pause_and_seek(
    browser_page: Page, tmp_path: Path, row: int, second: float
) -> None:
    frame = await shown(browser_page, tmp_path, read_timeline(made_up.call(12)))
    await browser_page.mouse.click(*await frame.evaluate(_POINT, [row, second, 0]))
    await frame.wait_for_function("() => !document.querySelector('audio').paused")
    await browser_page.keyboard.press("Space")
    stopped, paused = await frame.evaluate(_PLAYS_AT)
    assert paused and second - 0.05 < stopped < second + 2
    assert await frame.locator(".row").nth(row).locator(".playhead").get_attribute("visibility") == "visible"
    await browser_page.keyboard.press("Shift+ArrowRight")
    assert (await frame.evaluate(_PLAYS_AT))[0] == pytest.approx(stopped + 5, abs=0.01)


async def test_in_a_window_the_sound_begins_with_the_window(browser_page: Page, tmp_path: Path) -> None:
    timeline = read_timeline(made_up.call(3), 1)
    frame = await shown(browser_page, tmp_path, timeline)
    await browser_page.mouse.click(*await frame.evaluate(_POINT, [0, timeline.start + 2, 0]))
    await browser_page.keyboard.press("Space")
    assert 1.95 < (await frame.evaluate(_PLAYS_AT))[0] < 4


async def test_pointing_at_a_mark_tells_what_it_is(browser_page: Page, tmp_path: Path) -> None:
    frame = await shown(browser_page, tmp_path, read_timeline(made_up.call()))
    marks = ((2.31, 2, "final transcript: Hello there."), (1.5, 1, "the caller speaks"), (2.0, 4, "last syllable"))
    for second, lane, told in marks:
        await browser_page.mouse.move(*await frame.evaluate(_POINT, [0, second, lane]))
        assert told in await frame.locator("#tip").inner_text()


@pytest.mark.parametrize("background, theme", [("#111111", "dark"), ("#ffffff", "light")])
async def test_it_follows_the_theme_of_the_notebook_and_needs_no_scrolling(
    browser_page: Page, tmp_path: Path, background: str, theme: str
) -> None:
    await browser_page.emulate_media(color_scheme="light" if theme == "dark" else "dark")  # the system says otherwise
    frame = await shown(browser_page, tmp_path, read_timeline(made_up.call()), background)
    assert await frame.evaluate("() => document.documentElement.dataset.theme") == theme
    colours = "() => [getComputedStyle(document.body).color, getComputedStyle(document.documentElement).backgroundColor]"
    ink = {"dark": "rgb(221, 221, 221)", "light": "rgb(51, 51, 51)"}[theme]
    assert await frame.evaluate(colours) == [ink, "rgba(0, 0, 0, 0)"]
    assert await frame.evaluate("() => document.documentElement.scrollHeight <= window.innerHeight")
    await frame.evaluate("() => { window.parent.document.body.dataset.jpThemeLight = 'true'; }")
    await frame.wait_for_function("() => document.documentElement.dataset.theme === 'light'")
