"""Is this file the one it should be? Answered by its SHA-256, remembered in a stamp beside it.

The stamp holds size, time of change and hash: while size and time agree a gigabyte need not be hashed again;
when they do not, it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path

from lkcook.engines.weights_catalogue import WeightFile
from lkcook.errors import WeightsError


def sha256(path: Path) -> str:
    """The file's SHA-256, in hex."""
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def is_verified(path: Path, file: WeightFile) -> bool:
    """False when nothing is at `path`. Raises WeightsError when what is there is not `file`."""
    if not path.exists():
        return False
    if _read_stamp(path) == _true_stamp(path, file):
        return True
    found = sha256(path)
    if found != file.sha256:
        raise WeightsError(
            f"{path} is damaged: its SHA-256 begins {found[:12]}, expected {file.sha256[:12]}.",
            "Delete it, or run `python cook.py lab` again, which replaces it.",
        )
    write_stamp(path, file)
    return True


def write_stamp(path: Path, file: WeightFile) -> None:
    """Remember that `path` was compared with `file` and is the same."""
    stamp = _stamp_path(path)
    new = stamp.with_name(f"{stamp.name}.{os.getpid()}-{threading.get_ident()}")  # others may stamp it just now
    new.write_text(json.dumps(_true_stamp(path, file)))
    os.replace(new, stamp)


def _stamp_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.verified")


def _true_stamp(path: Path, file: WeightFile) -> dict[str, int | str]:
    status = path.stat()
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": file.sha256}


def _read_stamp(path: Path) -> object:
    stamp = _stamp_path(path)
    try:
        return json.loads(stamp.read_text()) if stamp.exists() else None
    except ValueError:
        return None  # a stamp cut short proves nothing: the file is hashed again
