"""Where lkcook keeps things: weights in the user's cache, the gateway's address in the user's runtime folder."""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path

import platformdirs

from lkcook.errors import CookError


def cache_dir() -> Path:
    """The folder for weights, created on first use: `LKCOOK_CACHE`, or the system's cache folder for this user."""
    folder = _named_by("LKCOOK_CACHE") or platformdirs.user_cache_path("lkcook", appauthor=False)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def runtime_dir() -> Path:
    """The folder for files of running processes, readable by this user alone: `LKCOOK_RUNTIME`, or the system's.

    Raises CookError when the folder may be somebody else's: it holds the gateway's secret.
    """
    folder = _named_by("LKCOOK_RUNTIME") or _usual_runtime_dir()
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid"):  # Windows keeps the user's folders private by itself
        _keep_private(folder)
    return folder


def _named_by(variable: str) -> Path | None:
    named = os.environ.get(variable)
    return Path(named).expanduser().absolute() if named else None


def _usual_runtime_dir() -> Path:
    with warnings.catch_warnings():
        # It warns that the shared temporary folder stands in for a missing one; _keep_private looks after that.
        warnings.simplefilter("ignore")
        return platformdirs.user_runtime_path("lkcook", appauthor=False)


def _keep_private(folder: Path) -> None:
    # In the shared temporary folder its name can be guessed, so somebody else may have made it first.
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        trouble = "belongs to another user" if status.st_uid != os.getuid() else "is a link or a file"
        raise CookError(f"The runtime folder {folder} {trouble}.", "Set LKCOOK_RUNTIME to a folder of your own.")
    if status.st_mode & 0o077:
        folder.chmod(0o700)
