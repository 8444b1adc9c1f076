"""The runs of `python cook.py test`: each file in one of them, and what becomes of a test that failed."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
from pathlib import Path

import pytest

from tests import run
from tests.run import Run

ONCE = """
import pathlib
def test_{0}():
    seen = pathlib.Path("{0}")
    first = not seen.exists()
    seen.touch()
    assert not first
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own with one run, "rooms", in which the real pytest looks for tests."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "tests").mkdir()
    shutil.copy(run.ROOT / "tests" / "told.py", tmp_path / "tests")
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setattr(run, "runs", lambda: [Run("rooms", (".",))])
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return tmp_path


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What pytest would have been called with; all of it passes."""
    calls: list[list[str]] = []
    monkeypatch.setattr(run.subprocess, "call", lambda command, **_: calls.append(command) or 0)
    return calls


def last_lines(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capfd.readouterr().err.splitlines() if line.startswith(("passed", "FAILED", "UNSTEADY"))]


def test_every_test_file_and_every_notebook_is_in_exactly_one_run() -> None:
    files = [path.relative_to(run.ROOT).as_posix() for path in run.ROOT.glob("tests/**/test_*.py")]
    files += [path.relative_to(run.ROOT).as_posix() for path in run.ROOT.glob("notebooks/*.ipynb")]
    assert len(files) > 100
    for file in files:
        assert len([each for each in run.runs() if looks_at(each, file)]) == 1, file


def looks_at(each: Run, file: str) -> bool:
    inside = [word for word in each.where if not word.startswith("--") and f"{file}/".startswith(f"{word}/")]
    left_out = [word for word in each.where if f"{file}/".startswith(f"{word.removeprefix('--ignore=')}/")]
    return bool(inside) and len(left_out) == len(inside)


def test_nothing_runs_beside_sound_and_beside_what_is_timed(calls: list[list[str]]) -> None:
    assert run.main([]) == 0
    alone = [call for call in calls if "-n" not in call]
    assert len(calls) == 4 and [set(call) & {"tests", "notebooks", *run.ALONE, *run.TIMED} for call in alone] == [
        {*run.ALONE}, {*run.TIMED}]  # fmt: skip
    assert ["--nbval" in call for call in calls] == [False, False, True, True]


def test_chosen_tests_are_handed_to_pytest(calls: list[list[str]], capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["tests/gateway", "-k", "barge"]) == 0
    assert calls == [[sys.executable, "-m", "pytest", "-p", "tests.told", "-rs", "tests/gateway", "-k", "barge"]]
    assert last_lines(capfd) == ["passed  chosen"]


def test_what_fails_once_and_passes_alone_is_named(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (root / "test_some.py").write_text(ONCE.format("it") + "def test_other(): assert True\n")
    assert run.main([]) == 0
    assert last_lines(capfd) == ["UNSTEADY (test_some.py::test_it)  rooms"]


def test_what_fails_twice_has_failed_and_the_other_runs_go_on(
    root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (root / "test_some.py").write_text(ONCE.format("it") + "def test_red(): assert False\n")
    (root / "test_more.py").write_text("def test_green(): assert True\n")
    monkeypatch.setattr(run, "runs", lambda: [Run("rooms", ("test_some.py",)), Run("sound", ("test_more.py",))])
    assert run.main([]) == 1
    assert last_lines(capfd) == ["FAILED  rooms", "passed  sound"]


def test_many_failures_are_not_chance(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (root / "test_some.py").write_text("".join(ONCE.format(name) for name in "abcd"))
    assert run.main([]) == 1 and "Once more" not in capfd.readouterr().err


def test_a_crash_is_named_like_any_failure(
    root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    crash = ONCE.format("it").replace("assert not first", "os.abort() if first else None")
    (root / "test_some.py").write_text(f"import os\n{crash}\ndef test_other(): assert True\n")
    monkeypatch.setattr(run, "runs", lambda: [Run("rooms", (".",), beside=run.BOTH_CORES)])
    assert run.main([]) == 0
    assert last_lines(capfd) == ["UNSTEADY (test_some.py::test_it)  rooms"]


def test_a_file_that_cannot_be_read_is_a_failure(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (root / "test_some.py").write_text("import nothing_of_this_name\n")
    assert run.main([]) == 1 and last_lines(capfd) == ["FAILED  rooms"]


def test_a_run_that_could_not_begin_is_not_tried_again(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main([]) == 1  # there is no test: pytest's 5
    assert last_lines(capfd) == ["FAILED  rooms"]


def test_chosen_tests_are_tried_once(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (root / "test_some.py").write_text(ONCE.format("it"))
    assert run.main(["test_some.py"]) == 1 and last_lines(capfd) == ["FAILED  chosen"]


def test_a_notebook_is_tried_again_from_its_first_cell(
    root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    cells = ["n = 1", ONCE.format("it") + "test_it(); n += 1", "assert n == 2"]
    (root / "once.ipynb").write_text(json.dumps(notebook(*cells)))
    options = ("--nbval-lax", "--nbval-current-env")
    monkeypatch.setattr(run, "runs", lambda: [Run("notebooks", ("once.ipynb",), options)])
    assert run.main([]) == 0
    assert last_lines(capfd) == ["UNSTEADY (once.ipynb)  notebooks"]


def notebook(*cells: str) -> dict[str, object]:
    count = itertools.count(1)
    code = {"cell_type": "code", "metadata": {}, "outputs": []}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": [{**code, "execution_count": next(count), "source": cell} for cell in cells],
            "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}  # fmt: skip


def test_what_was_skipped_is_listed_in_the_last_lines_and_why(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    skip = "pytest.skip('Sound needs\\na device.')"
    (root / "test_some.py").write_text(f"import pytest\ndef test_a(): {skip}\ndef test_b(): {skip}\n")
    assert run.main([]) == 0
    assert capfd.readouterr().err.splitlines()[-1] == "NOT RUN 2 test(s): Sound needs a device."
