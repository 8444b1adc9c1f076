"""One real gateway, with the real models, for all tests that only talk to it; and no test is skipped unseen."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from lkcook import backend, keys
from lkcook.gateway import process
from lkcook.gateway.address import Address


def pytest_configure(config: pytest.Config) -> None:
    """A runtime folder for this run, so that no test meets the user's own gateway; xdist's workers inherit it."""
    if not hasattr(config, "workerinput"):
        os.environ["LKCOOK_RUNTIME"] = tempfile.mkdtemp(prefix="lkcook-tests-")
        os.environ["LKCOOK_IDLE"] = "900"  # a worker may be busy elsewhere for long; it is stopped at the end


def pytest_unconfigure(config: pytest.Config) -> None:
    """The gateway and its folder go with the run."""
    if not hasattr(config, "workerinput"):
        process.stop()
        shutil.rmtree(os.environ.pop("LKCOOK_RUNTIME"))


@pytest.fixture(autouse=True)
def without_amazons_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have an account there; lkcook.setup() would leave it alone."""
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, os.devnull)


@pytest.fixture(scope="session")
def address() -> Address:
    """Shared by the workers of one run, like the kernels of one user share theirs."""
    found = process.ensure()
    _wait_until_loaded(found)
    return found


def _wait_until_loaded(address: Address) -> None:
    deadline = time.monotonic() + 120
    while (status := address.status()) is None or "loading" in status["models"].values():  # type: ignore[attr-defined]
        assert time.monotonic() < deadline, status  # on a busy machine it does not answer at all while it loads
        time.sleep(0.1)
    assert set(status["models"].values()) == {"ready"}, status  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def no_keys_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a call sets aside of the environment of its test is forgotten with the test."""
    monkeypatch.setattr(backend, "_readers_own", {})
    monkeypatch.setattr(backend, "_told", None)
    monkeypatch.setattr(keys, "FILE", Path(os.devnull))  # not the keys of whoever runs the tests
    monkeypatch.setattr(keys, "_ours", {})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _seen((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _seen((yield))


def _seen(report: Any) -> Any:
    """In CI a skipped test, or file, is a failed one: a missing install step must not hide behind it."""
    if report.skipped and os.environ.get("CI"):
        report.outcome, report.longrepr = "failed", f"skipped, which CI does not allow: {report.longrepr}"
    return report
