"""A plugin of pytest for tests/run.py: what failed and why tests were skipped, in the file that LKCOOK_TOLD names."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """{"failed": ids of tests, files that could not be read among them; "skipped": reasons}. A crash is a failure."""
    failed = [report.nodeid for outcome in ("failed", "error") for report in terminalreporter.getreports(outcome)]
    reasons = [str(report.longrepr[2]) for report in terminalreporter.getreports("skipped")]
    skipped = [reason.removeprefix("Skipped: ").replace("\n", " ") for reason in reasons]
    Path(os.environ["LKCOOK_TOLD"]).write_text(json.dumps({"failed": failed, "skipped": skipped}))
