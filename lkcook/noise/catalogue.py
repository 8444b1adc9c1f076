"""Which noise cancellers there are, by name."""

from __future__ import annotations

import inspect
import platform
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from lkcook.errors import CookError
from lkcook.noise.canceller import Canceller
from lkcook.noise.core import Core
from lkcook.noise.deepfilternet import DeepFilterNet
from lkcook.noise.dtln import DTLN
from lkcook.noise.hush import Hush
from lkcook.noise.webrtc import WebRTC

CORES: dict[str, type[Core]] = {"webrtc": WebRTC, "dtln": DTLN, "deepfilternet": DeepFilterNet, "hush": Hush}
NAMES = tuple(CORES)


def canceller(name: str, **options: Any) -> Canceller:
    """A noise canceller of this machine for one stream; its model is loaded by this call.

    name: "webrtc", "dtln", "deepfilternet" or "hush"; `lkcook.cancellers()` tells what they are and what options they
    take, such as limit=12 (dB) or strength=0.5. Raises CookError for a name, an option or a value that is not known,
    and for a canceller whose package is not here.
    """
    core = known_core(name)
    known = options_of(core)
    if unknown := [option for option in options if option not in known]:
        raise CookError(f"The noise canceller {name!r} has no option {unknown[0]!r}.", f"It has {', '.join(known)}.")
    get_ready(name)
    return Canceller(name, partial(core, **options))


def get_ready(name: str) -> None:
    """Import what `canceller(name)` is made of. LiveKit wants that on the main thread: before it is made on another.

    Raises CookError for a name that is not known, and for a canceller whose package is not here.
    """
    core = known_core(name)
    if remedy := missing(core):
        raise CookError(f"The noise canceller {name!r} is not on this machine.", remedy)
    import_module(core.about.module)


def known_core(name: str) -> type[Core]:
    """Raises CookError when there is none of that name."""
    if name not in CORES:
        raise CookError(f"There is no noise canceller {name!r} here.", f"There are {', '.join(NAMES)}.")
    return CORES[name]


def options_of(core: type[Core]) -> dict[str, Any]:
    """A core's options and what they are when not given."""
    return {option: parameter.default for option, parameter in inspect.signature(core).parameters.items()}


def missing(core: type[Core]) -> str:
    """What to do so that its package is here; empty if it is."""
    if find_spec(core.about.module):
        return ""
    install = f"Install it: pip install {core.about.package}."
    if not core.about.lives:
        return install
    here = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    return f"Its package is made for {core.about.lives}; this is {here}. There: {install}"
