"""conda's way in installs what cook.py's does, and every dependency is pinned and says what it is for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PYPROJECT = (ROOT / "pyproject.toml").read_text()
PROJECT = tomllib.loads(PYPROJECT)["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
EXTRAS = PROJECT["optional-dependencies"]
DEPENDENCIES = [*PROJECT["dependencies"], *(pin for pins in EXTRAS.values() for pin in pins)]


def test_conda_gets_the_same_pins_and_this_project() -> None:
    (pip,) = [entry["pip"] for entry in CONDA if isinstance(entry, dict)]
    assert sorted(pip) == sorted([*DEPENDENCIES, "--editable ."])


def test_conda_gets_a_python_that_is_new_enough() -> None:
    assert f"python{PROJECT['requires-python']}" in CONDA


def test_conda_gets_what_pip_cannot_bring() -> None:
    assert {entry for entry in CONDA if isinstance(entry, str)} >= {"pip", "portaudio"}


@pytest.mark.parametrize("dependency", DEPENDENCIES)
def test_a_dependency_is_pinned_and_says_what_it_is_for(dependency: str) -> None:
    assert re.fullmatch(r"[\w.-]+(\[[\w,-]+\])?==\d+(\.\d+)*(\.post\d+)?(; .+)?", dependency)
    assert re.search(rf'^ +"{re.escape(dependency)}", +# \S.{{4,}}$', PYPROJECT, re.MULTILINE)


def test_no_dependency_is_named_twice() -> None:
    names = [re.split(r"[\[=]", dependency)[0].lower() for dependency in DEPENDENCIES]
    assert len(names) == len(set(names))
