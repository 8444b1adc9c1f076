"""One name compares both: sounds and texts by label, calls by their latency."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lkcook.errors import CookError
from lkcook.report.answers import Comparison, Heard, compare
from lkcook.report.comparison import LatencyComparison
from lkcook.report.turns import Turn, Turns


def call(*totals: float) -> SimpleNamespace:
    """A call whose turns were committed half way to their first sample."""
    return SimpleNamespace(turns=Turns(Turn("Hi.", "Hello.", 1.0, turn_commit=t / 2, first_sample=t) for t in totals))


def test_calls_are_compared_stage_by_stage_with_the_first() -> None:
    shown = repr(compare(call(400, 800), call(1200), labels=("fast", "slow")))
    header, *rows = shown.splitlines()[1:]
    assert "fast median" in header and "slow p90" in header and "fast ×" not in header and "slow ×" in header
    assert rows[-1].split() == ["whole", "turn", "600", "760", "1200", "1200", "2.00"]


def test_calls_may_come_as_a_mapping_or_without_labels() -> None:
    assert isinstance(compare({"a": call(400), "b": call(500)}), LatencyComparison)
    assert "call 1 and call 2" in repr(compare(call(400), call(500)))
    assert repr(compare(call(400), call(500), caption="Two rooms")).startswith("Two rooms")


def test_table_and_bars_stand_together_in_a_notebook_and_no_markup_gets_through() -> None:
    html = compare(call(400, 800), call(1200), labels=("<b>", "b"))._repr_html_()
    assert "<table" in html and "data:image/png" in html and "<b>" not in html


def test_the_bars_are_real_turns_so_their_segments_add_up() -> None:
    plot = compare(call(100, 200, 900), call(300)).plot()
    assert plot.png.startswith(b"\x89PNG") and "200" in plot.svg


def test_a_call_without_turns_leaves_its_columns_empty() -> None:
    shown = compare(call(400), call())
    assert repr(shown).splitlines()[-1].split() == ["whole", "turn", "400", "400"] and shown.plot().png


@pytest.mark.parametrize("calls, labels", [((call(1),), ()), ((call(1), call(2)), ("a",)), ((call(1), call(2)), "aa")])
def test_too_few_calls_or_labels_are_refused_kindly(calls, labels) -> None:
    with pytest.raises(CookError):
        compare(*calls, labels=labels)


def test_sounds_and_texts_are_compared_as_before() -> None:
    shown = compare({"one": Heard("Hello.", "en"), "two": "text"}, "both")
    assert isinstance(shown, Comparison) and shown.caption == "both" and "Hello." in shown._repr_html_()
    assert compare({"one": "text"}, caption="named").caption == "named"
