"""Streaming recognition: audio in, and out come the start of speech, interim, preflight and final transcripts.

Silero VAD (MIT, from livekit-plugins-silero) marks speech in windows of 32 ms. As soon as a pause begins the
utterance so far is decoded; if the pause lasts, that very decode becomes the final transcript, so its time
is hidden inside the endpointing wait. Speech that resumes throws the decode away.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, TypeVar

import numpy as np
from livekit.plugins.silero.onnx_model import OnnxModel, new_inference_session

from lkcook.engines.speech_to_text import SpeechToText, Transcript

SAMPLE_RATE = 16_000
WINDOW = 512  # samples, 32 ms: what Silero was trained on
ENDPOINTING = 0.35  # seconds of silence that end an utterance
_SECONDS = WINDOW / SAMPLE_RATE
_SPEECH, _STILL_SPEECH = 0.5, 0.35  # probabilities: to begin, to go on
_ONSET = 2  # windows of speech that begin an utterance; fewer are clicks
_PREROLL = 10  # windows kept before the onset: a soft first consonant is below the threshold
_PAUSE = 2  # quiet windows after which the decode starts
_QUIET = 0.05  # of the utterance's loudest window: Silero takes about 0.1 s more to let go of a word
_INTERIM_EVERY = 0.6  # seconds of new speech between interim transcripts
_LONGEST = 28.0  # seconds; Whisper's window is 30


T = TypeVar("T")


@dataclass(frozen=True)
class Heard:
    """One event. start and duration: seconds since the stream began, of the utterance it belongs to."""

    kind: Literal["speech_started", "interim", "preflight", "final"]
    start: float
    duration: float = 0.0
    transcript: Transcript = Transcript("", "")


@dataclass
class _Utterance:
    windows: list[np.ndarray]
    start: float
    silence: int = 0  # windows since Silero last heard speech
    quiet: int = 0  # windows since it was last loud
    loudest: float = 0.0  # RMS
    interim_at: float = 0.0  # seconds of audio at the last interim
    decode: asyncio.Task[Transcript] | None = field(default=None)

    @property
    def seconds(self) -> float:
        return len(self.windows) * _SECONDS


class Recognizer:
    """One stream of float32 mono 16 kHz audio. `emit` is awaited for each event, finals in spoken order.

    language: ISO 639-1 or None to detect it per utterance. endpointing: seconds of silence before a final.
    """

    def __init__(
        self,
        engine: SpeechToText,
        emit: Callable[[Heard], Awaitable[None]],
        *,
        language: str | None = "en",
        endpointing: float = ENDPOINTING,
    ) -> None:
        self.language, self.endpointing = language, endpointing
        self._engine, self._emit = engine, emit
        self._vad = OnnxModel(onnx_session=_silero(), sample_rate=SAMPLE_RATE)
        self._rest = np.zeros(0, np.float32)
        self._preroll: deque[np.ndarray] = deque(maxlen=_PREROLL)
        self._onset = self._windows = 0
        self._utterance: _Utterance | None = None
        self._last_final: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def push(self, samples: np.ndarray) -> None:
        """Take any number of samples. Returns once they are judged; decoding goes on beside it."""
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
        if self._last_final is not None:
            await self._last_final

    async def aclose(self) -> None:
        """Drop whatever is still being decoded."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _judge(self, window: np.ndarray, probability: float) -> None:
        if self._utterance is None:
            self._preroll.append(window)
            self._onset = self._onset + 1 if probability >= _SPEECH else 0
            if self._onset >= _ONSET:
                await self._begin()
            return
        utterance = self._utterance
        utterance.windows.append(window)
        speech = probability >= (_SPEECH if utterance.silence else _STILL_SPEECH)
        utterance.silence = 0 if speech else utterance.silence + 1
        utterance.quiet = 0 if speech and is_loud(window, utterance) else utterance.quiet + 1
        if utterance.quiet:
            self._pause(utterance)
        else:
            self._go_on(utterance)
        if utterance.silence * _SECONDS >= self.endpointing or utterance.seconds >= _LONGEST:
            self._finish(utterance)

    async def _begin(self) -> None:
        start = (self._windows - len(self._preroll)) * _SECONDS
        self._utterance = _Utterance(list(self._preroll), start)
        for window in self._preroll:
            is_loud(window, self._utterance)
        self._preroll.clear()
        self._onset = 0
        await self._emit(Heard("speech_started", start))

    def _go_on(self, utterance: _Utterance) -> None:
        utterance.decode = None  # speech resumed: whatever the pause promised is void
        if utterance.seconds - utterance.interim_at >= _INTERIM_EVERY and not self._engine.busy:
            utterance.interim_at = utterance.seconds
            self._spawn(self._tell_interim(utterance))

    def _pause(self, utterance: _Utterance) -> None:
        if utterance.quiet == _PAUSE:
            utterance.decode = self._decode(utterance)
            self._spawn(self._tell_preflight(utterance, utterance.decode))

    def _finish(self, utterance: _Utterance) -> None:
        self._utterance = None
        decode = utterance.decode or self._decode(utterance)
        self._last_final = self._spawn(self._tell_final(utterance, decode, self._last_final))

    def _decode(self, utterance: _Utterance) -> asyncio.Task[Transcript]:
        audio = np.concatenate(utterance.windows)
        work = asyncio.to_thread(self._engine.transcribe, audio, language=self.language)
        return self._spawn(work)

    async def _tell_interim(self, utterance: _Utterance) -> None:
        audio = np.concatenate(utterance.windows)
        transcript = await asyncio.to_thread(
            self._engine.transcribe, audio, language=self.language, interim=True
        )
        if transcript.text and utterance is self._utterance and utterance.decode is None:
            await self._emit(Heard("interim", utterance.start, utterance.seconds, transcript))

    async def _tell_preflight(self, utterance: _Utterance, decode: asyncio.Task[Transcript]) -> None:
        transcript = await decode
        if transcript.text and utterance is self._utterance and utterance.decode is decode:
            await self._emit(Heard("preflight", utterance.start, self._spoken(utterance), transcript))

    async def _tell_final(
        self,
        utterance: _Utterance,
        decode: asyncio.Task[Transcript],
        previous: asyncio.Task[None] | None,
    ) -> None:
        transcript = await decode
        if previous is not None:
            await previous
        await self._emit(Heard("final", utterance.start, self._spoken(utterance), transcript))

    @staticmethod
    def _spoken(utterance: _Utterance) -> float:
        return utterance.seconds - utterance.silence * _SECONDS

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def is_loud(window: np.ndarray, utterance: _Utterance) -> bool:
    """Whether `window` is louder than this utterance's pauses; learns the utterance's level as it goes."""
    rms = float(np.sqrt(np.mean(window**2)))
    utterance.loudest = max(utterance.loudest, rms)
    return rms >= _QUIET * utterance.loudest


@cache
def _silero() -> Any:
    return new_inference_session(force_cpu=True)
