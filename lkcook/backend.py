"""Which models answer: LiveKit Cloud's, or the ones on this machine. Environment variables alone decide."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from lkcook import keys, notebook
from lkcook.errors import BackendError

if TYPE_CHECKING:
    from lkcook.gateway.address import Address

CLOUD = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
FLIP_DEFAULTS = ("LIVEKIT_DEV_MODE", "LIVEKIT_REMOTE_EOT_URL")

Name = Literal["embedded", "cloud"]
_KINDS = {"stt": "speech to text", "llm": "the language model", "tts": "text to speech", "turns": "turn detection"}


@dataclass(frozen=True)
class Backend:
    """What is in force. `note` says what a reader might wonder about; it never holds a secret."""

    name: Name
    where: str
    note: str = ""

    def __repr__(self) -> str:
        return f"{self._head()}{self._tail()}"

    def _repr_html_(self) -> str:
        return f"<p>🎧 <b>{escape(self._head())}</b>{escape(self._tail())}</p>"

    def _head(self) -> str:
        return {"embedded": "Models on this machine", "cloud": "LiveKit Cloud"}[self.name]

    def _tail(self) -> str:
        return f" — {self.where}{'. ' + self.note if self.note else ''}"


_gateway: Address | None = None  # the one the environment points at
_told: tuple[int, list[str]] | None = None  # which gateway was last told to fail what
_readers_own: dict[str, str | None] = {}  # what we replaced, to be put back when the cloud is chosen
_in_force: Backend | None = None
_insisted = False  # on the models of this machine: then the reader's keys of other providers wait aside, too


def setup(backend: Name | None = None) -> Backend:
    """Choose the backend and set the environment that selects it; display the result as one line.

    Keys are taken from the environment and, where that has none, from `.env` in the cookbook's folder.
    backend: None takes the cloud when LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET are set, else the
    models on this machine; "cloud" or "embedded" insist. A provider whose key is yours (OPENAI_API_KEY; of AWS also a
    profile, or ~/.aws) is called with it, unless you insist on "embedded": then all your keys wait aside, and come back.
    Raises BackendError when the choice is impossible.
    """
    global _in_force, _insisted
    if backend not in (None, "embedded", "cloud"):
        raise BackendError(f"There is no backend {backend!r}", 'say "embedded", "cloud" or nothing')
    _give_back()
    given = keys.load()
    missing = missing_cloud_keys()
    if backend == "cloud" and missing:
        raise BackendError(
            f"LiveKit Cloud needs {' and '.join(missing)}",
            "write them into .env in the cookbook's folder (LiveKit Cloud → Settings → API keys), or run offline",
        )
    cloud, _insisted = backend == "cloud" or (backend is None and not missing), backend == "embedded"
    _in_force = _cloud() if cloud else _embedded(missing)
    _in_force = replace(_in_force, note=". ".join(filter(None, [_in_force.note, *_of_file(given)])))
    _watch_cells()
    return _in_force


def missing_cloud_keys() -> list[str]:
    """Those of CLOUD that the reader has not set; the embedded gateway's own do not count."""
    own = {**os.environ, **_readers_own}
    return [name for name in CLOUD if not own.get(name)]


def refresh() -> None:
    """Start the embedded gateway again if it went away, and renew the environment. No-op on the cloud."""
    if _in_force is not None and _in_force.name == "embedded":
        _point_at_gateway()


def requests(since: float) -> list[dict[str, Any]]:
    """What this process sent to the embedded gateway since `since` (time.time()); nothing is known on the cloud."""
    gateway = embedded_gateway()
    answer = (gateway and gateway.ask("GET", f"/requests?since={since}")) or {}
    return answer.get("requests", [])  # type: ignore[return-value]


def loading() -> list[str]:
    """The kinds of model that the embedded gateway is still loading, in words; [] when all are ready, or on the cloud."""
    gateway = embedded_gateway()
    models = ((gateway and gateway.status()) or {}).get("models", {})
    return [_KINDS.get(kind, kind) for kind, state in models.items() if state == "loading"]  # type: ignore[union-attr]


def fail(models: Sequence[str], status: int = 503) -> None:
    """Let the embedded gateway refuse `models` to this process from now on. Raises BackendError on the cloud."""
    gateway = embedded_gateway()
    if gateway is None:
        raise BackendError(
            "Only the embedded gateway can be told to fail a model", "run lkcook.setup('embedded') first"
        )
    if gateway.ask("PUT", "/failing", {"models": list(models), "status": status}) is None:
        raise BackendError(
            f"The embedded gateway could not be told to fail {', '.join(models)} with status {status}",
            "use a status of 429, 500 or 503, and run lkcook.setup() if the gateway is gone",
        )


def fails_by_environment() -> list[str]:
    """The models LKCOOK_FAIL names, separated by commas or spaces."""
    return os.environ.get("LKCOOK_FAIL", "").replace(",", " ").split()


def embedded_gateway() -> Address | None:
    """The gateway that is in force; None on the cloud, and before setup()."""
    return _gateway if _in_force is not None and _in_force.name == "embedded" else None


def _cloud() -> Backend:
    return Backend("cloud", os.environ["LIVEKIT_URL"], _flipped())


def _of_file(given: list[str]) -> list[str]:
    """What became of the variables that `.env` gave."""
    told = {
        "From .env": [name for name in given if name not in _readers_own],
        "Kept aside, from .env": [name for name in given if name in _readers_own],
    }
    return [f"{what}: {', '.join(names)}" for what, names in told.items() if names]


def _embedded(missing: list[str]) -> Backend:
    from lkcook.engines import weights

    weights.fetch_all_with_progress()
    address = _point_at_gateway()
    notes = ["No key, no account; nothing leaves it"]
    if own := _readers_keys():
        whose = f"With {' and '.join(own.values())}, which is yours, its provider is called"
        notes = [f"{whose}; lkcook.setup('embedded') keeps that here"]
    if len(missing) in (1, 2):
        notes.append(f"for LiveKit Cloud {' and '.join(missing)} would be missing")
    elif not missing:
        notes.append("your LiveKit Cloud keys are kept aside; lkcook.setup() takes them again")
    return Backend("embedded", address, ". ".join(filter(None, [*notes, _flipped()])))


def _point_at_gateway() -> str:
    global _gateway
    from lkcook.gateway import process, variables

    _gateway = address = process.ensure()
    own = _readers_keys()  # OPENAI: its address is left alone as well
    for name, value in variables.environment(address).items():
        if name.partition("_")[0] in own:
            continue
        _readers_own.setdefault(name, os.environ.get(name))
        os.environ[name] = value
    _pass_on_failures(address)
    return address.url


def _readers_keys() -> dict[str, str]:
    """Those that are in force beside the embedded gateway, by provider."""
    from lkcook.gateway import variables

    return {} if _insisted or _gateway is None else keys.held(variables.environment(_gateway), _readers_own)


def _pass_on_failures(address: Address) -> None:
    """LKCOOK_FAIL may be set or unset at any time; a gateway that was started anew has heard of nothing."""
    global _told
    news = (address.pid, fails_by_environment())
    if news != (_told or (address.pid, [])):
        address.ask("PUT", "/failing", {"models": news[1]})
    _told = news


def _give_back() -> None:
    for name, value in _readers_own.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    _readers_own.clear()


def _flipped() -> str:
    names = [name for name in FLIP_DEFAULTS if os.environ.get(name) and not _is_ours(os.environ[name])]
    return f"{' and '.join(names)} changes LiveKit's defaults" if names else ""


def _is_ours(value: str) -> bool:
    """Set by lkcook.job(), which tells what comes of it."""
    if _gateway is None:
        return False
    from lkcook.gateway import written_turn

    return value == written_turn.address_for(_gateway)


def _watch_cells() -> None:
    """In a notebook, look after the gateway before each cell: an idle one has gone by itself meanwhile."""
    shell = notebook.shell()
    if shell is not None and _before_cell not in shell.events.callbacks["pre_run_cell"]:
        shell.events.register("pre_run_cell", _before_cell)


def _before_cell(_info: object = None) -> None:
    refresh()
