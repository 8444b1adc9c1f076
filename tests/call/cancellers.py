"""Noise cancellers and a noise for tests, and what is asked of a call that had them."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents.voice import room_io

from lkcook.audio.clip import Clip
from tests.scripted_models import RATE, tone

BLOCK = RATE // 50
HUM = Clip(tone(1.0, 200), RATE)
NOISY = (HUM, 2.0)  # louder than what the scripted recogniser takes for speech


class Gate(rtc.FrameProcessor[rtc.AudioFrame]):
    """Silences whatever is quieter than a beep; `error` is raised instead. closed: how often it was."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.closed, self.frames = error, 0, 0
        self._enabled = True

    @property
    def enabled(self) -> bool:
        return self._enabled

    @enabled.setter
    def enabled(self, value: bool) -> None:
        self._enabled = value

    def _process(self, frame: rtc.AudioFrame) -> rtc.AudioFrame:
        self.frames += 1
        if self.error is not None:
            raise self.error
        samples = np.frombuffer(frame.data, np.int16)
        return made(samples if rms(samples) > 3500 else np.zeros_like(samples), frame)

    def _close(self) -> None:
        self.closed += 1


class Late(Gate):
    """Passes everything 0.1 s later: silent at first, as cancellers are."""

    delay = 0.1

    def __init__(self) -> None:
        super().__init__()
        self._waiting = np.zeros(5 * BLOCK, np.int16)

    def _process(self, frame: rtc.AudioFrame) -> rtc.AudioFrame:
        self.frames += 1
        self._waiting = np.concatenate([self._waiting, np.frombuffer(frame.data, np.int16)])
        out, self._waiting = np.split(self._waiting, [frame.samples_per_channel])
        return made(out, frame)


class Slow(Gate):
    """Takes `per_frame` seconds for each frame. took, heard: seconds in all, of so many seconds of sound."""

    def __init__(self, per_frame: float) -> None:
        super().__init__()
        self.per_frame, self.took, self.heard = per_frame, 0.0, 0.0

    def _process(self, frame: rtc.AudioFrame) -> rtc.AudioFrame:
        began = time.perf_counter()
        time.sleep(self.per_frame)
        self.took += time.perf_counter() - began
        self.heard += frame.duration
        return frame


def made(samples: np.ndarray, like: rtc.AudioFrame) -> rtc.AudioFrame:
    return rtc.AudioFrame(samples.tobytes(), like.sample_rate, 1, len(samples))


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples.astype(float)))))


def db(samples: np.ndarray) -> float:
    return 20 * float(np.log10(rms(samples) / 32768))


def wanting(noise_cancellation: Any, **more: Any) -> room_io.RoomOptions:
    return room_io.RoomOptions(audio_input=room_io.AudioInputOptions(noise_cancellation=noise_cancellation, **more))


def notes(events: list[tuple[str, Any]]) -> list[str]:
    return [payload for kind, payload in events if kind == "note"]
