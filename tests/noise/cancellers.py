"""Cancellers of which the effect is known, and a recogniser that hears no words in noise."""

from __future__ import annotations

from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import LanguageCode, stt


class Scripted(rtc.FrameProcessor[rtc.AudioFrame]):
    """Gives `sound` (int16 mono) instead of what it hears, piece by piece; and counts what is open."""

    open = 0

    def __init__(self, sound: np.ndarray) -> None:
        self._left = sound
        Scripted.open += 1

    enabled = True

    def _process(self, frame: rtc.AudioFrame) -> rtc.AudioFrame:
        out = np.zeros(frame.samples_per_channel, np.int16)
        now, self._left = self._left[: len(out)], self._left[len(out) :]
        out[: len(now)] = now
        return rtc.AudioFrame(out.tobytes(), frame.sample_rate, 1, len(out))

    def _close(self) -> None:
        Scripted.open -= 1


class Late(Scripted):
    """What it hears, later by so many samples; it does not tell."""

    def __init__(self, late: int) -> None:
        super().__init__(np.zeros(late, np.int16))

    def _process(self, frame: rtc.AudioFrame) -> rtc.AudioFrame:
        self._left = np.concatenate([self._left, np.frombuffer(frame.data, np.int16)])
        return super()._process(frame)


class LateAsTold(Late):
    """The same, and it tells."""

    def __init__(self, late: int) -> None:
        super().__init__(late)
        self.delay = late / 24_000


class WholeRecogniser(stt.STT):
    """Not streaming: `says` where the quietest tenth of the sound is silent, "rubbish" in noise, nothing in silence."""

    def __init__(self, says: str | Exception) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=False, interim_results=False))
        self._says = says

    async def _recognize_impl(self, buffer: Any, *, language: Any = None, conn_options: Any) -> stt.SpeechEvent:
        if isinstance(self._says, Exception):
            raise self._says
        samples = np.abs(np.frombuffer(rtc.combine_audio_frames(buffer).data, np.int16).astype(int))
        silent = np.percentile(samples[3200:-16_000], 10) < 2  # without what is always silent around it
        text = "" if samples.max() < 100 else self._says if silent else "rubbish"
        said = stt.SpeechData(LanguageCode("en"), text)
        return stt.SpeechEvent(stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[said])
