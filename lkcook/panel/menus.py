"""The panel's two menus, and what can be tried of a device before a call.

The browser's own microphone and speaker stand last, or alone where the kernel's machine has none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from lkcook.audio import device_check, devices
from lkcook.audio.caller import Caller
from lkcook.audio.devices import Kind
from lkcook.audio.listener import Listener
from lkcook.errors import DeviceError

BROWSER = "browser"
SIDES: tuple[Kind, Kind] = ("input", "output")
_IN_BROWSER = {"input": "this browser's microphone", "output": "this browser's speaker"}
_SILENT = -75.0  # dBFS: even a quiet room is above it
_LISTEN = 2.0  # seconds


class Menus:
    """`chosen` holds a device's name, or BROWSER, for "input" and "output". send: to the page, for its own devices."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self.chosen: dict[str, str] = {}
        self._send = send
        self._names: dict[Kind, list[str]] = {}
        self._look()

    def options(self, side: Kind) -> list[tuple[str, str]]:
        """(value, label) of each entry."""
        return [*((name, name) for name in self._names[side]), (BROWSER, _IN_BROWSER[side])]

    def caller(self, in_browser: Caller) -> Caller:
        """The microphone that is chosen, not yet opened. Raises DeviceError."""
        if self.chosen["input"] == BROWSER:
            return in_browser
        from lkcook.audio.microphone import Microphone  # imports PortAudio

        return Microphone(self.chosen["input"])

    def listener(self, in_browser: Listener) -> Listener:
        """The speaker that is chosen, not yet opened. Raises DeviceError."""
        if self.chosen["output"] == BROWSER:
            return in_browser
        from lkcook.audio.speaker import Speaker  # imports PortAudio

        return Speaker(self.chosen["output"])

    async def refresh(self) -> None:
        """Look which devices there are now; what was chosen stays chosen if it is still there."""
        await asyncio.to_thread(self._look, again=True)

    async def tone(self) -> None:
        """Play a second of test tone on the chosen speaker. Raises DeviceError."""
        if self.chosen["output"] == BROWSER:
            self._send({"tone": True})
        else:
            await device_check.test_tone(self.chosen["output"])

    async def check(self) -> str:
        """Listen for two seconds; says how loud it was, "" when the page is going to tell. Raises DeviceError."""
        if self.chosen["input"] == BROWSER:
            self._send({"check": True})
            return ""
        return loudness(await device_check.level(self.chosen["input"], _LISTEN))

    def _look(self, again: bool = False) -> None:
        try:
            if again:
                devices.refresh()
            self._names = {side: devices.names(side) for side in SIDES}
        except DeviceError:  # no PortAudio: scripts and the browser's sound work without it
            self._names = {side: [] for side in SIDES}
        for side, names in self._names.items():
            if self.chosen.get(side) not in (*names, BROWSER):
                self.chosen[side] = (names or [BROWSER])[0]


def loudness(dbfs: float) -> str:
    """What a level check found, in words."""
    verdict = "nothing was heard, is it muted?" if dbfs < _SILENT else "speech has about −25, a quiet room −60"
    return f"{dbfs:.0f} dBFS — {verdict}"
