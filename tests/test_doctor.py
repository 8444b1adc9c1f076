"""The doctor: true, readable, with a remedy for whatever is missing, and without a secret."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import lkcook
from lkcook import checks as room
from lkcook.audio import devices
from lkcook.errors import DeviceError
from lkcook.gateway import process
from lkcook.gateway.address import Address


def row(what: str) -> room.Check:
    return next(check for check in lkcook.doctor() if check.what == what)


def test_a_machine_on_which_calls_work_is_found_well(address: Address) -> None:
    report = lkcook.doctor()
    assert report.ok, report
    assert row("gateway").found == f"{address.url}, stt ready, llm ready, tts ready, turns ready"
    assert row("whisper-base").state == row("packages").state == "ok"


def test_whatever_is_not_well_has_a_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def silent(*_: object) -> None:
        raise DeviceError("There is no microphone", "plug one in")

    monkeypatch.setenv("LKCOOK_CACHE", str(tmp_path))
    monkeypatch.setenv("LKCOOK_RUNTIME", str(tmp_path / "run"))
    monkeypatch.setattr(devices, "portaudio", silent)
    monkeypatch.setattr(metadata, "version", lambda name: "0.0")
    report = lkcook.doctor()
    assert not report.ok
    failed = {check.what for check in report if check.state == "FAIL"}
    assert failed == {"packages", "whisper-base", "smart-turn-v3.2", "kokoro-82m", "qwen2.5-coder-1.5b"}
    assert all(check.remedy for check in report if check.state != "ok")


def test_missing_devices_do_not_fail_a_machine_that_can_follow_a_script(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object) -> None:
        raise DeviceError("PortAudio is not installed", "sudo apt-get install -y libportaudio2")

    monkeypatch.setattr(devices, "portaudio", silent)
    assert lkcook.doctor().ok and row("microphone").state == "note"
    assert "libportaudio2" in row("PortAudio").remedy


def test_a_damaged_weight_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LKCOOK_CACHE", str(tmp_path))
    config = tmp_path / "weights" / "whisper-base" / "config.json"
    config.parent.mkdir(parents=True)
    config.write_text("{}")
    assert row("whisper-base").state == "FAIL" and "config.json is damaged" in row("whisper-base").found


def test_a_language_model_of_the_readers_own_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKCOOK_LLM", "/nowhere/mine.gguf")
    assert row("weights").state == "FAIL" and "mine.gguf" in row("weights").found


def test_a_gateway_whose_model_failed_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    address = Address("http://127.0.0.1:1/v1", "key", "secret", 1, "")
    failed = {"pid": 1, "models": {"stt": "ready", "llm": "failed: no such file"}}
    monkeypatch.setattr(process, "running", lambda: address)
    monkeypatch.setattr(Address, "status", lambda self: failed)
    assert row("gateway").state == "FAIL" and "no such file" in row("gateway").found


def test_keys_are_counted_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.setenv(name, "top-secret")
    assert row("LiveKit Cloud").state == "ok"
    monkeypatch.delenv("LIVEKIT_API_SECRET")
    assert row("LiveKit Cloud").found == "LIVEKIT_API_SECRET missing"
    assert "top-secret" not in repr(lkcook.doctor()) + lkcook.doctor()._repr_html_()


def test_the_terminal_shows_the_same_table_and_its_exit_code_tells_the_truth(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lkcook", "doctor"]
    well = subprocess.run(command, capture_output=True, text=True)
    assert well.returncode == 0 and "whisper-base" in well.stdout, well.stdout + well.stderr
    ill = subprocess.run(command, capture_output=True, text=True, env={"LKCOOK_CACHE": str(tmp_path), "HOME": "/tmp"})
    assert ill.returncode == 1 and "python cook.py lab" in ill.stdout, ill.stdout + ill.stderr
