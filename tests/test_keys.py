"""Keys from `.env`: what is set already stays, what the file changes is followed, and nothing of it is shown."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import lkcook
from lkcook import backend, keys
from lkcook.engines import weights
from lkcook.errors import CookError
from lkcook.gateway import process, variables
from lkcook.gateway.address import Address
from lkcook.reference import REALTIME

ROOT = Path(__file__).parents[1]
EXAMPLE = (ROOT / ".env.example").read_text()
ADDRESS = Address("http://127.0.0.1:4711/v1", "lkcook-key", "lkcook-secret-of-at-least-32-bytes", 1, "", "", "")


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The reader's file; without keys anywhere else, and a gateway that is always there."""
    others = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AZURE_SPEECH_KEY"
    for name in (*variables.environment(ADDRESS), *backend.CLOUD, *others):
        monkeypatch.setenv(name, "")  # so that it is put back afterwards
        monkeypatch.delenv(name)
    file = tmp_path / ".env"
    monkeypatch.setattr(keys, "FILE", file)
    monkeypatch.setattr(backend, "_in_force", None)
    monkeypatch.setattr(weights, "fetch_all_with_progress", lambda: None)
    monkeypatch.setattr(process, "ensure", lambda: ADDRESS)
    return file


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=abc", "abc"),
        ("export KEY = abc", "abc"),
        ('KEY="a # b"  # mine', "a # b"),
        ("KEY='a \"b\"'", 'a "b"'),
        ("KEY=a#b # mine", "a#b"),
        ("  KEY=two words   # mine", "two words"),
        ("KEY==a=", "=a="),
        ("\ufeffKEY=abc", "abc"),
    ],
)
def test_a_line_is_read_as_a_shell_would(tmp_path: Path, line: str, value: str) -> None:
    (tmp_path / ".env").write_text(f"{line}\n", encoding="utf-8")
    assert keys.read(tmp_path / ".env") == {"KEY": value}


def test_comments_and_names_without_a_value_count_as_absent(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# KEY=abc\n\nKEY=\nOTHER= # nothing yet\nLAST=''\n")
    assert keys.read(tmp_path / ".env") == {} == keys.read(tmp_path / "no such file")


@pytest.mark.parametrize("line", ["gsk_secret", 'KEY="gsk_secret', "1KEY=gsk_secret", "KEY gsk_secret"])
def test_a_line_that_cannot_be_read_is_named_and_not_shown(env: Path, line: str) -> None:
    env.write_text(f"A=1\n{line}\n")
    with pytest.raises(CookError, match="Line 2 of") as raised:
        lkcook.setup()
    assert "secret" not in str(raised.value)


def test_setup_takes_keys_from_the_file_and_tells_their_names_only(env: Path) -> None:
    env.write_text("AWS_ACCESS_KEY_ID=AKIA_of-the-file\n")
    chosen = lkcook.setup()
    assert os.environ["AWS_ACCESS_KEY_ID"] == "AKIA_of-the-file"
    assert lkcook.plugins("aws").missing == ("AWS_SECRET_ACCESS_KEY",)
    for shown in (repr(chosen), chosen._repr_html_()):
        assert "From .env: AWS_ACCESS_KEY_ID" in shown and "of-the-file" not in shown


def test_a_key_of_the_file_that_waits_aside_is_not_told_as_taken(env: Path) -> None:
    env.write_text("ANTHROPIC_API_KEY=sk-ant-of-the-file\nAZURE_SPEECH_KEY=of-the-file\n")
    assert lkcook.setup().note.endswith("From .env: ANTHROPIC_API_KEY, AZURE_SPEECH_KEY")
    told = "From .env: AZURE_SPEECH_KEY. Kept aside, from .env: ANTHROPIC_API_KEY"
    assert lkcook.setup("embedded").note.endswith(told)


def test_the_cloud_is_chosen_when_the_file_has_livekits_three(env: Path) -> None:
    env.write_text("LIVEKIT_URL=wss://reader.livekit.cloud\nLIVEKIT_API_KEY=key\nLIVEKIT_API_SECRET=secret\n")
    assert lkcook.setup().name == "cloud"
    assert lkcook.setup("embedded").name == "embedded" and os.environ["LIVEKIT_API_SECRET"] == ADDRESS.api_secret
    assert lkcook.setup().name == "cloud" and os.environ["LIVEKIT_API_SECRET"] == "secret"


def test_an_ollama_of_ones_own_is_called_and_kept_aside_when_all_is_to_stay_here(env: Path) -> None:
    env.write_text("OLLAMA_BASE_URL=http://big-machine:11434/v1\n")
    assert "With OLLAMA_BASE_URL, which is yours, its provider is called" in lkcook.setup().note
    assert os.environ["OLLAMA_BASE_URL"] == "http://big-machine:11434/v1"
    assert "yours" not in lkcook.setup("embedded").note
    assert os.environ["OLLAMA_BASE_URL"].endswith("@127.0.0.1:4711/v1")
    lkcook.setup()
    assert os.environ["OLLAMA_BASE_URL"] == "http://big-machine:11434/v1"


def test_what_is_set_already_stays(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA_of-the-shell")
    env.write_text("AWS_ACCESS_KEY_ID=AKIA_of-the-file\nAZURE_SPEECH_KEY=of-the-file\n")
    assert "From .env: AZURE_SPEECH_KEY" in lkcook.setup().note
    assert os.environ["AWS_ACCESS_KEY_ID"] == "AKIA_of-the-shell"


def test_a_line_that_was_changed_or_removed_is_followed_by_the_next_setup(env: Path) -> None:
    env.write_text("AWS_ACCESS_KEY_ID=mistyped\nAZURE_SPEECH_KEY=old\n")
    lkcook.setup()
    env.write_text("AWS_ACCESS_KEY_ID=right\n")
    lkcook.setup()
    assert os.environ["AWS_ACCESS_KEY_ID"] == "right" and "AZURE_SPEECH_KEY" not in os.environ


def test_the_doctor_counts_the_keys_of_the_file(env: Path) -> None:
    env.write_text("LIVEKIT_URL=wss://reader.livekit.cloud\nLIVEKIT_API_KEY=key\nLIVEKIT_API_SECRET=secret\n")
    (cloud,) = [check for check in lkcook.doctor() if check.what == "LiveKit Cloud"]
    assert cloud.state == "ok"


def test_the_example_has_every_variable_once_with_a_comment_and_without_a_value() -> None:
    needed = {name for provider in lkcook.plugins() for name in (*provider.keys, *provider.needed)}
    realtime = {f"{row.provider.upper()}_API_KEY" for row in REALTIME}
    named = re.findall(r"^(\w+)=(.*)$", EXAMPLE, re.MULTILINE)
    assert sorted(name for name, _ in named) == sorted({*backend.CLOUD, *needed, *realtime, "OLLAMA_BASE_URL"})
    assert not any(value for _, value in named)
    lines = EXAMPLE.splitlines()
    assert all(lines[number - 1].startswith("# ") for number, line in enumerate(lines) if "=" in line and line[0] != "#")
    assert keys.read(ROOT / ".env.example") == {}


def test_git_ignores_the_file_and_keeps_the_example() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert ".env" in ignored and not any(line.startswith(".env.") or line in (".env*", "*.example") for line in ignored)
