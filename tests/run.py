"""What `python cook.py test` does once everything is installed: each room and each notebook, or what is chosen.

Most of it is sound in real time, on a machine of which nobody knows what else it does. Of each run a few tests that
failed are therefore tried once more, alone: what passes then is named UNSTEADY in the last lines, what does not has
FAILED. More than a few are not chance, and what somebody has chosen is not tried again at all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
ALONE = ("tests/browser", "tests/devices", "tests/end_to_end")  # sound in real time: a neighbour would be heard
# these compare latencies and who was cut off, or have each provider's client with the deadline it sets: nothing may run
# beside them
TIMED = tuple(
    f"notebooks/{name}.ipynb" for name in ("07_latency", "04_turn_detection", "05_noise_cancellation", "06_plugins")
)
CELL_TIMEOUT = 600  # seconds; a cell may hold a whole conversation
NBVAL = ("--nbval", "--nbval-current-env", "--nbval-cell-timeout", str(CELL_TIMEOUT))
NBVAL += ("--nbval-sanitize-with", "tests/nbval_sanitize.cfg")
BOTH_CORES = ("-n", "2", "--dist", "loadfile")  # a file's tests stay together, since they share what they started


@dataclass(frozen=True)
class Run:
    """One call of pytest: `where` it looks, with what `options`, and whether it tests two files `beside` each other.

    few: how many failures may be chance and are tried once more, alone.
    """

    name: str
    where: tuple[str, ...]
    options: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    few: int = 3


@dataclass(frozen=True)
class Outcome:
    """pytest's exit code, the ids of what failed, and why tests were skipped; see tests/told.py."""

    code: int
    failed: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def runs() -> list[Run]:
    """Every room and every notebook, once."""
    return [
        Run("rooms", ("tests", *_ignoring(ALONE)), beside=BOTH_CORES),
        Run("sound", ALONE),
        Run("notebooks", ("notebooks", *_ignoring(TIMED)), NBVAL, BOTH_CORES),
        Run("timed", TIMED, NBVAL),
    ]


def _ignoring(paths: tuple[str, ...]) -> list[str]:
    return [f"--ignore={path}" for path in paths]


def main(chosen: list[str]) -> int:
    """Pass everything, or pytest's arguments in `chosen`. The exit code is 0 only when all of it passed."""
    verdicts: dict[str, str] = {}
    reasons: list[str] = []
    for run in [Run("chosen", tuple(chosen), few=0)] if chosen else runs():
        outcome = pytest(*run.where, *run.options, *run.beside)
        verdicts[run.name] = verdict(run, outcome)
        reasons += outcome.skipped
    for name, said in verdicts.items():
        say(f"{said}  {name}")
    for reason in sorted(set(reasons)):
        say(f"NOT RUN {reasons.count(reason)} test(s): {reason}")
    return 1 if "FAILED" in verdicts.values() else 0


def verdict(run: Run, outcome: Outcome) -> str:
    """One of "passed", "FAILED", and "UNSTEADY" with the ids of what passed only when tried again, alone."""
    if outcome.code == 0:
        return "passed"
    # a notebook's cells need those before them
    failed = sorted({file if (file := name.partition("::")[0]).endswith(".ipynb") else name for name in outcome.failed})
    if outcome.code != 1 or not 0 < len(failed) <= run.few:  # 1: pytest went through, and tests failed
        return "FAILED"
    say(f"Once more, alone: {', '.join(failed)}")
    return "FAILED" if pytest(*failed, *run.options).code else f"UNSTEADY ({', '.join(failed)})"


def pytest(*arguments: str) -> Outcome:
    """One run on this Python. conftest.py lets a skipped test count as failed in CI."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        variables = dict(os.environ, LKCOOK_IDLE="60", LKCOOK_TOLD=str(told))  # the notebooks' gateway goes soon
        command = [sys.executable, "-m", "pytest", "-p", "tests.told", "-rs", *arguments]
        code = subprocess.call(command, cwd=ROOT, env=variables)
        said = json.loads(told.read_text()) if told.exists() else {}  # pytest may not have come so far
    return Outcome(code, **{what: tuple(names) for what, names in said.items()})


def say(text: str) -> None:
    """Speak on stderr: stdout is pytest's."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)  # what shells report for Ctrl-C
