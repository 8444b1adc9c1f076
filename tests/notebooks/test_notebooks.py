"""Every notebook is fit to be read: short cells, saved outputs, public names, and nothing that belongs to one machine."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

import lkcook

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LONGEST_CELL = 25  # lines
PRIVATE = re.compile(r"/(?:home|root|Users|work|tmp)/|C:\\\\Users")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def cells(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return json.loads(request.param.read_text())["cells"]


def code(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [cell for cell in cells if cell["cell_type"] == "code"]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def test_no_cell_is_longer_than_a_reader_can_follow(cells: list[dict[str, Any]]) -> None:
    lengths = [len(source(cell).splitlines()) for cell in code(cells)]
    assert max(lengths) <= LONGEST_CELL and sorted(lengths)[len(lengths) // 2] <= 12


def test_an_agent_is_heard_within_the_first_three_cells(cells: list[dict[str, Any]]) -> None:
    shown = json.dumps([cell["outputs"] for cell in code(cells)[:3]])
    assert "<audio controls" in shown


def test_outputs_are_saved_in_order_and_none_is_an_error(cells: list[dict[str, Any]]) -> None:
    assert [cell["execution_count"] for cell in code(cells)] == list(range(1, len(code(cells)) + 1))
    kinds = [output["output_type"] for cell in code(cells) for output in cell["outputs"]]
    assert kinds and "error" not in kinds


def test_nbval_runs_every_cell_and_compares_what_does_not_change(cells: list[dict[str, Any]]) -> None:
    tags = {tag for cell in code(cells) for tag in cell["metadata"].get("tags", ())}
    assert tags <= {"nbval-ignore-output", "recipe"}  # lkcook.Picker rewrites the recipe
    compared = [cell for cell in code(cells) if cell["outputs"] and not cell["metadata"].get("tags")]
    assert len(compared) >= 3


def test_only_public_names_of_lkcook_are_used(cells: list[dict[str, Any]]) -> None:
    for cell in code(cells):
        for node in ast.walk(compile(source(cell), "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "lkcook":
                assert node.attr in lkcook.__all__
            if isinstance(node, ast.ImportFrom | ast.Import):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
                assert not any(name.startswith("lkcook.") for name in names)


def test_nothing_of_the_machine_that_ran_it_is_in_it(cells: list[dict[str, Any]]) -> None:
    text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", json.dumps(cells))
    assert not PRIVATE.search(text), PRIVATE.search(text)
