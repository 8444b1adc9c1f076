"""PortAudio is installed when that needs no password; otherwise one line is told, and the command goes on."""

from __future__ import annotations

import ctypes.util
import os
import subprocess
import sys
from types import ModuleType

import pytest

from tests.cook.conftest import ROOT, Machine, becomes

LINE = "sudo apt-get install -y libportaudio2"


@pytest.fixture(autouse=True)
def no_portaudio(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)


@pytest.mark.parametrize("sudo", ["not there", "asks for a password"])
def test_without_root_the_line_is_told_and_the_command_goes_on(
    cook: ModuleType, machine: Machine, capfd: pytest.CaptureFixture[str], sudo: str
) -> None:
    if sudo != "not there":
        machine.programs.add("sudo")
        machine.fails = lambda line: line == "sudo -n true"
    assert "jupyterlab" in becomes(cook, "lab").command
    assert LINE in capfd.readouterr().err and not machine.did("apt-get", "install")


def test_sudo_without_a_password_is_used(cook: ModuleType, machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.programs.add("sudo")
    becomes(cook, "lab")
    assert machine.did("sudo -n env", "apt-get", "install", "libportaudio2")
    assert LINE not in capfd.readouterr().err


@pytest.mark.parametrize("works", [True, False])
def test_root_installs_it_and_is_told_the_line_when_that_fails(
    cook: ModuleType, machine: Machine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], works: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    # A stale source does not matter as long as the package is found.
    machine.fails = lambda line: line.endswith("update") or ("apt-get" in line and not works)
    assert "--allow-root" in becomes(cook, "lab").command
    assert machine.did("apt-get", "install", "libportaudio2")
    assert (LINE in capfd.readouterr().err) is not works


@pytest.mark.parametrize("program", ["dnf", "pacman", "zypper"])
def test_other_linuxes_get_their_own_line(
    cook: ModuleType, machine: Machine, capfd: pytest.CaptureFixture[str], program: str
) -> None:
    machine.programs = {program}
    becomes(cook, "talk")
    err = capfd.readouterr().err
    assert f"sudo {program} " in err and "apt-get" not in err


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_the_wheels_of_other_systems_carry_it(
    cook: ModuleType, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    assert cook.missing_sound_packages(for_tests=True) == []


def test_a_conversation_between_files_needs_none(
    cook: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    assert becomes(cook, "talk", "--wav", "in.wav").command[-2:] == ["--wav", "in.wav"]
    assert "portaudio" not in capfd.readouterr().err


def test_the_tests_need_virtual_devices_too(cook: ModuleType) -> None:
    assert set(cook.missing_sound_packages(for_tests=True)) >= {"libportaudio2", "pulseaudio", "pulseaudio-utils"}


def test_looking_for_them_does_not_follow_link_loops() -> None:
    """Some systems' /usr/lib links to itself in circles: a search through all of it would take hours."""
    look = "import cook; print(cook.missing_sound_packages(for_tests=True))"
    program = subprocess.Popen([sys.executable, "-c", look], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert program.communicate(timeout=30)[0].startswith("[")
    finally:
        program.kill()
