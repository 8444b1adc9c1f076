"""Making .venv: whole or not at all, and never twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from tests.cook.conftest import Machine, becomes, load


def stamp(cook: ModuleType) -> dict[str, object]:
    return json.loads(cook.STAMP.read_text())


def test_an_environment_is_ready_once_it_is_whole(cook: ModuleType, machine: Machine) -> None:
    assert not cook.is_ready()
    cook.make_environment()
    assert cook.is_ready() and not cook.is_ready("test")
    machine.commands.clear()
    cook.make_environment()
    assert machine.commands == []


@pytest.mark.parametrize("trouble", ["missing", "cut short", "outdated", "another folder", "without python"])
def test_an_environment_is_not_ready_when_it_may_be_incomplete(
    cook: ModuleType, machine: Machine, folder: Path, trouble: str
) -> None:
    cook.make_environment()
    if trouble == "missing":
        cook.STAMP.unlink()
    elif trouble == "cut short":
        cook.STAMP.write_text(cook.STAMP.read_text()[:30])
    elif trouble == "outdated":
        with (folder / "pyproject.toml").open("a") as pyproject:
            pyproject.write("# another pin\n")
    elif trouble == "another folder":
        cook = load(shutil.copytree(folder, folder / "copy"))
    else:
        machine.python.unlink()
    assert not cook.is_ready()


def test_an_interrupted_installation_leaves_no_stamp(cook: ModuleType, machine: Machine) -> None:
    cook.make_environment()

    def interrupted(line: str) -> bool:
        if "install" in line:
            raise KeyboardInterrupt
        return False

    machine.fails = interrupted
    assert cook.main(["test"]) == 130
    assert not cook.STAMP.exists() and not cook.is_ready()


def test_extras_that_are_installed_are_kept(cook: ModuleType, machine: Machine, folder: Path) -> None:
    cook.make_environment("test")
    assert stamp(cook)["extras"] == ["test"] and machine.did("-e .[test]")
    machine.commands.clear()
    with (folder / "pyproject.toml").open("a") as pyproject:
        pyproject.write("# another pin\n")
    cook.make_environment()
    assert stamp(cook)["extras"] == ["test"] and machine.did("-e .[test]")


def test_an_extra_is_added_without_making_everything_again(cook: ModuleType, machine: Machine) -> None:
    cook.make_environment()
    machine.commands.clear()
    cook.make_environment("test")
    assert machine.did("install", "-e .[test]") and not machine.did(" venv ") and cook.is_ready("test")


@pytest.mark.parametrize(
    "command, extras", [("lab", ["plugins"]), ("talk", []), ("gateway", []), ("test", ["plugins", "test"])]
)
def test_a_command_installs_the_extras_it_needs_and_no_other(
    cook: ModuleType, machine: Machine, command: str, extras: list[str]
) -> None:
    becomes(cook, command)
    assert stamp(cook)["extras"] == extras and cook.is_ready(*extras)
    assert machine.did(f"-e .[{','.join(extras)}]" if extras else "-e .")


def test_uv_is_preferred(cook: ModuleType, machine: Machine) -> None:
    machine.programs.add("uv")
    cook.make_environment()
    assert machine.did("/usr/bin/uv venv") and machine.did("/usr/bin/uv pip install", "-e .")
    assert not machine.did("-m venv") and not machine.did("-m pip")


@pytest.mark.parametrize("step", ["uv venv", "uv pip install"])
@pytest.mark.parametrize("before", ["nothing", "an environment without the extra"])
def test_when_uv_fails_pip_does_it(cook: ModuleType, machine: Machine, step: str, before: str) -> None:
    if before != "nothing":
        cook.make_environment()
        machine.commands.clear()
    machine.programs.add("uv")
    machine.fails = lambda line: step in line or ("uv pip" in line)
    cook.make_environment("test")
    assert machine.did("-m venv") and machine.did("-m pip install", "-e .[test]") and cook.is_ready("test")


def test_an_environment_that_lost_its_python_is_made_again(cook: ModuleType, machine: Machine) -> None:
    cook.make_environment()
    machine.python.unlink()
    cook.make_environment()
    assert cook.is_ready()


def test_when_everything_fails_it_is_said_and_nothing_is_started(
    cook: ModuleType, machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    machine.fails = lambda line: "install" in line
    assert cook.main(["lab"]) == 1
    assert "could not be installed" in capfd.readouterr().err and not cook.is_ready()


def test_a_python_without_venv_is_told_how_to_get_it(
    cook: ModuleType, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cook.main(["lab"]) == 1
    assert "python3-venv" in capfd.readouterr().err


def test_what_is_started_gets_an_environment_that_leads_to_no_other_python(
    cook: ModuleType, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", "/elsewhere")
    monkeypatch.setenv("PYTHONHOME", "/elsewhere")
    monkeypatch.setenv("LKCOOK_LLM", "small")
    became = becomes(cook, "lab")
    assert became.command[0] == str(machine.python)
    assert not {"VIRTUAL_ENV", "PYTHONHOME"} & set(became.environment)
    assert became.environment["LKCOOK_LLM"] == "small"
