"""Callers: whoever speaks to the agent. A synthetic one hands out audio as a microphone would.

A microphone never stops: between words it delivers silence, which voice activity detection needs to hear.
So does every caller here, in frames of 20 ms, each handed out when its last sample has "happened".
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from lkcook.audio.clip import Clip
from lkcook.audio.frames import Block, FrameInput
from lkcook.audio.line import Line, Prepared, Voice, prepare
from lkcook.errors import CookError

if TYPE_CHECKING:
    from lkcook.push_to_talk import Button

RATE = 24_000  # Hz of synthetic callers
FRAME = 0.02  # seconds
LAST_BREATH = 0.3  # seconds of silence between the last reply and hanging up

OnNote = Callable[[str], None]
"""on_note(what the reader should know of the sound device, though the call goes on)"""


@dataclass(frozen=True)
class Spoken:
    """One line as it was spoken; times are time.time(). ended_at is the last audible sample."""

    text: str
    started_at: float
    ended_at: float


class Conversation(Protocol):
    """What a caller may wait for; `talk()` provides it."""

    async def agent_quiet(self) -> None:
        """Returns once the agent has nothing left to say."""

    async def agent_speaking(self) -> None:
        """Returns once the agent is audibly speaking."""

    async def agent_replied(self) -> None:
        """After a line: returns when the reply to it was played; raises CallError when none comes."""

    async def ended(self) -> None:
        """Returns when the call is over for another reason."""


class Caller(FrameInput):
    """The side of a call that LiveKit hears.

    person: a live human speaks. spoken: the lines, if they are known. button: what a push-to-talk caller holds.
    usual_canceller: the noise canceller (lkcook.canceller) it has when nobody chooses one. suppresses_noise: what it
    hears was cleaned before.
    """

    person = False
    usual_canceller: str | None = None
    suppresses_noise = False
    button: Button | None = None

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.on_note: OnNote | None = None
        self.spoken: list[Spoken] = []

    async def prepare(self) -> None:
        """Get ready before the call begins: open devices, synthesise lines. Raises CookError."""

    async def converse(self, conversation: Conversation) -> None:
        """Play the caller's side; returns when the caller hangs up."""
        await conversation.ended()

    async def aclose(self) -> None:
        """Release whatever is held. May be called twice."""


class SyntheticCaller(Caller):
    """Speaks prepared samples at real-time pace, with silence before, between and after."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self._waiting = np.zeros(0, np.int16)
        self._said = asyncio.Event()
        self._said.set()
        self._frames = 0
        self._began: tuple[float, float] | None = None  # (monotonic, wall clock) of the first sample
        self._closed = False

    async def prepare(self) -> None:
        if self._closed:  # its lines and their times belong to the call it made
            raise CookError("This caller has hung up already", "make a new one for each call")

    async def _next_block(self) -> Block:
        if self._closed:
            raise StopAsyncIteration
        started, wall = self._began = self._began or (time.monotonic(), time.time())
        happened = started + (self._frames + 1) * FRAME
        # A late wake-up is caught up with: the clock stays that of the first frame, and nothing is lost.
        await asyncio.sleep(max(0.0, happened - time.monotonic()))
        self._frames += 1
        return self._take(int(RATE * FRAME)), RATE, wall + (self._frames - 1) * FRAME

    async def aclose(self) -> None:
        self._closed = True
        self._said.set()

    async def say(self, line: Prepared) -> None:
        """Returns when the last sample of `line` was handed out; notes when it was spoken."""
        first_frame = self._frames
        self._said.clear()
        self._waiting = line.samples
        await self._said.wait()
        if self._began is None or self._closed:
            return  # nobody listened
        start = self._began[1] + first_frame * FRAME
        self.spoken.append(
            Spoken(line.text, start + line.first_sound / RATE, start + line.last_sound / RATE)
        )

    async def speak(self, lines: Sequence[tuple[Prepared, float | None]], conversation: Conversation) -> None:
        """Say every line: when the agent is quiet, or so many seconds after it began to answer the line before."""
        for (line, barge_in), following in zip(lines, [*lines[1:], None]):
            if barge_in is None:
                await conversation.agent_quiet()
            else:
                await conversation.agent_speaking()
                await asyncio.sleep(barge_in)
            if self.button is not None:
                await self.button.press()
            await self.say(line)
            if self.button is not None:
                await self.button.release()
            if following is None or following[1] is None:
                await (conversation.agent_replied() if line.reply else conversation.agent_quiet())

    def _take(self, count: int) -> np.ndarray:
        piece, self._waiting = self._waiting[:count], self._waiting[count:]
        if not len(self._waiting):
            self._said.set()
        return np.pad(piece, (0, count - len(piece)))


class ScriptedCaller(SyntheticCaller):
    """A person with a script: says each line in a synthetic voice, lets the agent finish, says the next.

    script: text, or `Line` for pauses and barge-in. voice: a name of `engines.text_to_speech.VOICES`.
    """

    def __init__(
        self,
        script: Sequence[str | Line],
        *,
        voice: str = "caller",
        engine: Callable[[], Voice] | None = None,
    ) -> None:
        super().__init__("scripted caller")
        self._script = [line if isinstance(line, Line) else Line(line) for line in script]
        self._voice, self._engine = voice, engine
        self._lines: list[Prepared] = []

    async def prepare(self) -> None:
        await super().prepare()
        if not self._lines:
            self._lines = await asyncio.to_thread(prepare, self._script, self._voice, self._engine)

    async def converse(self, conversation: Conversation) -> None:
        await self.prepare()
        barge_ins = [line.barge_in for line in self._script]
        await self.speak(list(zip(self._lines, barge_ins, strict=True)), conversation)
        await asyncio.sleep(LAST_BREATH)


class ClipCaller(SyntheticCaller):
    """Plays a recording to the agent once, waits for the reply, and hangs up."""

    def __init__(self, clip: Clip | str | Path) -> None:
        super().__init__("recorded caller")
        name = "recording" if isinstance(clip, Clip) else Path(clip).name
        clip = clip if isinstance(clip, Clip) else Clip.read(clip)
        self._line = Prepared(name, clip.mono(RATE))

    async def converse(self, conversation: Conversation) -> None:
        await self.speak([(self._line, None)], conversation)
        await asyncio.sleep(LAST_BREATH)
