"""What is in the cache is used only when it is what it should be; and which language model the reader chose."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from lkcook.engines import weights
from lkcook.engines.weights_catalogue import WEIGHTS
from lkcook.errors import WeightsError
from tests.engines.made_up_weights import CONFIG, FOLDER, MODEL, Hub


@pytest.fixture
def model(hub: Hub) -> Path:
    """One file of a weight that was fetched before."""
    return weights.fetch("made-up") / "model.bin"


def change(path: Path, data: bytes) -> None:
    """As a disk fault or another program would, not noticed before."""
    path.write_bytes(data)
    os.utime(path, ns=(0, 0))


def change_unseen(path: Path, data: bytes) -> None:
    """The same size and the same time, so that only the bytes tell."""
    times = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def stamp(path: Path) -> Path:
    return next(path.parent.glob(f"{path.name}.*"))


@pytest.mark.parametrize("data", [MODEL[:-1], MODEL[::-1], b""], ids=["truncated", "changed", "emptied"])
def test_a_damaged_file_is_refused_by_name_until_it_is_repaired(hub: Hub, model: Path, data: bytes) -> None:
    change(model, data)
    for look in (weights.locate, weights.fetch):
        with pytest.raises(WeightsError) as refused:
            look("made-up")
        assert str(model) in refused.value.what and FOLDER.files[0].sha256[:12] in refused.value.what
        assert "python cook.py lab" in refused.value.remedy

    hub.asked.clear()
    assert weights.fetch("made-up", repair=True) == model.parent == weights.locate("made-up")
    assert model.read_bytes() == MODEL and hub.asked == [("model.bin", 0)]


def test_repairing_what_is_whole_downloads_nothing(hub: Hub, model: Path) -> None:
    hub.asked.clear()
    assert weights.fetch("made-up", repair=True) == model.parent and hub.asked == []


def test_a_file_that_has_gone_is_brought_again(hub: Hub, model: Path) -> None:
    (model.parent / "config.json").unlink()
    hub.asked.clear()
    assert weights.locate("made-up") is None
    assert (weights.fetch("made-up") / "config.json").read_bytes() == CONFIG
    assert hub.asked == [("config.json", 0)]


def test_a_file_that_was_copied_here_by_hand_is_taken_when_its_hash_is_right(cache: Path) -> None:
    folder = cache / "weights" / "made-up"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(MODEL)
    (folder / "config.json").write_bytes(CONFIG)
    assert weights.locate("made-up") == weights.fetch("made-up") == folder


@pytest.mark.parametrize("left", [b"", b'{"size": 25', b"\xff\xfe\x00"], ids=["empty", "half", "not text"])
def test_a_stamp_cut_short_proves_nothing_so_the_file_is_hashed(model: Path, left: bytes) -> None:
    stamp(model).write_bytes(left)
    assert weights.locate("made-up") == model.parent
    stamp(model).write_bytes(left)
    change_unseen(model, MODEL[::-1])
    with pytest.raises(WeightsError, match="damaged"):
        weights.locate("made-up")


def test_a_whole_stamp_spares_the_hashing(model: Path) -> None:
    change_unseen(model, MODEL[::-1])
    assert weights.locate("made-up") == model.parent  # the price of not hashing a gigabyte at every start


def test_too_little_disk_space_is_said_before_anything_is_downloaded(
    hub: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=len(MODEL)))
    with pytest.raises(WeightsError) as refused:
        weights.fetch("made-up")
    assert "GB" in refused.value.what and str(cache) in refused.value.what
    assert "LKCOOK_CACHE" in refused.value.remedy and hub.asked == []


def test_a_name_that_is_no_weight_is_answered_with_those_there_are(cache: Path) -> None:
    with pytest.raises(WeightsError) as refused:
        weights.fetch("made-down")
    assert "made-down" in refused.value.what and "made-up, made-up-config" in refused.value.remedy


def test_all_that_is_needed_is_fetched_under_a_progress_bar_and_the_second_time_in_silence(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(weights, "needed", lambda: ["made-up"])
    weights.fetch_all_with_progress()
    assert "Fetching Made-up model" in capsys.readouterr().out
    weights.fetch_all_with_progress()
    assert capsys.readouterr() == ("", "") and len(hub.asked) == 2


def test_a_damaged_file_is_replaced_under_a_progress_bar_only_when_repair_is_asked_for(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "needed", lambda: ["made-up"])
    change(model, b"")
    with pytest.raises(WeightsError, match="damaged"):
        weights.fetch_all_with_progress()
    weights.fetch_all_with_progress(repair=True)
    assert model.read_bytes() == MODEL


@pytest.mark.parametrize(
    "value, name",
    [(None, "qwen2.5-coder-1.5b"), ("", "qwen2.5-coder-1.5b"), ("small", "qwen2.5-coder-0.5b")],
    ids=["unset", "empty", "small"],
)
def test_the_language_model_is_the_usual_one_or_the_small_one(
    monkeypatch: pytest.MonkeyPatch, value: str | None, name: str
) -> None:
    monkeypatch.delenv("LKCOOK_LLM", raising=False)
    if value is not None:
        monkeypatch.setenv("LKCOOK_LLM", value)
    assert weights.language_model_choice() == name and name in WEIGHTS
    assert weights.needed() == ["whisper-base", "smart-turn-v3.2", "kokoro-82m", name]


@pytest.mark.parametrize("spelling", ["{folder}/Mine.GGUF", "~/Mine.GGUF", "Mine.GGUF"])
def test_a_language_model_of_the_readers_own_is_used_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    own = tmp_path / "Mine.GGUF"
    own.write_bytes(b"GGUF")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LKCOOK_LLM", spelling.format(folder=tmp_path))
    assert weights.language_model_path() == weights.language_model_choice() == own
    assert weights.needed() == ["whisper-base", "smart-turn-v3.2", "kokoro-82m"]


@pytest.mark.parametrize(
    "name, trouble",
    [("gone.gguf", "does not exist"), ("notes.txt", "is not a .gguf"), ("folder.gguf", "is not a .gguf")],
)
def test_a_language_model_that_cannot_be_one_is_refused_with_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, trouble: str
) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "folder.gguf").mkdir()
    monkeypatch.setenv("LKCOOK_LLM", str(tmp_path / name))
    with pytest.raises(WeightsError) as refused:
        weights.language_model_path()
    assert trouble in refused.value.what and str(tmp_path / name) in refused.value.what
    assert "small" in refused.value.remedy
