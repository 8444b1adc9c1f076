"""The page to click: what the script reads from the drawing is right, and everything is in the page."""

from __future__ import annotations

import base64
import io
import re
from html import unescape
from xml.etree import ElementTree

import av
import pytest

from lkcook.report.timeline import Timeline
from lkcook.report.timeline_reading import read_timeline
from tests.report import made_up

SVG = "{http://www.w3.org/2000/svg}"


def drawn(timeline: Timeline) -> ElementTree.Element:
    (svg,) = re.findall(r"<svg.*</svg>", timeline.interactive().document, re.S)
    return ElementTree.fromstring(svg)


def seconds_of_sound(timeline: Timeline) -> float:
    (data,) = re.findall(r"data:audio/mpeg;base64,([^\"]+)", timeline.interactive().document)
    with av.open(io.BytesIO(base64.b64decode(data))) as file:
        return file.duration / 1e6


@pytest.mark.parametrize("turns", [1, 20])
def test_every_mark_stands_where_a_click_on_it_plays_its_second(turns: int) -> None:
    rows = drawn(read_timeline(made_up.call(turns, interrupted=True))).findall(f"{SVG}g")
    assert len(rows) == (1 if turns == 1 else 5)
    for row in rows:
        start, end, left, right = (float(row.get(f"data-{name}")) for name in ("start", "end", "left", "right"))
        marks = [(float(m.get("data-at")), m.get("x1") or m.get("cx")) for m in row.iter() if m.get("data-at")]
        marks += [(float(m.get("data-from")), m.get("x")) for m in row.iter() if m.get("data-from")]
        assert len(marks) > 10
        for at, x in marks:  # the script's own arithmetic, see secondAt
            assert start + (float(x) - left) / (right - left) * (end - start) == pytest.approx(at, abs=0.005)


def test_rows_follow_each_other_without_a_gap_and_without_overlap() -> None:
    rows = drawn(read_timeline(made_up.call(20))).findall(f"{SVG}g")
    assert [row.get("data-end") for row in rows[:-1]] == [row.get("data-start") for row in rows[1:]]
    tops = [float(row.get("data-top")) for row in rows]
    assert all(two - one > 9 * float(rows[0].get("data-lane")) for one, two in zip(tops, tops[1:]))


def test_the_sound_is_that_of_the_window() -> None:
    call = made_up.call(3)
    whole, one = read_timeline(call), read_timeline(call, 1)
    assert seconds_of_sound(whole) == pytest.approx(18, abs=0.1)
    assert seconds_of_sound(one) == pytest.approx(one.end - one.start, abs=0.1)
    assert float(drawn(one).get("data-start")) == pytest.approx(one.start)


def test_every_mark_tells_what_it_is() -> None:
    svg = drawn(read_timeline(made_up.call(interrupted=True)))
    told = " | ".join(title.text for title in svg.iter(f"{SVG}title"))
    for part in (
        "2.31 s  final transcript: Hello there.",
        "end-of-turn probability: 0.93 (threshold 0.30)",
        "first token: TTFT 190 ms",
        "first byte: 900 ms after the last syllable",
        "sound arrived: 0.25 s",
        "310 ms of the waiting time",
        "interruption",
    ):
        assert part in told, part


def test_the_page_needs_nothing_from_outside() -> None:
    page = read_timeline(made_up.call()).interactive()
    loaded = re.findall(r"(?:src|href)=\"?([^\s\">]+)|(url\(|@import|fetch\()", page.document)
    assert [(named[:10], other) for named, other in loaded] == [("data:audio", "")]


def test_the_iframe_holds_the_page_and_no_words_become_markup() -> None:
    call = made_up.call()
    call.journal.finals = [(made_up.ORIGIN + 2.31, "</title><script>alert(1)</script>\"'")]
    page = read_timeline(call).interactive()
    assert "<script>alert" not in page.document
    (inside,) = re.findall(r'srcdoc="([^"]*)"', page._repr_html_())
    assert unescape(inside) == page.document and page._repr_html_().count("<") == 2


def test_a_call_without_sound_says_so_instead_of_playing() -> None:
    call = made_up.call()
    call.recording.samples = call.recording.samples[:0]
    document = read_timeline(call).interactive().document
    assert "<audio" not in document and "Nothing was recorded" in document
