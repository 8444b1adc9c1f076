"""Does a recipe construct? Tried with made-up keys, so that it is known before one has an account."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lkcook.providers.recipes import Recipe

# What Google's library takes for credentials without looking at a key; it asks nobody before the first request.
_CREDENTIALS = {"type": "authorized_user", "client_id": "made-up", "client_secret": "made-up", "refresh_token": "-"}


@dataclass(frozen=True, repr=False)
class Construction:
    """What came of it, in one line. failed: {"stt": why} for the parts that do not construct here."""

    title: str
    built: tuple[str, ...]
    failed: dict[str, str]
    missing: tuple[str, ...]

    def __repr__(self) -> str:
        kinds = listed([part.upper() for part in self.built])
        built = [f"{kinds} construct{'s' if len(self.built) == 1 else ''}"] if self.built else []
        failed = [f"{part.upper()} does not: {why}" for part, why in self.failed.items()]
        to_run = f"to run it, set {listed(self.missing)} in .env" if self.missing else "no variable is missing"
        return f"{self.title}: {'; '.join([*built, *failed, to_run])}"


def listed(names: Sequence[str]) -> str:
    """ "A, B and C" """
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def construct(title: str, recipe: Recipe, missing: tuple[str, ...]) -> Construction:
    """Import the plugin and construct the recipe's models, with made-up values for the variables in `missing`."""
    built, failed = [], {}
    with _made_up(missing):
        for part in recipe.parts:
            try:
                build(recipe, part)
                built.append(part)
            except Exception as error:  # whatever a plugin raises is the answer
                failed[part] = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return Construction(title, tuple(built), failed, missing)


def build(recipe: Recipe, part: str) -> Any:
    """The model of one part ("llm", "stt" or "tts"), by the recipe's own code; raises what that raises."""
    names: dict[str, Any] = {}
    exec(recipe.imports, names)
    return eval(recipe.parts[part], names)


@contextlib.contextmanager
def _made_up(variables: Iterable[str]) -> Iterator[None]:
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        credentials = Path(folder) / "credentials.json"
        credentials.write_text(json.dumps(_CREDENTIALS))
        os.environ |= {name: _value(name, credentials) for name in variables}
        os.environ["NO_GCE_CHECK"] = "true"  # Google's library would look for one of its machines on the network
        try:
            yield
        finally:
            for name in (*variables, "NO_GCE_CHECK"):
                os.environ.pop(name)
                if name in before:
                    os.environ[name] = before[name]


def _value(name: str, credentials: Path) -> str:
    if name.endswith("_CREDENTIALS"):
        return str(credentials)
    return "https://lkcook.invalid" if name.endswith("_ENDPOINT") else "made-up"
