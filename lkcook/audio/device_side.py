"""What a microphone and a speaker have in common: a device in use, which can be changed in mid-call."""

from __future__ import annotations

import asyncio
from typing import Any

from lkcook.audio import echo
from lkcook.audio.caller import OnNote
from lkcook.audio.devices import Kind
from lkcook.audio.stream import DeviceStream, Work


class DeviceSide:
    """Mixed into a Caller or a Listener, which calls `_on_device` once and gives `_work_at`."""

    on_note: OnNote | None
    _stream: DeviceStream
    _room: echo.Room
    _loop: asyncio.AbstractEventLoop | None

    def _on_device(self, kind: Kind, which: int | str | None) -> None:
        """Raises DeviceError when there is no such device; it is not opened yet."""
        self._room = echo.room()
        self._loop = None
        self._stream = DeviceStream(
            kind,
            which,
            self._work_at,
            on_open=lambda delay: self._room.set_delay(kind, delay),
            on_note=lambda text: self.on_note and self.on_note(text),
        )

    @property
    def device(self) -> dict[str, Any]:
        """The device in use, as sounddevice describes it."""
        return self._stream.device

    @property
    def xruns(self) -> int:
        """Blocks of this call that PortAudio reported as lost or late."""
        return self._stream.xruns

    async def use(self, device: int | str | None) -> None:
        """Change the device, also in mid-call. Raises DeviceError and keeps the one in use when that is impossible."""
        await self._stream.use(device)

    def _work_at(self, rate: int) -> Work:
        raise NotImplementedError
