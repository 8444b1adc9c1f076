"""What `python cook.py test` does once everything is installed: each room and each notebook, or what is chosen.

Most of it is sound in real time, on a machine of which nobody knows what else it does. Of a whole run a few tests that
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
FEW = 3  # failures of one run that may be chance


@dataclass(frozen=True)
class Run:
    """One call of pytest: `where` it looks, with what `options`, and whether two files are tested at a time."""

    name: str
    where: tuple[str, ...]
    options: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


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
    with tempfile.TemporaryDirectory() as folder:
        skipped = Path(folder) / "skipped"
        if chosen:
            verdicts = {"chosen": "FAILED" if pytest(chosen, skipped) else "passed"}
        else:
            verdicts = {run.name: verdict(run, Path(folder) / run.name, skipped) for run in runs()}
        reasons = skipped.read_text().splitlines() if skipped.exists() else []
    for name, said in verdicts.items():
        say(f"{said}  {name}")
    for reason in sorted(set(reasons)):
        say(f"NOT RUN {reasons.count(reason)} test(s): {reason}")
    return 1 if "FAILED" in verdicts.values() else 0


def verdict(run: Run, cache: Path, skipped: Path) -> str:
    """ "passed", "FAILED", or "UNSTEADY" with the names of those that passed only when they were tried again, alone."""
    code = pytest([*run.where, *run.options, *run.beside, "-o", f"cache_dir={cache}"], skipped)
    if code == 0:
        return "passed"
    failed = last_failed(cache)
    if code != 1 or not 0 < len(failed) <= FEW:  # pytest's 1: it went through, and tests failed
        return "FAILED"
    say(f"Once more, alone: {', '.join(failed)}")
    if pytest([*failed, *run.options, "-o", f"cache_dir={cache}"], Path(os.devnull)):
        return "FAILED"
    return f"UNSTEADY ({', '.join(failed)})"


def last_failed(cache: Path) -> list[str]:
    """What pytest noted there as failed: tests, and whole notebooks, whose cells need those before them."""
    noted = cache / "v" / "cache" / "lastfailed"
    names = json.loads(noted.read_text()) if noted.exists() else {}
    return sorted({file if (file := name.partition("::")[0]).endswith(".ipynb") else name for name in names})


def pytest(arguments: list[str], skipped: Path) -> int:
    """conftest.py adds why tests were skipped to the file `skipped`, a line for each; in CI they count as failed."""
    variables = dict(os.environ, LKCOOK_IDLE="60", LKCOOK_SKIPPED=str(skipped))  # the notebooks' gateway goes soon
    return subprocess.call([sys.executable, "-m", "pytest", "-rs", *arguments], cwd=ROOT, env=variables)


def say(text: str) -> None:
    """Speak on stderr: stdout is pytest's."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)  # what shells report for Ctrl-C
