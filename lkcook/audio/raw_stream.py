"""PortAudio streams of 20 ms blocks, opened and closed on threads of their own, because a driver may never answer."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from lkcook.audio import devices
from lkcook.audio.devices import Kind
from lkcook.audio.echo import RATE
from lkcook.errors import DeviceError

LATENCY = 0.06  # seconds; below it PortAudio loses blocks when the machine is busy
OTHER_RATE_LATENCY = 0.12  # seconds; a system that resamples once more (PulseAudio) underruns without end at 0.06
_ANSWER = 5.0  # seconds within which PortAudio opens or closes a stream; it takes 0.2 on the slowest virtual device
_INVALID_RATE = "Invalid sample rate"  # PortAudio's words for paInvalidSampleRate, -9997

Callback = Callable[[np.ndarray, int, Any, Any], None]
"""sounddevice's: callback(int16 (frames, 1), frames, times, status)"""


def opened(kind: Kind, device: dict[str, Any], callback_at: Callable[[int], Callback]) -> Any:
    """A running sounddevice stream at 48 kHz, or at the device's own rate when it refuses that. Raises DeviceError."""
    sounddevice = devices.portaudio()
    with devices.opening:
        try:
            stream = _made(sounddevice, kind, device, callback_at, RATE)
            devices.open_streams.add(stream)
            try:
                stream.start()
            except sounddevice.PortAudioError:
                close(stream)
                raise
        except sounddevice.PortAudioError as error:
            raise DeviceError(
                f"The {devices.WORDS[kind]} {device['name']!r} could not be opened: {error}",
                "check that no other program holds it and that this one may use it, or choose another",
            ) from error
    return stream


def close(stream: Any) -> None:
    """Not under `devices.opening`, if it can be helped: for a lost device it may never return."""
    stream.close()
    devices.open_streams.discard(stream)


async def in_thread(blocking: Callable[[], None]) -> bool:
    """Raises what `blocking` raises. False when it takes longer than `_ANSWER`.

    Also when cancelled it is waited for: a stream that opens after that would never be closed. The thread is a
    daemon, because Python waits for asyncio's own threads at exit.
    """
    future: concurrent.futures.Future[None] = concurrent.futures.Future()

    def work() -> None:
        try:
            future.set_result(blocking())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, name="sound device", daemon=True).start()
    working = asyncio.wrap_future(future)
    try:
        await asyncio.wait({working}, timeout=_ANSWER)
    except asyncio.CancelledError:
        await asyncio.wait({working}, timeout=_ANSWER)
        raise
    if working.done():
        working.result()
    return working.done()


def _made(
    sounddevice: Any, kind: Kind, device: dict[str, Any], callback_at: Callable[[int], Callback], rate: int
) -> Any:
    stream = sounddevice.InputStream if kind == "input" else sounddevice.OutputStream
    try:
        return stream(
            samplerate=rate,
            blocksize=rate // 50,
            device=device["index"],
            channels=1,
            dtype="int16",
            latency=LATENCY if rate == RATE else OTHER_RATE_LATENCY,
            callback=callback_at(rate),
        )
    except sounddevice.PortAudioError as error:
        own = round(device["default_samplerate"])
        if _INVALID_RATE not in str(error) or own == rate:
            raise
        return _made(sounddevice, kind, device, callback_at, own)
