"""All noise cancellers side by side: those of this machine, and those of LiveKit Cloud."""

from __future__ import annotations

import ast
from dataclasses import astuple, dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from lkcook.noise.canceller import USUAL_RATE, added_delay
from lkcook.noise.catalogue import CORES, missing, options_of
from lkcook.noise.core import About, Core
from lkcook.report.html import columns, table

CAPTION = "Noise cancellers for noise_cancellation="
HEADERS = (
    ("name", "for lkcook.canceller(name), or the name in livekit.plugins.noise_cancellation"),
    ("what it is", "method, authors, year"),
    ("weights", "the package that carries them, and their size"),
    ("native Hz", "the sample rate it works at; sound is brought there and back"),
    ("delay ms", f"by which sound of {USUAL_RATE} Hz comes later; what the model needs, and its frames and resampling"),
    ("licence", "of the model and of the package"),
    ("options", "and their defaults"),
    ("here", "whether it works on this machine, and what to do if not"),
)
_CLOUD = "livekit-plugins-noise-cancellation"
_CLOUD_METHODS = {
    "NC": "removes noise; Krisp",
    "BVC": "removes noise and other voices; Krisp",
    "BVCTelephony": "removes noise and other voices from telephone lines; Krisp",
}
_WEIGHTS = (".onnx", ".gz", ".kef")  # file endings


@dataclass(frozen=True)
class CancellerRow:
    """What is known of one canceller; native_rate in Hz, delay in ms at 24 kHz; both None if only its makers know."""

    name: str
    method: str
    weights: str
    native_rate: int | None
    delay: float | None
    licence: str
    options: str
    here: str


class Cancellers:
    """`rows`, one CancellerRow each; a table in a notebook and in a terminal."""

    def __init__(self, rows: list[CancellerRow]) -> None:
        self.rows = rows

    def _cells(self) -> list[list[str]]:
        return [[_cell(value) for value in astuple(row)] for row in self.rows]

    def _repr_html_(self) -> str:
        return table(CAPTION, HEADERS, self._cells())

    def __repr__(self) -> str:
        return f"{CAPTION}\n{columns([title for title, _ in HEADERS], self._cells())}"


def cancellers() -> Cancellers:
    """Every canceller that `lkcook.canceller` makes, and LiveKit Cloud's: what it is, its delay, whether it is here."""
    return Cancellers([_row(name, core) for name, core in CORES.items()] + _cloud_rows())


def _row(name: str, core: type[Core]) -> CancellerRow:
    about, remedy = core.about, missing(core)
    return CancellerRow(
        name=name,
        method=about.method,
        weights=_carried(about),
        native_rate=core.rate,
        delay=1000 * added_delay(core, USUAL_RATE),
        licence=f"{about.licence}; package: {_licence(about.package)}",
        options=", ".join(f"{option}={default}" for option, default in options_of(core).items()),
        here=f"no. {remedy}" if remedy else "yes",
    )


def _cloud_rows() -> list[CancellerRow]:
    names, here = _cloud_names(), "only in a LiveKit Cloud room"
    weights, licence = (f"{_size(_CLOUD)} together", _licence(_CLOUD)) if names else ("", "")
    return [CancellerRow(name, _CLOUD_METHODS.get(name, ""), weights, None, None, licence, "", here) for name in names]


def _cloud_names() -> list[str]:
    """Read and not imported: on import the package loads a library into the process."""
    found = find_spec("livekit.plugins.noise_cancellation")
    tree = ast.parse(Path(found.origin).read_text(encoding="utf-8")) if found and found.origin else ast.Module([], [])
    lists = [node.value for node in tree.body if isinstance(node, ast.Assign) and _named(node, "__all__")]
    return [name for each in lists for name in ast.literal_eval(each)]


def _named(node: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)


def _carried(about: About) -> str:
    if about.module == "livekit.rtc":
        return f"none; {about.package} {metadata.version(about.package)}"
    return about.package if find_spec(about.module) is None else _size(about.package)


def _size(package: str) -> str:
    files = [file for file in metadata.files(package) or () if file.suffix in _WEIGHTS]
    return f"{package} {metadata.version(package)}, {sum(file.size or 0 for file in files) / 1e6:.1f} MB"


def _licence(package: str) -> str:
    """As the installed package states it; in old metadata its whole text, whose first line is its name."""
    try:
        stated = metadata.metadata(package)
    except metadata.PackageNotFoundError:
        return "not installed"
    return (stated.get("License-Expression") or stated.get("License") or "not stated").splitlines()[0]


def _cell(value: str | float | None) -> str:
    return "" if value is None else f"{value:.0f}" if isinstance(value, float) else str(value)
