"""Sound devices without hardware: a PulseAudio of the tests' own, with one microphone and one speaker.

Whatever PulseAudio the user runs is left alone: the tests' own has its folder, its socket, and dies with the run.
    play() → sink "mic_in" → source "mic" → PortAudio's "virtual microphone" → Microphone
    Speaker → PortAudio's "virtual speaker" → sink "speaker" → its monitor → listening()
A second server is a USB headset, "usb_microphone" and "usb_speaker": plugged in when it starts, pulled out by kill().
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from livekit import rtc

import cook
from lkcook.audio import devices
from lkcook.audio.clip import Clip
from lkcook.audio.microphone import Microphone
from lkcook.audio.speaker import Speaker

RATE = 48_000
AUDIBLE = 328  # of 32768
PIECE = RATE // 10
OPTIONS = "-n --daemonize=no --use-pid-file=no --exit-idle-time=-1 --disable-shm=yes --realtime=no --high-priority=no"
MODULES = (
    "module-native-protocol-unix auth-anonymous=1 socket={folder}/socket",
    f"module-null-sink sink_name=mic_in rate={RATE} channels=1",
    "module-remap-source source_name=mic master=mic_in.monitor",
    f"module-null-sink sink_name=speaker rate={RATE} channels=1",
)
ALSA = """
pcm.virtual_microphone {{ type pulse device mic }}
pcm.virtual_speaker {{ type pulse device speaker }}
pcm.usb_microphone {{ type pulse server "unix:{folder}/usb/socket" device mic }}
pcm.usb_speaker {{ type pulse server "unix:{folder}/usb/socket" device speaker }}
pcm.!default {{ type asym capture.pcm virtual_microphone playback.pcm virtual_speaker }}
"""


def found(signal: np.ndarray, recording: np.ndarray) -> tuple[float, float]:
    """(correlation, spread of the delay in seconds) of the median piece of `signal` where it fits `recording` best.

    Piece by piece, because a virtual sound card's clock may slip.
    """
    size = 1 << (len(recording) + PIECE).bit_length()
    spectrum = np.fft.rfft(recording.astype(float), size)
    fits, delays = [], []
    for start in range(0, len(signal) - PIECE + 1, PIECE):
        piece = signal[start : start + PIECE].astype(float)
        match = np.fft.irfft(spectrum * np.conj(np.fft.rfft(piece, size)), size)[: len(recording) - PIECE]
        at = int(np.argmax(match))
        there = recording[at : at + PIECE].astype(float)
        fits.append(piece @ there / (np.linalg.norm(piece) * np.linalg.norm(there) + 1e-9))
        delays.append((at - start) / RATE)
    return float(np.median(fits)), float(np.median(np.abs(delays - np.median(delays))))


def noise(seconds: float, rate: int = RATE) -> np.ndarray:
    """A signal that resembles itself nowhere else."""
    return np.random.default_rng(7).normal(0, 4000, round(seconds * rate)).clip(-32768, 32767).astype(np.int16)


@contextlib.asynccontextmanager
async def opened(device: Microphone | Speaker) -> AsyncIterator[None]:
    await (device.prepare() if isinstance(device, Microphone) else device.start())
    try:
        yield
    finally:
        await device.aclose()


async def say(speaker: Speaker, samples: np.ndarray, rate: int = 24_000) -> None:
    for piece in np.split(samples, range(rate // 10, len(samples), rate // 10)):
        await speaker.capture_frame(rtc.AudioFrame(piece.tobytes(), rate, 1, len(piece)))
    speaker.flush()


class Recording:
    """What the speaker plays, as it is heard; int16 at 48 kHz."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream
        self._heard = bytearray()
        self._moved = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @property
    def samples(self) -> np.ndarray:
        """Everything so far."""
        return np.frombuffer(bytes(self._heard[: len(self._heard) // 2 * 2]), np.int16)

    @property
    def loud(self) -> bool:
        """True when anything audible was heard."""
        return bool((np.abs(self.samples.astype(int)) >= AUDIBLE).any())

    def quiet_for(self, seconds: float) -> bool:
        """True when the last `seconds` hold nothing audible, but something before them does."""
        silence = round(seconds * RATE)
        audible = np.flatnonzero(np.abs(self.samples.astype(int)) >= AUDIBLE)
        return len(audible) > 0 and len(self.samples) - audible[-1] > silence

    async def until(self, condition: Callable[[], bool], within: float = 30.0) -> None:
        """Listen on until `condition` holds."""
        async with asyncio.timeout(within):
            while not condition():
                self._moved.clear()
                await self._moved.wait()

    async def end(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        while piece := await self._stream.read(65_536):
            self._heard += piece
            self._moved.set()


class PulseAudio:
    """A running server; `environment` leads PulseAudio's own tools and PortAudio to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "asound.conf").write_text(ALSA.format(folder=folder))
        self.environment = os.environ | {
            "PULSE_SERVER": f"unix:{folder}/socket",
            "PULSE_RUNTIME_PATH": str(folder),
            "PULSE_STATE_PATH": str(folder),
            "PULSE_COOKIE": str(folder / "cookie"),
            "ALSA_CONFIG_PATH": str(folder / "asound.conf"),
        }
        modules = [word for module in MODULES for word in ("-L", module.format(folder=folder))]
        with (folder / "log").open("wb") as log:
            self.process = self._spawn("pulseaudio", *OPTIONS.split(), *modules, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while subprocess.run(["pactl", "info"], env=self.environment, capture_output=True).returncode:
            running = self.process.poll() is None and time.monotonic() < deadline
            assert running, f"PulseAudio did not start:\n{(folder / 'log').read_text()}"
            time.sleep(0.05)
        # An idle null sink delivers every two seconds; somebody who asks for less keeps it going.
        self._listeners = [
            self._spawn("parec", f"--device={device}", "--latency-msec=20", stdout=subprocess.DEVNULL)
            for device in ("mic", "speaker.monitor")
        ]

    async def play(self, samples: np.ndarray, rate: int = RATE) -> None:
        """Speak int16 mono into the microphone; returns when it was played."""
        path = Clip(samples, rate).write(self.folder / "played.wav")
        playing = await asyncio.create_subprocess_exec(
            "paplay", "--device=mic_in", "--latency-msec=20", str(path), env=self.environment
        )
        assert await playing.wait() == 0

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Recording]:
        """Record what the speaker plays."""
        command = ["parec", "--device=speaker.monitor", "--latency-msec=20", "--raw", f"--rate={RATE}"]
        recorder = await asyncio.create_subprocess_exec(
            *command, "--channels=1", "--format=s16le", env=self.environment, stdout=asyncio.subprocess.PIPE
        )
        assert recorder.stdout is not None
        recording = Recording(recorder.stdout)
        try:
            await recording.until(lambda: len(recording.samples) > 0)
            yield recording
        finally:
            with contextlib.suppress(ProcessLookupError):
                recorder.terminate()
            await recorder.wait()
            await recording.end()

    @contextlib.contextmanager
    def echo(self) -> Iterator[None]:
        """The microphone hears the speaker, 6 dB quieter and a little later."""
        self.control("load-module", "module-loopback", "source=speaker.monitor", "sink=mic_in", "latency_msec=40")
        loop = self.control("list", "short", "sink-inputs").split()[0]
        self.control("set-sink-input-volume", loop, "-6dB")
        try:
            yield
        finally:
            self.control("unload-module", "module-loopback")

    def control(self, *command: str) -> str:
        """What `pactl` answers."""
        return subprocess.run(
            ["pactl", *command], env=self.environment, check=True, capture_output=True, text=True
        ).stdout

    def _spawn(self, *command: str, **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, **options)

    def kill(self) -> None:
        """At once, as if the device were pulled out; its clients end by themselves. May be called twice."""
        self.process.kill()
        for process in (self.process, *self._listeners):
            process.wait()


def start_pulse_audio(folder: Path) -> PulseAudio:
    """A server of one's own; a skipped test with the line to run when something is not installed."""
    if not sys.platform.startswith("linux"):
        pytest.skip("Virtual sound devices need Linux.")
    if missing := cook.missing_sound_packages(for_tests=True):
        pytest.skip(f"Virtual sound devices need {', '.join(missing)}. Run: {cook.sound_line(missing)}")
    return PulseAudio(folder)


@pytest.fixture(scope="session")
def pulse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PulseAudio]:
    """The devices of this run: what this process and its children see."""
    server, before = start_pulse_audio(tmp_path_factory.mktemp("pulse")), dict(os.environ)
    os.environ.update(server.environment)
    _look_for_devices_again()
    yield server
    server.kill()
    os.environ.clear()
    os.environ.update(before)
    _look_for_devices_again()


@pytest.fixture
def headset(pulse: PulseAudio) -> Iterator[PulseAudio]:
    """A USB headset that is plugged in; kill() pulls it out."""
    folder = pulse.folder / "usb"
    folder.mkdir(exist_ok=True)
    server = start_pulse_audio(folder)
    assert devices.refresh()
    yield server
    server.kill()
    assert devices.refresh()


def _look_for_devices_again() -> None:
    """PortAudio lists the devices once, when it is loaded; an earlier test may have done that."""
    if "sounddevice" in sys.modules:
        assert devices.refresh(), "a test left a device open"
