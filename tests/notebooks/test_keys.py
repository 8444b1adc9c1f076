"""No key of anybody is published: not in a notebook, its outputs, a recording's metadata, nor any other tracked file."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lkcook import keys
from tests.notebooks.keys_in_text import SHAPES, found, own_keys

ROOT = Path(__file__).parents[2]
LETTERS = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0"
# Put together here, so that this file itself holds none.
PLANTED = {
    "Anthropic, OpenAI": "sk-" + "ant-api03-" + LETTERS,
    "Cerebras": "csk-" + LETTERS.lower(),
    "ElevenLabs": "sk_" + "0123456789abcdef" * 3,
    "Groq": "gsk_" + LETTERS,
    "Google": "AIza" + LETTERS[:35],
    "AWS": "AKIA" + "ABCDEFGHIJKLMNOP",
    "xAI": "xai-" + LETTERS,
    "Fireworks": "fw_" + LETTERS[:24],
    "LiveKit": "API" + "wCDDh9T2xkDx",
    "a JSON web token": ".".join(("eyJ" + "hbGciOiJIUzI1NiJ9", "eyJ" + "pc3MiOiJBUEkifQ", LETTERS)),
    "a private key": "-----BEGIN PRIVATE" + " KEY-----\nMIIE",
}
OWN = {"MY_PROVIDER_API_KEY": "0123-nobody-knows-this-shape"}


def tracked() -> Iterator[Path]:
    """The files that git tracks or would add; where there is no git, all but those with a leading dot."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        listed = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")]
        listed = [name for name in listed if not any(part.startswith(".") for part in Path(name).parts)]
    yield from (ROOT / name for name in listed if name and (ROOT / name).is_file())


def test_no_tracked_file_holds_a_key() -> None:
    own = own_keys(keys.read(ROOT / ".env"))
    guilty = {str(path.relative_to(ROOT)): whose for path in tracked() if (whose := found(path.read_bytes(), own))}
    assert not guilty


def test_every_notebook_and_recording_is_among_the_files_that_are_searched() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in tracked()}
    for pattern in ("notebooks/*.ipynb", "lkcook/**/*.flac", "tests/data/**/*.wav"):
        there = {path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern)}
        assert there and there <= names
    assert ".env" not in names


def test_there_is_a_planted_key_of_every_shape() -> None:
    assert set(PLANTED) == set(SHAPES)


@pytest.mark.parametrize("whose", PLANTED)
@pytest.mark.parametrize("written", ["{}", "KEY={}\n", 'api_key="{}"', "Bearer {} was refused", "'{}',"])
def test_a_planted_key_is_found_by_its_shape(whose: str, written: str) -> None:
    assert whose in found(written.format(PLANTED[whose]).encode(), {})


@pytest.mark.parametrize("whose", PLANTED)
def test_a_planted_key_is_found_in_a_cell_its_output_and_a_recordings_metadata(whose: str) -> None:
    key = PLANTED[whose]
    sound = base64.b64encode(b"fLaC" + b"\0" * 300 + f"COMMENT={key}".encode() + b"\0" * 300).decode()
    for cell in (
        {"source": [f"llm = LLM(api_key='{key}')"]},
        {"outputs": [{"text": [f"401: {key}\n"]}]},
        {"outputs": [{"data": {"text/html": [f'<audio src="data:audio/flac;base64,{sound}">']}}]},
    ):
        assert whose in found(json.dumps({"cells": [cell]}).encode(), {})


def test_a_key_of_ones_own_is_found_whatever_its_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in OWN.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MY_OTHER_KEY", "1")
    own = own_keys({"DEEPGRAM_API_KEY": "0123456789abcdef"})
    assert OWN.items() <= own.items() and "MY_OTHER_KEY" not in own
    assert found(b"x = '0123-nobody-knows-this-shape'", own) == ["the value of MY_PROVIDER_API_KEY"]
    assert found(b"0123456789abcdef", own) == ["the value of DEEPGRAM_API_KEY"]


@pytest.mark.parametrize(
    "text", ["task-force-with-a-long-name-indeed", "APIConnectionError(1)", "sk-…", "an eyJ", "APIStatus40"]
)
def test_what_only_resembles_a_key_is_none(text: str) -> None:
    assert found(text.encode(), {}) == []


def test_sound_in_base64_is_no_key() -> None:
    noise = base64.b64encode(bytes(range(256)) * 2000).decode()
    assert found(f"{noise[:5000]}AIza{noise[5000:]}".encode(), {}) == []
