"""A fresh clone on a machine where nothing is really installed, and cook.py as a person uses it there."""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


class Became(Exception):
    """This process would have become another program."""

    def __init__(self, program: str, command: list[str], environment: dict[str, str]) -> None:
        super().__init__(command)
        self.command = command
        self.environment = environment


class Machine:
    """Plays subprocess.call: writes every command down, makes the files it would make, and fails where told to."""

    def __init__(self, folder: Path) -> None:
        self.python = folder / ".venv" / "bin" / "python"
        self.commands: list[str] = []
        self.programs = {"apt-get"}
        self.fails: Callable[[str], bool] = lambda command: False

    def call(self, command: list[str], **_: object) -> int:
        line = " ".join(command)
        if command[0] == str(self.python) and not self.python.exists():
            raise FileNotFoundError(line)
        self.commands.append(line)
        if self.fails(line):
            return 1
        if " venv " in line:
            self.python.parent.mkdir(parents=True, exist_ok=True)
            self.python.touch()
        return 0

    def which(self, name: str) -> str | None:
        return f"/usr/bin/{name}" if name in self.programs else None

    def did(self, *words: str) -> bool:
        return any(all(word in line for word in words) for line in self.commands)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh clone, as far as cook.py looks at it."""
    for name in ("cook.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@pytest.fixture
def machine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Linux with PortAudio and without uv. Each test may change it."""
    machine = Machine(folder)

    def become(*arguments: object) -> None:
        raise Became(*arguments)

    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(subprocess, "call", machine.call)
    monkeypatch.setattr(shutil, "which", machine.which)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: f"lib{name}.so.2")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "execve", become)
    return machine


def load(folder: Path) -> ModuleType:
    """The cook.py of a clone, as a module."""
    spec = importlib.util.spec_from_file_location("cook_under_test", folder / "cook.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def cook(machine: Machine, folder: Path) -> ModuleType:
    return load(folder)


def becomes(cook: ModuleType, *arguments: str) -> Became:
    with pytest.raises(Became) as became:
        cook.main(list(arguments))
    return became.value
