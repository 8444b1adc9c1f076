"""Where lkcook keeps things: the reader may say where, and the folder with the gateway's secret is private."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from lkcook import paths
from lkcook.errors import CookError


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


def test_the_reader_names_the_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKCOOK_CACHE", str(tmp_path / "a" / "b"))
    assert paths.cache_dir() == tmp_path / "a" / "b" and paths.cache_dir().is_dir()


def test_without_a_name_it_is_the_users_own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LKCOOK_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # Linux
    monkeypatch.setenv("HOME", str(tmp_path))  # macOS
    assert paths.cache_dir().is_relative_to(tmp_path) and paths.cache_dir().name == "lkcook"


def test_a_new_runtime_folder_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKCOOK_RUNTIME", str(tmp_path / "a" / "run"))
    assert paths.runtime_dir() == tmp_path / "a" / "run" and mode(paths.runtime_dir()) == 0o700


def test_one_that_others_could_read_becomes_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(0o755)
    monkeypatch.setenv("LKCOOK_RUNTIME", str(tmp_path / "run"))
    assert mode(paths.runtime_dir()) == 0o700


def test_one_of_another_owner_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKCOOK_RUNTIME", str(tmp_path))
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(CookError) as refused:
        paths.runtime_dir()
    assert "another user" in refused.value.what and "LKCOOK_RUNTIME" in refused.value.remedy


@pytest.mark.parametrize("target", ["folder", "file", "nothing"])
def test_a_link_is_refused_wherever_it_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / target)
    monkeypatch.setenv("LKCOOK_RUNTIME", str(tmp_path / "link"))
    with pytest.raises(CookError) as refused:
        paths.runtime_dir()
    assert "link" in refused.value.what and "LKCOOK_RUNTIME" in refused.value.remedy
    assert not (tmp_path / "nothing").exists()
