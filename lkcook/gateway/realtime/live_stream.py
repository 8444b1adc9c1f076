"""What a full-duplex model says, as a stream that never pauses: a frame of sound every 50 ms, silence where there is none.

Answers come faster than anybody can listen; here they wait until it is their time. So what was heard of an answer is
known exactly, and its words are told as they sound.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from lkcook.engines.text_to_speech import SAMPLE_RATE
from lkcook.gateway.realtime.items import Message, Part

FRAME = 0.05  # seconds: how long an interrupted answer still sounds at most
_SAMPLES = int(FRAME * SAMPLE_RATE)
_PAUSE = 0.8  # seconds of silence that part two messages, as LiveKit's client has it


@dataclass(eq=False)
class _Sounding:
    """A spoken message. played: samples. told: its words so far. over: no more sound will come."""

    item: Message
    part: Part
    waiting: deque[np.ndarray] = field(default_factory=deque)
    played: int = 0
    told: str = ""
    over: bool = False


class Stream:
    """Sound in as it is made, out by the clock, in `run()`.

    frame: takes int16 mono at 24 kHz, always as many samples. words: takes text, and the seconds of the session
    between which it sounds; they come before the end of their sound.
    """

    def __init__(self, frame: Callable[[np.ndarray], None], words: Callable[[str, float, float], None]) -> None:
        self._frame, self._words = frame, words
        self._soundings: deque[_Sounding] = deque()
        self._frames = 0
        self._since: float | None = None  # when the sound of which no word is told yet began; None in a silence
        self._last = ("", -math.inf)  # the words told last, and the end of their sound

    @property
    def clock(self) -> float:
        """Seconds of the session: all the sound that has been sent, silence included."""
        return self._frames * FRAME

    def add(self, item: Message, part: Part, samples: np.ndarray) -> None:
        """More of a message, int16 at 24 kHz."""
        self._sounding(item, part).waiting.append(samples)

    def end(self, item: Message, part: Part) -> None:
        """There is no more of a message."""
        if part.said:
            self._sounding(item, part).over = True

    def drop(self) -> list[tuple[Message, float]]:
        """Silence from the next frame on. Returns the messages that are cut off, and how many seconds were heard."""
        cut = [(sounding.item, sounding.played / SAMPLE_RATE) for sounding in self._soundings]
        self._soundings.clear()
        return cut

    async def run(self) -> None:
        """Until cancelled. What is late is made up for, at twice the pace at most, so that nothing ever drifts."""
        begun = time.monotonic()
        while True:
            due = begun + (self._frames + 1) * FRAME
            await asyncio.sleep(max(due - time.monotonic(), FRAME / 2))
            self._send()

    def _sounding(self, item: Message, part: Part) -> _Sounding:
        for sounding in self._soundings:
            if sounding.part is part:
                return sounding
        self._soundings.append(made := _Sounding(item, part))
        return made

    def _send(self) -> None:
        samples, filled = np.zeros(_SAMPLES, np.int16), 0
        while self._soundings:
            sounding = self._soundings[0]
            if taken := self._take(sounding, samples[filled:]):
                self._since = self.clock if self._since is None else self._since
            filled += taken
            ended = sounding.over and not sounding.waiting
            self._tell(sounding, math.inf if ended else sounding.played / SAMPLE_RATE)
            if not ended:
                break
            self._soundings.popleft()
        if not filled:
            self._since = None
        self._frames += 1
        self._frame(samples)

    @staticmethod
    def _take(sounding: _Sounding, room: np.ndarray) -> int:
        taken = 0
        while taken < len(room) and sounding.waiting:
            chunk = sounding.waiting.popleft()
            piece = chunk[: len(room) - taken]
            room[taken : taken + len(piece)] = piece
            taken += len(piece)
            if len(piece) < len(chunk):
                sounding.waiting.appendleft(chunk[len(piece) :])
        sounding.played += taken
        return taken

    def _tell(self, sounding: _Sounding, seconds: float) -> None:
        text = "".join(words for words, _ in sounding.part.within(seconds))
        # a sentence that grows longer than it seemed has fewer words in the same time: those are not taken back
        if not text.startswith(sounding.told) or text == sounding.told:
            return
        start, end = self.clock if self._since is None else self._since, self.clock + FRAME
        delta, (before, ended) = text[len(sounding.told) :], self._last
        if not sounding.told and start - ended <= _PAUSE and not before[-1:].isspace():
            delta = f" {delta}"  # another answer right after the one before: clients make one message of the two
        sounding.told, self._since, self._last = text, end, (delta, end)
        self._words(delta, start, end)
