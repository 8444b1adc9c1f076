"""The README's index: every notebook has a row that says what it is about, what is heard, how long and how hard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
COLUMNS = ["notebook", "topic", "you hear", "time", "difficulty"]
DIFFICULTIES = {"beginner", "intermediate", "advanced"}
LINK = re.compile(r"\[(\d\d) [^\]]+\]\(notebooks/((\d\d)_\w+\.ipynb)\)")


def problems(readme: str, notebooks: list[str]) -> list[str]:
    """What is wrong with the table under "What is in it", in words; [] when nothing is."""
    section = readme.partition("## What is in it\n")[2].partition("\n## ")[0]
    lines = [_cells(line) for line in section.splitlines() if line.startswith("|")]
    if not lines or lines[0] != COLUMNS:
        return [f"the columns are not {COLUMNS}"]
    links = [LINK.fullmatch(row[0]) for row in lines[2:]]
    named = [link[2] for link in links if link]
    told = [f"no link to a notebook: {row[0]}" for row, link in zip(lines[2:], links) if not link or link[1] != link[3]]
    told += [f"not filled: {row[0]}" for row in lines[2:] if len(row) != len(COLUMNS) or not all(row)]
    told += [f"no time or difficulty: {row[0]}" for row in lines[2:] if not _measured(row)]
    told += [f"no row: {name}" for name in notebooks if name not in named]
    told += [f"no file: {name}" for name in named if name not in notebooks]
    return told + ([] if named == sorted(set(named)) else ["not in order"])


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _measured(row: list[str]) -> bool:
    _, _, _, time, difficulty = (row + [""] * len(COLUMNS))[: len(COLUMNS)]
    return bool(re.fullmatch(r"\d+ min", time)) and difficulty in DIFFICULTIES


def table(*rows: str) -> str:
    head = ["## What is in it", "", f"| {' | '.join(COLUMNS)} |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows, "", "## Next", ""])


ONE = "| [00 Start](notebooks/00_start.ipynb) | agents | a call | 15 min | beginner |"
TWO = "| [01 More](notebooks/01_more.ipynb) | more | another | 5 min | advanced |"
NAMES = ["00_start.ipynb", "01_more.ipynb"]


def test_the_index_is_complete() -> None:
    assert NOTEBOOKS and problems(README, NOTEBOOKS) == []


def test_a_complete_table_has_no_problem() -> None:
    assert problems(table(ONE, TWO), NAMES) == []


@pytest.mark.parametrize(
    ("readme", "problem"),
    [
        (table(ONE), "no row: 01_more.ipynb"),
        (table(ONE, TWO, TWO.replace("01", "02")), "no file: 02_more.ipynb"),
        (table(ONE, TWO.replace("another", " ")), "not filled"),
        (table(ONE, TWO.replace(" advanced |", "")), "not filled"),
        (table(ONE, TWO.replace("5 min", "short")), "no time or difficulty"),
        (table(ONE, TWO.replace("advanced", "very")), "no time or difficulty"),
        (table(ONE, TWO.replace("[01", "[02")), "no link"),
        (table(TWO, ONE), "not in order"),
        (table(ONE, TWO, TWO), "not in order"),
        (table(ONE, TWO).replace("difficulty", "level"), "columns"),
        ("", "columns"),
    ],
)
def test_what_is_missing_in_a_table_is_found(readme: str, problem: str) -> None:
    assert any(problem in told for told in problems(readme, NAMES))
