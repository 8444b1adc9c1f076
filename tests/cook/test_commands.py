"""What each command starts, with what, and its exit code."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from tests.cook.conftest import ROOT, Machine, becomes

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
    assert cook.main([command]) == 1
    assert not machine.did("-m pytest")


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


@pytest.fixture
def rooms(cook: ModuleType, folder: Path) -> None:
    for room in cook.ALONE:
        (folder / room).mkdir(parents=True)
    (folder / "notebooks").mkdir(exist_ok=True)
    for notebook in cook.TIMED:
        (folder / notebook).touch()


def test_every_room_and_every_notebook_is_run_once(cook: ModuleType, machine: Machine, rooms: None) -> None:
    assert cook.main(["test"]) == 0
    first, sound, notebooks, timed = (line.split(" -m pytest ")[1] for line in machine.commands if " -m pytest " in line)
    alone = [word for word in sound.split() if word.startswith("tests/")]
    assert alone == list(cook.ALONE) and all((ROOT / room).is_dir() for room in alone)
    assert "tests" in first.split()
    assert [word for word in first.split() if "ignore" in word] == [f"--ignore={room}" for room in alone]
    assert {"--nbval", "notebooks", *(f"--ignore={name}" for name in cook.TIMED)} <= set(notebooks.split())
    assert {"--nbval", *cook.TIMED} <= set(timed.split()) and "-n" not in timed.split()
    assert all((ROOT / name).is_file() for name in cook.TIMED)


@pytest.mark.parametrize("failing", ["tests -n 2", "tests/end_to_end", " notebooks -n 2", "nbval_sanitize.cfg notebooks/07"])
def test_one_failing_run_is_named_and_makes_the_exit_code_1_after_the_others_have_run(
    cook: ModuleType, machine: Machine, rooms: None, capfd: pytest.CaptureFixture[str], failing: str
) -> None:
    machine.fails = lambda line: "-m pytest" in line and failing in line and f"ignore={failing}" not in line
    assert cook.main(["test"]) == 1
    assert len([line for line in machine.commands if " -m pytest " in line]) == 4
    err = capfd.readouterr().err
    assert err.count("FAILED  ") == 1 and err.count("passed  ") == 3


def test_what_was_skipped_is_listed_in_the_last_lines_and_why(
    cook: ModuleType, machine: Machine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def call(command: list[str], **options: dict[str, str]) -> int:
        if "pytest" in command:
            with open(options["env"]["LKCOOK_SKIPPED"], "a") as file:
                file.write("Sound needs pulseaudio. Run: apt\n")
        return machine.call(command)

    monkeypatch.setattr(cook.subprocess, "call", call)
    assert cook.main(["test"]) == 0
    assert capfd.readouterr().err.splitlines()[-1] == "NOT RUN 2 test(s): Sound needs pulseaudio. Run: apt"


@pytest.mark.parametrize("passes", [True, False])
def test_chosen_tests_are_handed_to_pytest_and_its_verdict_comes_back(
    cook: ModuleType, machine: Machine, passes: bool
) -> None:
    machine.fails = lambda line: "-m pytest" in line and not passes
    assert cook.main(["test", "tests/gateway", "-k", "barge"]) == (0 if passes else 1)
    (run,) = [line for line in machine.commands if " -m pytest " in line]
    assert run.endswith("tests/gateway -k barge")


@pytest.mark.parametrize("browser", [None, "chromium", "google-chrome"])
def test_the_tests_fetch_a_browser_only_when_there_is_none(
    cook: ModuleType, machine: Machine, browser: str | None
) -> None:
    machine.programs |= {browser} - {None}
    assert cook.main(["test"]) == 0
    assert machine.did("playwright install chromium") is (browser is None)
