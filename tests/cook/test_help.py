"""What cook.py says before it does anything: help, and that a Python is too old."""

from __future__ import annotations

import ast
import sys
import tomllib
from types import ModuleType

import pytest

from tests.cook.conftest import ROOT

SOURCE = (ROOT / "cook.py").read_text()


@pytest.mark.parametrize(
    "arguments, code", [(["--help"], 0), (["-h"], 0), (["help"], 0), ([], 2), (["dance"], 2), (["--lab"], 2)]
)
def test_help_is_a_success_only_when_it_was_asked_for(
    cook: ModuleType, capfd: pytest.CaptureFixture[str], arguments: list[str], code: int
) -> None:
    assert cook.main(arguments) == code
    out, err = capfd.readouterr()
    assert out == "" and all(f"python cook.py {name}" in err for name in ("lab", "talk", "doctor", "gateway", "test"))


def test_a_python_that_is_too_old_gets_a_clear_sentence(
    cook: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 6, 15, "final", 0))
    assert cook.main(["lab"]) == 1
    assert "needs Python 3.11 or newer, and this is Python 3.6.15" in capsys.readouterr().err


def test_an_old_python_can_read_the_file_to_the_end() -> None:
    tree = ast.parse(SOURCE, feature_version=(3, 6))
    signatures = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert all(isinstance(node.returns, (ast.Name, ast.Constant, type(None))) for node in signatures)
    arguments = [node.annotation for node in ast.walk(tree) if isinstance(node, ast.arg)]
    assert all(isinstance(annotation, (ast.Name, ast.Constant, type(None))) for annotation in arguments)


def test_the_oldest_python_is_the_one_pyproject_names(cook: ModuleType) -> None:
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert needed == ">=" + ".".join(map(str, cook.NEEDED))
