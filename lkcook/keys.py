"""The reader's keys: `.env` in the cookbook's folder, which git ignores. What is set already stays as it is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from dotenv.parser import parse_stream

from lkcook.errors import CookError

FILE = Path(__file__).resolve().parents[1] / ".env"

_KEYLESS = "OLLAMA_BASE_URL"  # of a provider that has no key
_AMAZONS = (  # where botocore looks beside files
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_AMAZONS_FILES = {"AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials", "AWS_CONFIG_FILE": "~/.aws/config"}
_OPENS = re.compile(r"^\s*(?:aws_access_key_id|sso_\w+|role_arn|credential_\w+|login_session)\s*=", re.MULTILINE)

_ours: dict[str, str] = {}  # what the file gave: a line that has changed since may replace that


def held(variables: Iterable[str], replaced: Mapping[str, str | None]) -> dict[str, str]:
    """Of `variables` those that hold a key of the reader's, by provider: {"OPENAI": "OPENAI_API_KEY"}.

    Ollama has none, and its address counts: {"OLLAMA": "OLLAMA_BASE_URL"}. Amazon's clients also find theirs elsewhere,
    in a file for example: {"AWS": "~/.aws/credentials"}.
    replaced: what the environment had before somebody else set it. LiveKit's own keys choose the backend.
    """
    own = {name for name, value in {**os.environ, **replaced}.items() if value and not is_gateways(value)}
    names = [name for name in variables if name.endswith("_API_KEY") and not name.startswith("LIVEKIT_")]
    found = {name.partition("_")[0]: name for name in (*names, _KEYLESS) if name in own}
    amazons = next((name for name in _AMAZONS if name in own), None) or _amazons_file()
    return {**found, "AWS": amazons} if amazons else found


def _amazons_file() -> str:
    """The one that has credentials, or says where to get them; "" when none does: many have but a region."""
    for variable, usual in _AMAZONS_FILES.items():
        file = Path(os.environ.get(variable) or usual).expanduser()
        if file.is_file() and _OPENS.search(file.read_text(encoding="utf-8", errors="replace")):
            return usual
    return ""


def is_gateways(value: str) -> bool:
    """True for what stands in for a key, or an address with a key in it, while the embedded gateway is in force."""
    return re.match(r"(sk-|\w+://\w+:)?lkcook-", value) is not None


def load(file: Path | None = None) -> list[str]:
    """Put the variables of `file` (FILE if none is named) into the environment; returns the names of those that it gave.

    A line is NAME=value, the value in quotes or bare; ` #` begins a comment, and a name without a value counts as
    absent. Raises CookError that names the line, and nothing of it, when it cannot be read.
    """
    values = read(file or FILE)
    for name in _ours.keys() - values.keys():  # its line is gone
        if os.environ.get(name) == _ours.pop(name):
            del os.environ[name]
    for name, value in values.items():
        if not os.environ.get(name) or os.environ[name] == _ours.get(name):
            os.environ[name] = _ours[name] = value
    return [name for name in values if os.environ[name] == _ours.get(name)]


def read(file: Path) -> dict[str, str]:
    """The variables that `file` gives a value; {} when there is no such file. Raises CookError as `load` does."""
    try:
        with file.open(encoding="utf-8-sig", errors="replace") as stream:
            lines = list(parse_stream(stream))
    except FileNotFoundError:
        return {}
    for line in lines:
        if line.error or (line.key and (line.value is None or not line.key.isidentifier())):
            what = f"Line {line.original.line} of {file} cannot be read"
            raise CookError(what, "write NAME=value, the value in quotes if need be")
    return {line.key: line.value for line in lines if line.key and line.value}
