"""PortAudio, played by a module of the same shape: which devices there are is the test's choice."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

HARDWARE = [("Built-in Mic", 2, 0), ("USB Headset", 1, 2), ("HDMI", 0, 8), ("USB Webcam", 1, 0), ("USB", 1, 0)]


class PortAudioError(Exception):
    """What the stand-in raises where sounddevice would."""


class Stream:
    """A stream that moves only when the test calls `callback`."""

    latency, active = 0.05, True

    def __init__(self, **options: Any) -> None:
        self.callback = options["callback"]
        self.options, self.state = options, "open"

    def start(self) -> None:
        self.state = "running"

    def close(self) -> None:
        self.state = "closed"


def stand_in(hardware: list[tuple[str, int, int]], default: tuple[int, int] = (-1, -1)) -> ModuleType:
    module = ModuleType("sounddevice")
    module.streams = []

    def opened(**options: Any) -> Stream:
        module.streams.append(Stream(**options))
        return module.streams[-1]

    module.query_devices = lambda: [
        {
            "index": number,
            "name": name,
            "max_input_channels": ins,
            "max_output_channels": outs,
            "default_samplerate": 44_100.0,
        }
        for number, (name, ins, outs) in enumerate(hardware)
    ]
    module.default = SimpleNamespace(device={"input": default[0], "output": default[1]})
    module.InputStream = module.OutputStream = opened
    module.PortAudioError = PortAudioError
    module.looked = 0

    def look_again() -> None:
        module.looked += 1

    module._terminate, module._initialize, module._exit_handler = (lambda: None), look_again, (lambda: None)
    return module


@pytest.fixture
def portaudio(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    """Put a stand-in with this hardware in force."""

    def install(hardware: list[tuple[str, int, int]] = HARDWARE, **options: Any) -> ModuleType:
        module = stand_in(hardware, **options)
        monkeypatch.setitem(sys.modules, "sounddevice", module)
        return module

    return install
