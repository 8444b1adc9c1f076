"""Sound devices, found by number, name or part of a name. PortAudio is loaded late and its absence explained."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Literal

from lkcook.errors import DeviceError

Kind = Literal["input", "output"]
_WORDS = {"input": "microphone", "output": "speaker"}
_INSTALL = {
    "linux": "sudo apt-get install -y libportaudio2  (Fedora: sudo dnf install portaudio)",
    "darwin": "pip install --force-reinstall sounddevice  (its macOS wheel carries PortAudio)",
    "win32": "pip install --force-reinstall sounddevice  (its Windows wheel carries PortAudio)",
}


def portaudio() -> ModuleType:
    """The `sounddevice` module. Raises DeviceError with the install line where PortAudio is missing."""
    try:
        import sounddevice
    except OSError as error:
        install = _INSTALL.get(sys.platform, _INSTALL["linux"])
        raise DeviceError(
            f"PortAudio is not installed ({error})",
            f"{install}; scripted callers work without it",
        ) from error
    return sounddevice


def input_device(which: int | str | None = None) -> dict[str, Any]:
    """The microphone to use, as sounddevice describes it. Raises DeviceError naming what there is."""
    return _find("input", which)


def output_device(which: int | str | None = None) -> dict[str, Any]:
    """The speaker to use, as sounddevice describes it. Raises DeviceError naming what there is."""
    return _find("output", which)


def have_input() -> bool:
    """True when a microphone can be opened by default."""
    return _have("input")


def have_output() -> bool:
    """True when a speaker can be opened by default."""
    return _have("output")


def listing() -> list[str]:
    """One line per device: its number, name, and which sides it has."""
    return [
        f"{device['index']:3}  {device['name']}  "
        f"({device['max_input_channels']} in, {device['max_output_channels']} out)"
        for device in portaudio().query_devices()
    ]


def _have(kind: Kind) -> bool:
    try:
        _find(kind, None)
    except DeviceError:
        return False
    return True


def _find(kind: Kind, which: int | str | None) -> dict[str, Any]:
    sounddevice = portaudio()
    able = [d for d in sounddevice.query_devices() if d[f"max_{kind}_channels"] > 0]
    if not able:
        raise DeviceError(
            f"There is no {_WORDS[kind]} on the machine that runs this kernel",
            "plug one in and restart the kernel; scripted and recorded callers need none",
        )
    if which is None:
        return _default(sounddevice, kind, able)
    found = [d for d in able if which in (d["index"], d["name"])] or [
        d for d in able if isinstance(which, str) and which.lower() in d["name"].lower()
    ]
    if len(found) != 1:
        names = ", ".join(f"{d['index']} {d['name']!r}" for d in found or able)
        what = "fits more than one" if found else "is no"
        raise DeviceError(f"{which!r} {what} {_WORDS[kind]}", f"choose one of: {names}")
    return found[0]


def _default(sounddevice: ModuleType, kind: Kind, able: list[dict[str, Any]]) -> dict[str, Any]:
    number = sounddevice.default.device[kind]
    return next((d for d in able if d["index"] == number), able[0])


def names(kind: Kind) -> list[str]:
    return [d["name"] for d in portaudio().query_devices() if d[f"max_{kind}_channels"] > 0]


def refresh() -> bool:
    return True
