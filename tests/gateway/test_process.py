"""The gateway as a process: one per user, found through a private file, gone when nobody needs it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lkcook.gateway import process, variables
from lkcook.gateway.address import Address

ENSURE = "from lkcook.gateway import process; print(process.ensure().pid)"


@pytest.fixture
def own_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user without a gateway; the language model is a file that cannot be loaded, so it starts quickly."""
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"not a model")
    monkeypatch.setenv("LKCOOK_RUNTIME", str(tmp_path / "runtime"))
    monkeypatch.setenv("LKCOOK_LLM", str(broken))
    yield tmp_path / "runtime"
    process.stop()


def gone(pid: int) -> bool:
    """Waits until the process has ended."""
    try:
        psutil.Process(pid).wait(timeout=30)
    except psutil.NoSuchProcess:
        return True
    return not psutil.pid_exists(pid)


def test_everybody_gets_the_same_gateway(address: Address) -> None:
    assert process.ensure() == address == process.running()


def test_its_address_can_be_read_by_this_user_alone(address: Address) -> None:
    folder = Path(os.environ["LKCOOK_RUNTIME"])
    assert stat.S_IMODE((folder / "gateway.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_it_listens_on_loopback_only(address: Address) -> None:
    listening = [c.laddr.ip for c in psutil.Process(address.pid).net_connections("inet") if c.status == "LISTEN"]
    assert listening and set(listening) == {"127.0.0.1"}


def test_two_programs_that_start_it_at_once_share_one(own_runtime: Path) -> None:
    programs = [subprocess.Popen([sys.executable, "-c", ENSURE], stdout=subprocess.PIPE) for _ in range(2)]
    first, second = (int(program.communicate(timeout=60)[0]) for program in programs)
    assert first == second


def test_an_address_left_behind_by_a_crash_is_replaced(own_runtime: Path) -> None:
    crashed = process.ensure()
    psutil.Process(crashed.pid).kill()
    assert gone(crashed.pid) and process.running() is None
    assert (own_runtime / "gateway.json").exists()
    assert process.ensure().pid != crashed.pid


def test_a_damaged_address_is_replaced(own_runtime: Path) -> None:
    process.ensure()
    process.stop()
    (own_runtime / "gateway.json").write_text('{"url": "http')
    assert process.running() is None
    assert process.ensure().status() is not None


def test_an_address_of_another_version_is_understood(address: Address, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written = json.loads((Path(os.environ["LKCOOK_RUNTIME"]) / "gateway.json").read_text())
    older = {name: value for name, value in written.items() if name not in ("secure_url", "authorities")}
    monkeypatch.setenv("LKCOOK_RUNTIME", str(tmp_path))
    for version in (older, {**written, "moon": 1}):
        (tmp_path / "gateway.json").write_text(json.dumps(version))
        found = process.running()
        assert found is not None and found.pid == address.pid
    (tmp_path / "gateway.json").write_text(json.dumps(older))
    names = variables.environment(process.running())  # type: ignore[arg-type]
    assert "SSL_CERT_FILE" not in names and "GOOGLE_GEMINI_BASE_URL" not in names


def test_it_ends_by_itself_when_unused_and_leaves_nothing(own_runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKCOOK_IDLE", "0.5")
    address = process.ensure()
    assert gone(address.pid)
    assert not (own_runtime / "gateway.json").exists()
    assert Path(address.authorities).exists(), "without it a kernel that waits for the next gateway could trust nobody"


def test_the_next_one_has_the_same_address_but_other_keys(own_runtime: Path) -> None:
    first = process.ensure()
    process.stop()
    assert gone(first.pid)
    second = process.ensure()
    assert (second.url, second.secure_url) == (first.url, first.secure_url) and second.api_secret != first.api_secret


@pytest.mark.parametrize("written", ["[1, 70000]", "[]", "{", "7"])
def test_ports_that_cannot_be_had_again_are_replaced(own_runtime: Path, written: str) -> None:
    own_runtime.mkdir(mode=0o700)
    (own_runtime / "gateway.ports").write_text(written)
    assert process.ensure().status()


def test_another_choice_of_model_gets_another_gateway(own_runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = process.ensure()
    other = own_runtime.parent / "other.gguf"
    other.write_bytes(b"no model either")
    monkeypatch.setenv("LKCOOK_LLM", str(other))
    assert process.ensure().pid != before.pid and gone(before.pid)


def test_a_model_that_cannot_be_loaded_says_why(own_runtime: Path) -> None:
    address = process.ensure()
    while (state := address.status()["models"]["llm"]) == "loading":  # type: ignore[index]
        time.sleep(0.05)
    assert state.startswith("failed: ")


def test_stop_says_whether_there_was_one(own_runtime: Path) -> None:
    assert process.stop() is False
    process.ensure()
    assert process.stop() is True


def test_the_variables_select_it_and_hold_this_runs_key(address: Address) -> None:
    names = variables.environment(address)
    assert names["LIVEKIT_INFERENCE_URL"] == address.url
    kept = json.loads((Path(os.environ["LKCOOK_RUNTIME"]) / "gateway.json").read_text())
    assert names["LIVEKIT_API_KEY"] == f"{kept['api_key']}.{os.getpid()}"
    assert names["LIVEKIT_API_SECRET"] == kept["api_secret"]
