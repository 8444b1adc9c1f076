"""Streaming recognition: audio in, and out come the start of speech, interim, preflight and final transcripts.

Silero VAD (MIT, from livekit-plugins-silero) marks speech in windows of 32 ms. What was said so far is decoded
again and again: every 0.7 s, and at once when the voice dips. What comes after a decode tells what it was: more
speech, and it is an interim transcript; a pause, and it is the preflight one; a longer pause, and the very same
becomes the final transcript. So its time is hidden inside the endpointing wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar

import numpy as np
from livekit.plugins.silero.onnx_model import OnnxModel, new_inference_session

from lkcook.engines.speech_to_text import SpeechToText
from lkcook.engines.transcript import Transcript
from lkcook.engines.utterance import SAMPLE_RATE, SECONDS, WINDOW, Decode, Utterance

ENDPOINTING = 0.35  # seconds of silence that end an utterance
_SPEECH = 0.5  # probability: to begin
_STILL_SPEECH = 0.15  # less than that is enough to go on
_ONSET = 2  # windows of speech that begin an utterance; fewer are clicks
PREROLL = 0.32  # seconds kept before the onset: a soft first consonant is below the threshold
_PAUSE = 4  # quiet windows that make a pause; fewer are only a dip, such as before a "t"
_AGAIN = 0.7  # seconds of new speech after which it is decoded again; more often, and the last decode waits for its turn
_LONGEST = 28.0  # seconds; Whisper's window is 30

T = TypeVar("T")


@dataclass(frozen=True)
class Heard:
    """One event. start and duration: seconds since the stream began, of the utterance it belongs to."""

    kind: Literal["speech_started", "interim", "preflight", "final"]
    start: float
    duration: float = 0.0
    transcript: Transcript = Transcript("", "")


class Recognizer:
    """One stream of float32 mono 16 kHz audio. `emit` is awaited for each event, finals in spoken order.

    language: ISO 639-1 or None to detect it per utterance. endpointing: seconds of silence before a final.
    keyterms: words to expect. All three may be changed at any time; the next decode heeds them.
    threshold: the probability of speech that begins an utterance. preroll: seconds of sound kept before it.
    ended: asked after each window of an utterance whether it is over; by default, when `endpointing` says so.
    """

    def __init__(
        self,
        engine: SpeechToText,
        emit: Callable[[Heard], Awaitable[None]],
        *,
        language: str | None = "en",
        endpointing: float = ENDPOINTING,
        threshold: float = _SPEECH,
        preroll: float = PREROLL,
        ended: Callable[[Utterance], Awaitable[bool]] | None = None,
    ) -> None:
        self.language, self.endpointing = language, endpointing
        self.keyterms: tuple[str, ...] = ()
        self._engine, self._emit = engine, emit
        self._threshold, self._ended = threshold, ended or self._silent
        self._vad = OnnxModel(onnx_session=_silero(), sample_rate=SAMPLE_RATE)
        self._rest = np.zeros(0, np.float32)
        self._preroll: deque[np.ndarray] = deque(maxlen=max(_ONSET, round(preroll / SECONDS)))
        self._onset = self._windows = 0
        self._utterance: Utterance | None = None
        self._last_final: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def speaking(self) -> bool:
        """An utterance has begun and is not over."""
        return self._utterance is not None

    async def push(self, samples: np.ndarray) -> None:
        """Take any number of samples. Returns once they are judged; decoding goes on beside it.

        Raises what a decode raised whose final transcript is therefore missing.
        """
        self._raise_if_failed()
        audio = np.concatenate([self._rest, samples])
        whole = len(audio) // WINDOW * WINDOW
        self._rest = audio[whole:]
        for window in audio[:whole].reshape(-1, WINDOW):
            self._windows += 1
            await self._judge(window, self._vad(window))

    async def finalize(self) -> None:
        """End the current utterance now and return when every final is out."""
        if self._utterance is not None:
            self._finish(self._utterance)
        await self.settled()

    async def settled(self) -> None:
        """Return when the final of every utterance that is over is out. Raises what its decode raised."""
        if self._last_final is not None:
            await self._last_final

    async def aclose(self) -> None:
        """Drop whatever is still being decoded."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _raise_if_failed(self) -> None:
        final = self._last_final
        if final is not None and final.done() and not final.cancelled() and (error := final.exception()):
            raise error

    async def _judge(self, window: np.ndarray, probability: float) -> None:
        if self._utterance is None:
            self._preroll.append(window)
            self._onset = self._onset + 1 if probability >= self._threshold else 0
            if self._onset >= _ONSET:
                await self._begin()
            return
        utterance = self._utterance
        enough = self._threshold if utterance.silence else max(self._threshold - _STILL_SPEECH, self._threshold / 2)
        utterance.add(window, speech=probability >= enough)
        if await self._ended(utterance) or utterance.seconds >= _LONGEST:
            self._finish(utterance)
        else:
            await self._consider(utterance)

    async def _silent(self, utterance: Utterance) -> bool:
        return utterance.silence * SECONDS >= self.endpointing

    async def _begin(self) -> None:
        start = (self._windows - len(self._preroll)) * SECONDS
        self._utterance = Utterance.of(list(self._preroll), start)
        self._preroll.clear()
        self._onset = 0
        await self._emit(Heard("speech_started", start))

    async def _consider(self, utterance: Utterance) -> None:
        """Decode again if that is due; tell what a finished decode has turned out to be."""
        decode, pause = utterance.decode, utterance.quiet >= _PAUSE
        if decode is not None and utterance.covered and pause and not decode.in_vain:
            await self._tell(utterance, decode, "preflight")
        elif not self._engine.busy and (decode is None or decode.task.done()) and self._due(utterance):
            utterance.decode = self._decode(utterance, thorough=pause)
            self._spawn(self._await_decode(utterance, utterance.decode))

    @staticmethod
    def _due(utterance: Utterance) -> bool:
        if utterance.covered:
            return utterance.quiet >= _PAUSE  # the decode at the dip was in vain
        since = len(utterance.windows) - (utterance.decode.covers if utterance.decode else 0)
        return utterance.quiet > 0 or since * SECONDS >= _AGAIN

    async def _await_decode(self, utterance: Utterance, decode: Decode) -> None:
        await asyncio.wait([decode.task])
        if utterance is self._utterance and decode.covers < utterance.speech_end:
            await self._tell(utterance, decode, "interim")
        if utterance is self._utterance:
            await self._consider(utterance)

    async def _tell(self, utterance: Utterance, decode: Decode, kind: Literal["interim", "preflight"]) -> None:
        if decode.text and not decode.told:
            decode.told = True
            await self._emit(Heard(kind, utterance.start, decode.covers * SECONDS, decode.task.result()))

    def _decode(self, utterance: Utterance, *, thorough: bool) -> Decode:
        """thorough: on the full window if need be. That takes a second, so never while the caller still speaks."""
        audio = np.concatenate(utterance.windows)
        options = {"language": self.language, "retry": thorough, "keyterms": self.keyterms}
        work = asyncio.to_thread(self._engine.transcribe, audio, **options)
        return Decode(len(utterance.windows), self._spawn(work), thorough)

    def _finish(self, utterance: Utterance) -> None:
        self._utterance = None
        decode = utterance.decode
        if decode is None or not utterance.covered:
            decode = self._decode(utterance, thorough=True)
        self._last_final = self._spawn(self._tell_final(utterance, decode, self._last_final))

    async def _tell_final(
        self, utterance: Utterance, decode: Decode, previous: asyncio.Task[None] | None
    ) -> None:
        transcript = await decode.task
        if not transcript.text and not decode.thorough:  # it was still running when the utterance ended
            transcript = await self._decode(utterance, thorough=True).task
        if previous is not None:
            await previous
        await self._emit(Heard("final", utterance.start, self._spoken(utterance), transcript))

    @staticmethod
    def _spoken(utterance: Utterance) -> float:
        return utterance.speech_end * SECONDS

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


@cache
def _silero() -> Any:
    return new_inference_session(force_cpu=True)
