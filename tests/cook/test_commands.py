"""What each command starts, with what, and its exit code."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from tests.cook.conftest import Machine, becomes

FIRST = "notebooks/00_start_here.ipynb"
EXPOSED = "--LabApp.expose_app_in_browser=True"


def test_lab_opens_the_first_notebook_with_the_readers_options(cook: ModuleType, machine: Machine) -> None:
    became = becomes(cook, "lab", "--no-browser", "--port", "8900")
    assert became.command[1:] == ["-m", "jupyterlab", FIRST, EXPOSED, "--no-browser", "--port", "8900"]
    assert machine.did("-m lkcook weights")


def test_lab_opens_the_notebook_that_is_named(cook: ModuleType) -> None:
    assert becomes(cook, "lab", "other.ipynb").command[1:] == ["-m", "jupyterlab", EXPOSED, "other.ipynb"]


def test_lab_finds_a_notebook_from_where_the_reader_is(
    cook: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = folder / "notebooks" / "mine.ipynb"
    notebook.parent.mkdir()
    notebook.touch()
    monkeypatch.chdir(notebook.parent)
    named = becomes(cook, "lab", "mine.ipynb").command[-1]
    assert Path.cwd() == folder and (folder / named).samefile(notebook)


def test_lab_opens_without_models_and_says_so(
    cook: ModuleType, machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    machine.fails = lambda line: line.endswith("lkcook weights")
    assert FIRST in becomes(cook, "lab").command
    assert "without the models" in capfd.readouterr().err


@pytest.mark.parametrize("command", ["gateway", "test"])
def test_what_needs_the_models_does_not_start_without_them(cook: ModuleType, machine: Machine, command: str) -> None:
    machine.fails = lambda line: line.endswith("lkcook weights")
    assert cook.main([command]) == 1  # it becomes no other program


@pytest.mark.parametrize("option", ["--stop", "--help"])
def test_the_gateway_is_stopped_without_fetching_anything(cook: ModuleType, machine: Machine, option: str) -> None:
    assert becomes(cook, "gateway", option).command[1:] == ["-m", "lkcook", "gateway", option]
    assert not machine.did("weights")


def test_the_doctor_of_a_whole_environment_is_the_one_inside(cook: ModuleType) -> None:
    cook.make_environment()
    assert becomes(cook, "doctor").command[1:] == ["-m", "lkcook", "doctor"]


def test_the_doctor_installs_nothing(cook: ModuleType, machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert cook.main(["doctor"]) == 1
    assert "python cook.py lab" in capsys.readouterr().out and machine.commands == []


def test_the_tests_are_run_from_the_cookbooks_folder_with_everything_they_need(
    cook: ModuleType, machine: Machine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    became = becomes(cook, "test", "tests/gateway", "-k", "barge")
    assert became.command[1:] == ["-m", "tests.run", "tests/gateway", "-k", "barge"] and Path.cwd() == folder
    assert machine.did("-m lkcook weights") and machine.did("pip install", "[plugins,test]")


@pytest.mark.parametrize("browser", [None, "chromium", "google-chrome"])
def test_the_tests_fetch_a_browser_only_when_there_is_none(
    cook: ModuleType, machine: Machine, browser: str | None
) -> None:
    machine.programs |= {browser} - {None}
    assert becomes(cook, "test").command[1:] == ["-m", "tests.run"]
    assert machine.did("playwright install chromium") is (browser is None)
