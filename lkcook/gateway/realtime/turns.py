"""Whose turn is it? The ear of a conversation: sound in, turns and their transcripts out.

Silero and Whisper are those of `engines.recognizer`. When a turn is over `patience` decides, or the client; then the
recogniser only cuts the sound up.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

import numpy as np

from lkcook import pcm
from lkcook.engines.recognizer import ENDPOINTING, Heard, Recognizer
from lkcook.engines.speech_to_text import SAMPLE_RATE, SpeechToText
from lkcook.engines.utterance import SECONDS, Utterance
from lkcook.gateway.patience import Patience
from lkcook.gateway.realtime.patience import longest_silence, onset_of
from lkcook.gateway.realtime.settings import Settings
from lkcook.gateway.realtime.turn import Turn

logger = logging.getLogger("lkcook.gateway")


class Listener(Protocol):
    """Who wants to know. All three are called at once and must not wait."""

    def on_speech(self, turn: Turn) -> None:
        """Somebody began to speak. Only called while turns are found here."""

    def on_words(self, turn: Turn, text: str, *, pause: bool) -> None:
        """The turn so far; `pause`: this may be all of it."""

    def on_resumed(self, turn: Turn) -> None:
        """The caller speaks on after a pause."""

    def on_turn(self, turn: Turn) -> None:
        """The turn is over. Only called while turns are found here."""


class Ear:
    """One caller's sound. What it is told to heed of the settings may change at any time."""

    def __init__(self, engine: SpeechToText, listener: Listener, settings: Settings) -> None:
        self._engine, self._listener, self._settings = engine, listener, settings
        self._turn: Turn | None = None
        self._unsettled: list[Turn] = []
        self._heard = self._begun = 0.0  # seconds: of the session, and when the recogniser of now began
        self._since_commit = self._quiet = 0.0
        self._paused = False
        self._patience = Patience()
        self._closing: set[asyncio.Task[None]] = set()
        self._recognizer = self._new_recognizer()

    @property
    def buffered(self) -> float:
        """Seconds of sound since the last commit."""
        return self._since_commit

    @property
    def speaking(self) -> bool:
        """A turn has begun and is not over."""
        return self._turn is not None

    @property
    def now(self) -> float:
        """Seconds of sound of the session."""
        return self._heard

    def heed(self, settings: Settings) -> None:
        """New settings; a change of how turns are found begins with the next sound."""
        before, self._settings = self._settings, settings
        if onset_of(before.turns) != onset_of(settings.turns):
            self._renew()
        self._recognizer.language = settings.heard_language
        self._recognizer.keyterms = settings.keyterms

    async def push(self, samples: np.ndarray) -> None:
        """int16 mono at 16 kHz."""
        seconds = len(samples) / SAMPLE_RATE
        self._heard += seconds
        self._since_commit += seconds
        try:
            await self._recognizer.push(pcm.to_float(samples))
        except Exception as error:  # a decode failed, whatever it was: that turn is lost, the next one is not
            logger.exception("the recogniser failed")
            self._fail(error)
        self._quiet = 0.0 if self._recognizer.speaking else self._quiet + seconds
        if self._turn is not None and self._settings.turns is not None and self._quiet > ENDPOINTING:
            self._end_turn(self._turn)  # speech longer than the recogniser's window ended together with it

    def commit(self) -> Turn:
        """The client says that the turn is over; its transcript follows."""
        turn = self._turn or Turn(max(0.0, self._heard - self._since_commit), self._recognizer)
        self._close(turn)
        self._spawn(self._until_understood(self._recognizer, cut=True))
        return turn

    def clear(self) -> None:
        """Forget what was heard since the last commit."""
        self._since_commit = 0.0
        if self._turn is not None:
            self._renew()

    async def aclose(self) -> None:
        """Drop whatever is still being decoded."""
        self._fail(None)
        self._renew()
        await asyncio.gather(*self._closing, self._recognizer.aclose(), return_exceptions=True)

    def _new_recognizer(self) -> Recognizer:
        threshold, preroll = onset_of(self._settings.turns)
        made: Recognizer = Recognizer(
            self._engine,
            lambda heard: self._tell(heard, made),
            language=self._settings.heard_language,
            threshold=threshold,
            preroll=preroll,
            ended=self._ended,
        )
        made.keyterms = self._settings.keyterms
        self._begun = self._heard
        return made

    def _renew(self) -> None:
        """What was being said is dropped; turns that are over keep their decodes until these are done."""
        old, self._recognizer = self._recognizer, self._new_recognizer()
        waiting = [turn.transcript for turn in self._unsettled]
        self._turn, self._paused = None, False

        async def close() -> None:
            if waiting:
                await asyncio.wait(waiting)
            await old.aclose()

        self._spawn(close())

    async def _tell(self, heard: Heard, source: Recognizer) -> None:
        if heard.kind == "final":
            candidates = [turn for turn in [*self._unsettled, self._turn] if turn and turn.recognizer is source]
            if turn := next((turn for turn in candidates if len(turn.texts) < turn.utterances), None):
                turn.texts.append(heard.transcript.text)
                self._settle(turn)
        elif source is not self._recognizer:
            return  # of what was dropped
        elif heard.kind == "speech_started":
            self._on_onset(heard)
        elif self._turn is not None:
            self._paused = heard.kind == "preflight"
            text = self._turn.text(heard.transcript.text)
            self._listener.on_words(self._turn, text, pause=self._paused)

    def _on_onset(self, heard: Heard) -> None:
        if self._turn is None:
            self._turn = Turn(max(0.0, self._begun + heard.start), self._recognizer)
            if self._settings.turns is not None:
                self._listener.on_speech(self._turn)
        self._turn.utterances += 1
        self._patience = Patience()

    async def _ended(self, utterance: Utterance) -> bool:
        """Asked by the recogniser every 32 ms."""
        if self._paused and not utterance.silence and self._turn is not None:
            self._paused = False
            self._listener.on_resumed(self._turn)
        turns, silence = self._settings.turns, utterance.silence * SECONDS
        if turns is None:
            return silence >= ENDPOINTING
        over = silence >= await longest_silence(utterance, turns, self._patience)
        if over and self._turn is not None:
            self._end_turn(self._turn)
        return over

    def _end_turn(self, turn: Turn) -> None:
        self._close(turn)
        self._spawn(self._until_understood(self._recognizer, cut=False))
        self._listener.on_turn(turn)

    def _close(self, turn: Turn) -> None:
        self._turn, self._paused = None, False
        self._since_commit = 0.0
        turn.end, turn.over = self._heard, True
        self._unsettled.append(turn)
        self._settle(turn)

    def _settle(self, turn: Turn) -> None:
        turn.settle()
        self._unsettled = [turn for turn in self._unsettled if not turn.transcript.done()]

    async def _until_understood(self, recognizer: Recognizer, *, cut: bool) -> None:
        """A failure must be noticed even when no more sound comes. cut: end the utterance of now."""
        try:
            await (recognizer.finalize() if cut else recognizer.settled())
        except Exception as error:
            logger.exception("the recogniser failed")
            self._fail(error)

    def _fail(self, error: Exception | None) -> None:
        """Turns whose transcript will never come: with an error, or dropped."""
        for turn in self._unsettled:
            if not turn.transcript.done():
                turn.transcript.set_exception(error) if error else turn.transcript.cancel()
        self._unsettled.clear()
        self._renew()

    def _spawn(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
