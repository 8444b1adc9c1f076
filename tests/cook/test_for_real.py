"""cook.py as a real process: the gateway's variables for a shell, and the doctor before there is an environment."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lkcook.gateway import process
from tests.cook.conftest import ROOT, load

NAMES = ["LIVEKIT_INFERENCE_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "ELEVEN_BASE_URL", "ELEVEN_API_KEY",
         "OPENAI_BASE_URL", "OPENAI_API_KEY", "XAI_BASE_URL", "XAI_API_KEY", "DEEPGRAM_BASE_URL", "DEEPGRAM_API_KEY",
         "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "OLLAMA_BASE_URL", "OLLAMA_API_KEY",
         "GROQ_BASE_URL", "GROQ_API_KEY", "CEREBRAS_BASE_URL", "CEREBRAS_API_KEY", "FIREWORKS_BASE_URL",
         "FIREWORKS_API_KEY", "BASETEN_BASE_URL", "BASETEN_API_KEY", "MISTRAL_BASE_URL", "MISTRAL_API_KEY",
         "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL_POLLY",
         "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION",
         "GOOGLE_GEMINI_BASE_URL", "GOOGLE_API_KEY", "SSL_CERT_FILE"]  # fmt: skip


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "cook.py", *arguments], cwd=folder, capture_output=True, text=True)


@pytest.fixture
def ready(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A clone whose .venv holds what this Python has, and a user without a gateway.

    Not this clone's own .venv: who runs pytest from another one would wait here for an installation.
    """
    venv = folder / ".venv"
    venv.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name != "lkcook.json":
            (venv / entry.name).symlink_to(entry)
    cook = load(folder)
    cook.STAMP.write_text(json.dumps({"made of": cook.made_of(), "extras": ["plugins", "test"]}))

    model = folder / "no-model.gguf"  # cannot be loaded, so the gateway starts quickly
    model.touch()
    monkeypatch.setenv("LKCOOK_LLM", str(model))
    monkeypatch.setenv("LKCOOK_RUNTIME", str(folder / "runtime"))
    yield folder
    process.stop()


def test_the_gateways_variables_can_be_evaluated_by_each_shell(ready: Path) -> None:
    sh = run(ready, "gateway", "--env")
    assert sh.returncode == 0, sh.stderr
    values = dict(re.fullmatch(r"export (\w+)=(\S+)", line).groups() for line in sh.stdout.splitlines())
    assert list(values) == NAMES and re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", values[NAMES[0]])

    script = sh.stdout + "".join(f'\necho "${name}"' for name in NAMES)
    spoken = subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout
    assert spoken.split() == list(values.values())

    powershell = run(ready, "gateway", "--env", "--shell", "powershell").stdout.splitlines()
    assert powershell == [f"$env:{name} = '{value}'" for name, value in values.items()]
    cmd = run(ready, "gateway", "--env", "--shell", "cmd").stdout.splitlines()
    assert cmd == [f'set "{name}={value}"' for name, value in values.items()]

    assert run(ready, "gateway", "--stop").stdout == "The gateway has stopped.\n"
    assert process.running() is None


def test_an_unknown_shell_is_refused_and_nothing_can_be_evaluated(ready: Path) -> None:
    refused = run(ready, "gateway", "--env", "--shell", "fish")
    assert refused.returncode != 0 and refused.stdout == "" and "powershell" in refused.stderr


@pytest.mark.parametrize("state", ["does not exist yet", "is unfinished or out of date"])
def test_the_doctor_speaks_before_there_is_an_environment(folder: Path, state: str) -> None:
    if state != "does not exist yet":
        (folder / ".venv").mkdir()
    told = run(folder, "doctor")
    assert told.returncode == 1 and told.stderr == ""
    python, environment, sound = told.stdout.splitlines()
    assert python.startswith("ok ") and sys.version.split()[0] in python
    assert environment.startswith("FAIL ") and state in environment and "python cook.py lab" in environment
    assert "PortAudio" in sound


def test_no_arguments_is_a_mistake_and_says_what_there_is(folder: Path) -> None:
    told = run(folder)
    assert told.returncode == 2 and told.stdout == "" and "python cook.py lab" in told.stderr


def test_a_failing_test_fails_the_command(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = {"__init__.py", "run.py", "told.py"}
    shutil.copytree(ROOT / "tests", ready / "tests", ignore=lambda _, names: {*names} - needed)
    (ready / "test_both.py").write_text("def test_green(): assert True\ndef test_red(): assert False")
    only = ready / "only"  # no apt-get, no sudo: the test of a test installs nothing on this machine
    only.mkdir()
    (only / "chromium").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(only))

    told = run(ready, "test", "test_both.py")
    assert told.returncode == 1 and "1 failed, 1 passed" in told.stdout and "FAILED  chosen" in told.stderr
    told = run(ready, "test", "test_both.py", "-k", "green")
    assert told.returncode == 0 and "1 passed" in told.stdout and "passed  chosen" in told.stderr
