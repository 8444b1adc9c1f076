"""Sound devices, found by number, name or part of a name. PortAudio is loaded late and its absence explained."""

from __future__ import annotations

import atexit
import sys
import threading
from collections import Counter
from types import ModuleType
from typing import Any, Literal

from lkcook.errors import DeviceError

Kind = Literal["input", "output"]
WORDS: dict[Kind, str] = {"input": "microphone", "output": "speaker"}
_INSTALL = {
    "linux": "sudo apt-get install -y libportaudio2  (Fedora: sudo dnf install portaudio)",
    "darwin": "pip install --force-reinstall sounddevice  (its macOS wheel carries PortAudio)",
    "win32": "pip install --force-reinstall sounddevice  (its Windows wheel carries PortAudio)",
}

opening = threading.Lock()  # held while a stream is opened: PortAudio's list must not change then
open_streams: set[Any] = set()


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


def find(kind: Kind, which: int | str | None = None) -> dict[str, Any]:
    """The device to use, as sounddevice describes it: by number, name or part of a name; None is the default.

    Raises DeviceError naming what there is.
    """
    sounddevice = portaudio()
    able = _able(sounddevice, kind)
    if not able:
        raise DeviceError(
            f"There is no {WORDS[kind]} on the machine that runs this kernel",
            "plug one in and restart the kernel; scripted and recorded callers need none",
        )
    if which is None:
        return _default(sounddevice, kind, able)
    found = [d for d in able if which in (d["index"], d["name"], _numbered(d))] or [
        d for d in able if isinstance(which, str) and which.lower() in d["name"].lower()
    ]
    if len(found) != 1:
        names = ", ".join(map(_numbered, found or able))
        what = "fits more than one" if found else "is no"
        raise DeviceError(f"{which!r} {what} {WORDS[kind]}", f"choose one of: {names}")
    return found[0]


def input_device(which: int | str | None = None) -> dict[str, Any]:
    """The microphone to use, as sounddevice describes it. Raises DeviceError naming what there is."""
    return find("input", which)


def output_device(which: int | str | None = None) -> dict[str, Any]:
    """The speaker to use, as sounddevice describes it. Raises DeviceError naming what there is."""
    return find("output", which)


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


def names(kind: Kind) -> list[str]:
    """What a menu offers, the default first; each is understood by `Microphone` or `Speaker`. Empty without devices.

    A name that several devices share comes with the number of each, as in "3 'USB Audio'".
    """
    sounddevice = portaudio()
    able = _able(sounddevice, kind)
    if not able:
        return []
    default = _default(sounddevice, kind, able)
    shared = Counter(device["name"] for device in able)
    ordered = [default, *(device for device in able if device is not default)]
    return [d["name"] if shared[d["name"]] == 1 else _numbered(d) for d in ordered]


def refresh() -> bool:
    """Look for devices again: PortAudio lists them once, when it is loaded. Numbers may change.

    False, and nothing is done, while a Microphone or Speaker is open or being opened: PortAudio would close its
    stream, as it does with streams that other code has opened through sounddevice.
    """
    sounddevice = portaudio()
    if not opening.acquire(blocking=False):
        return False
    try:
        if open_streams:
            return False
        # sounddevice has no public name for this, its author recommends these two:
        # https://github.com/spatialaudio/python-sounddevice/issues/125
        sounddevice._terminate()
        sounddevice._initialize()
        return True
    finally:
        opening.release()


def leave_open() -> None:
    """A stream cannot be closed: at exit sounddevice would wait for that for ever, with the whole process."""
    atexit.unregister(portaudio()._exit_handler)


def _have(kind: Kind) -> bool:
    try:
        find(kind)
    except DeviceError:
        return False
    return True


def _able(sounddevice: ModuleType, kind: Kind) -> list[dict[str, Any]]:
    return [d for d in sounddevice.query_devices() if d[f"max_{kind}_channels"] > 0]


def _numbered(device: dict[str, Any]) -> str:
    """Tells apart devices of the same name; understood by `find`."""
    return f"{device['index']} {device['name']!r}"


def _default(sounddevice: ModuleType, kind: Kind, able: list[dict[str, Any]]) -> dict[str, Any]:
    number = sounddevice.default.device[kind]
    return next((d for d in able if d["index"] == number), able[0])
