"""One lane for each turn detector that hears a recording: it asks when, and about what, AgentSession would.

After livekit-agents 1.8.9, agents/voice/audio_recognition.py (_on_vad_event, _on_stt_event, _run_eou_detection).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from livekit import rtc
from livekit.agents import LanguageCode, llm, stt, vad
from livekit.agents.inference.eot.base import MIN_SILENCE_DURATION_MS

from lkcook.report.turn_decisions import Asked, Delays

START, DONE, END = vad.VADEventType.START_OF_SPEECH, vad.VADEventType.INFERENCE_DONE, vad.VADEventType.END_OF_SPEECH
Answer = tuple[float | None, float | None]  # probability, threshold


def name_of(detector: Any) -> str:
    """The model's name, by its own account."""
    return str(getattr(detector, "model", type(detector).__name__))


class Lane:
    """Asks at each end of speech that the VAD tells. A VAD alone: whoever falls silent has finished.

    clock: seconds of the recording that have been heard. language: ISO 639-1, what an STT would have told.
    """

    def __init__(self, detector: Any, delays: Delays, clock: Callable[[], float], language: str) -> None:
        self.detector, self.delays, self.clock = detector, delays, clock
        self.language: LanguageCode | None = LanguageCode(language)
        self.asked: list[Asked] = []
        self.speaking = False
        self.speech_end: float | None = None  # as the VAD has it
        self.text = ""
        self.model = name_of(detector)
        self._question: asyncio.Task[None] | None = None
        self._commit: asyncio.TimerHandle | None = None

    def push(self, frame: rtc.AudioFrame) -> None:
        """More sound."""

    def on_words(self, text: str, language: LanguageCode | None) -> None:
        """A final transcript."""

    def on_vad(self, event: vad.VADEvent) -> None:
        """An event of the VAD that this lane listens to; its times count, not when it was computed."""
        if event.type is START:
            self.speaking = True
            self._overtaken(event.timestamp)
        elif event.type is END:
            self.speaking, self.speech_end = False, event.timestamp - event.silence_duration
            self._ask(self.speech_end, event.timestamp)

    async def answer(self) -> Answer:
        """What the detector says of this silence."""
        return None, None

    def committed(self) -> None:
        """The turn is over, as far as this lane knows: what it has heard belongs to the past."""

    async def aclose(self) -> None:
        """Waits for the last answer. Raises what a detector raised."""
        try:
            if self._question is not None:
                await asyncio.gather(self._question)
        finally:
            if self._commit is not None:
                self._commit.cancel()

    def _ask(self, speech_end: float, at: float) -> None:
        self._overtaken(at)
        self._question = asyncio.create_task(self._put(speech_end, at, self.text))

    async def _put(self, speech_end: float, at: float, text: str) -> None:
        began = time.monotonic()
        probability, threshold = await self.answer()
        answered = at + time.monotonic() - began
        self.asked.append(Asked(speech_end, answered, probability, threshold, text=text))
        commit = self.asked[-1].committed(self.delays)
        left = max(0.0, (commit or 0.0) - self.clock())
        self._commit = asyncio.get_running_loop().call_later(left, self.committed)

    def _overtaken(self, at: float) -> None:
        """The caller, or the transcript, went on: an open question is given up, a commit that was to come as well."""
        if self._question is not None and not self._question.done():
            self._question.cancel()
            self._question = None
        if self._commit is not None:
            self._commit.cancel()
        if self.asked and self.asked[-1].until is None:
            self.asked[-1] = replace(self.asked[-1], until=at)


class AudioLane(Lane):
    """A detector that listens (inference.TurnDetector): asked 0.2 s into a silence, heeded when the VAD tells it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._stream = self.detector.stream()
        self._prediction: asyncio.Future[Any] | None = None

    def push(self, frame: rtc.AudioFrame) -> None:
        self._stream.push_audio(frame)

    def on_vad(self, event: vad.VADEvent) -> None:
        if event.type is START or (event.type is DONE and event.raw_accumulated_speech > 0 and self._prediction):
            if event.type is START or self.speaking:
                self._stream.cancel_inference()
                self._prediction = None
        if event.type is DONE and self.speaking and self._prediction is None:
            if event.raw_accumulated_silence >= MIN_SILENCE_DURATION_MS / 1000:
                self._prediction = self._stream.predict()
        super().on_vad(event)

    async def answer(self) -> Answer:
        if self._prediction is None or not await self._stream.supports_language(self.language):
            return None, None
        done, _ = await asyncio.wait([self._prediction], timeout=self._stream.prediction_timeout)
        if not done:
            self._stream.cancel_inference(timed_out=True)
            self._prediction = None
            return None, None
        probability = self._prediction.result().end_of_turn_probability
        return probability, await self._stream.unlikely_threshold(self.language)

    def committed(self) -> None:
        self._stream.flush(reason="turn committed")
        self._prediction = None

    async def aclose(self) -> None:
        try:
            await super().aclose()
        finally:
            self.model = self._stream.model  # another one after a fallback
            await self._stream.aclose()


class TextLane(Lane):
    """A detector that reads (MultilingualModel): asked when there are words and silence, again when more words come."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.language = None  # until the recogniser tells

    def on_words(self, text: str, language: LanguageCode | None) -> None:
        self.text = f"{self.text} {text}".strip()
        self.language = language or self.language
        if not self.speaking:
            now = self.clock()
            self._ask(now if self.speech_end is None else self.speech_end, now)

    def _ask(self, speech_end: float, at: float) -> None:
        if self.text:  # a session does not answer somebody of whom it understood nothing
            super()._ask(speech_end, at)

    async def answer(self) -> Answer:
        if not await self.detector.supports_language(self.language):
            return None, None
        context = llm.ChatContext.empty()
        context.add_message(role="user", content=self.text)
        probability = await self.detector.predict_end_of_turn(context)
        return probability, await self.detector.unlikely_threshold(self.language)

    def committed(self) -> None:
        self.text = ""


class SttLane(Lane):
    """An STT that ends turns itself (turn_detection="stt"): its END_OF_SPEECH is the question and the answer."""

    def on_vad(self, event: vad.VADEvent) -> None:
        if event.type is START:
            self._overtaken(event.timestamp)

    def on_speech(self, event: stt.SpeechEvent) -> None:
        """An event of the STT itself. Without a time of its own the delay counts from its arrival, as in a session."""
        now = self.clock()
        if event.type is stt.SpeechEventType.START_OF_SPEECH:
            self._overtaken(now)
        elif event.type is stt.SpeechEventType.FINAL_TRANSCRIPT and event.alternatives:
            self.text = f"{self.text} {event.alternatives[0].text}".strip()
        elif event.type is stt.SpeechEventType.END_OF_SPEECH and self.text:
            ended = now if event.speech_end_time is None else min(now, now + event.speech_end_time - time.time())
            self._ask(ended, now)

    def committed(self) -> None:
        self.text = ""
