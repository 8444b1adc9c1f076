"""What works on this machine, what does not, and what to do about it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

from rich.console import Console
from rich.table import Table

from lkcook import backend, keys
from lkcook.audio import devices
from lkcook.engines import weights
from lkcook.errors import CookError, DeviceError
from lkcook.report.html import columns, table

State = Literal["ok", "note", "FAIL"]
_STYLES = {"ok": "green", "note": "yellow", "FAIL": "bold red"}
_PINNED = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^;\s]+)$")
_HEADERS = ("", "what", "found", "what to do")
_LAB = "python cook.py lab"
_GATEWAY = "python cook.py gateway --stop; the next lkcook.setup() starts another one"


@dataclass(frozen=True)
class Check:
    """One row. "note": something optional is missing; "FAIL": an offline call with a scripted caller cannot work."""

    what: str
    state: State
    found: str
    remedy: str = ""


class Report(list[Check]):
    """The checks in the order in which a call needs them; a table wherever it is shown."""

    @property
    def ok(self) -> bool:
        """True when an offline call can work."""
        return all(check.state != "FAIL" for check in self)

    def show(self) -> None:
        """Print the table in this terminal."""
        grid = Table(*_HEADERS, box=None, pad_edge=False)
        for state, what, found, remedy in self._rows():
            grid.add_row(f"[{_STYLES[state]}]{state}[/]", what, found, remedy)
        Console().print(grid)

    def _rows(self) -> list[tuple[str, str, str, str]]:
        return [(check.state, check.what, check.found, check.remedy) for check in self]

    def _repr_html_(self) -> str:
        return table("What works here", [(title, "") for title in _HEADERS], self._rows())

    def __repr__(self) -> str:
        return columns(_HEADERS, self._rows())


def doctor() -> Report:
    """Look at Python, packages, sound, weights, gateway and keys. Starts nothing, fetches nothing, shows no secret."""
    checks = (_python, _packages, _portaudio, _microphone, _speaker, *_weights(), _gateway, _cloud, _defaults)
    return Report(check() for check in checks)


def _python() -> Check:
    return Check("Python", "ok", ".".join(map(str, sys.version_info[:3])))


def _packages() -> Check:
    pinned = [found.groups() for line in metadata.requires("lkcook") or () if (found := _PINNED.match(line))]
    wrong = [f"{name} {_installed(name)} instead of {wanted}" for name, wanted in pinned if _installed(name) != wanted]
    if wrong:
        return Check("packages", "FAIL", "; ".join(wrong), _LAB)
    return Check("packages", "ok", f"{len(pinned)} as pinned, livekit-agents {_installed('livekit-agents')}")


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


def _portaudio() -> Check:
    return _device("PortAudio", lambda: devices.portaudio().get_portaudio_version()[1].split(",")[0])


def _microphone() -> Check:
    return _device("microphone", lambda: devices.input_device()["name"])


def _speaker() -> Check:
    return _device("speaker", lambda: devices.output_device()["name"])


def _device(what: str, find: Callable[[], str]) -> Check:
    try:
        return Check(what, "ok", find())
    except DeviceError as error:
        return Check(what, "note", error.what, error.remedy)


def _weights() -> list[Callable[[], Check]]:
    try:
        return [lambda name=name: _weight(name) for name in weights.needed()]
    except CookError as error:
        found = error  # LKCOOK_LLM names a file that is none
        return [lambda: Check("weights", "FAIL", found.what, found.remedy)]


def _weight(name: str) -> Check:
    weight = weights.WEIGHTS[name]
    try:
        here = weights.locate(name)
    except CookError as error:
        return Check(name, "FAIL", error.what, error.remedy)
    if here is None:
        return Check(name, "FAIL", "not fetched yet", f"{_LAB} brings its {weight.size / 1e6:,.0f} MB")
    return Check(name, "ok", f"{weight.title}, {weight.size / 1e6:,.0f} MB, verified")


def _gateway() -> Check:
    from lkcook.gateway import process

    address = process.running()
    status = address.status() if address else None
    if address is None or status is None:
        return Check("gateway", "ok", "not running; lkcook.setup() starts it")
    states = dict(status["models"])
    broken = [f"{kind} {state}" for kind, state in states.items() if state.startswith("failed")]
    if broken:
        return Check("gateway", "FAIL", "; ".join(broken), _GATEWAY)
    return Check("gateway", "ok", f"{address.url}, {', '.join(f'{kind} {state}' for kind, state in states.items())}")


def _cloud() -> Check:
    try:
        keys.load()
    except CookError as error:
        return Check("LiveKit Cloud", "FAIL", error.what, error.remedy)
    missing = backend.missing_cloud_keys()
    if not missing:
        return Check("LiveKit Cloud", "ok", "all three keys are set (not tried)")
    if len(missing) == len(backend.CLOUD):
        return Check("LiveKit Cloud", "note", "no keys: calls run on this machine", f"set {', '.join(missing)} in .env")
    remedy = "set all three in .env, or none to run offline"
    return Check("LiveKit Cloud", "note", f"{' and '.join(missing)} missing", remedy)


def _defaults() -> Check:
    flipped = [name for name in backend.FLIP_DEFAULTS if os.environ.get(name)]
    if not flipped:
        return Check("LiveKit's defaults", "ok", "as documented")
    names = " and ".join(flipped)
    return Check("LiveKit's defaults", "note", f"changed by {names}", f"unset {names} before you start JupyterLab")
