"""A stand-in for Whisper that hears what the test says, and somebody who listens with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from lkcook import pcm
from lkcook.engines.recognizer import SAMPLE_RATE, WINDOW, Heard, Recognizer
from lkcook.engines.transcript import Transcript


@dataclass(eq=False)
class Asked:
    """One call of transcribe(). It comes back once it is released."""

    audio: np.ndarray
    language: str | None
    thorough: bool
    released: threading.Event = field(default_factory=threading.Event)
    age: int = 0  # windows heard since

    @property
    def seconds(self) -> float:
        return len(self.audio) / SAMPLE_RATE


class ScriptedEngine:
    """Hears what `hears` answers; by default "decode" and the number of the decode.

    hold: a decode comes back only when the test releases it. in_turn=False: many at a time, as if never busy.
    """

    def __init__(
        self, hears: Callable[[Asked], str] | None = None, *, hold: bool = False, in_turn: bool = True
    ) -> None:
        self.asked: list[Asked] = []
        self.held: list[Asked] = []
        self.hold, self.occupied = hold, False
        self._hears = hears or (lambda asked: f"decode {self.asked.index(asked)}")
        self._turn = threading.Lock() if in_turn else threading.Semaphore(99)
        self._in_turn = in_turn

    @property
    def busy(self) -> bool:
        return self.occupied or (self._in_turn and bool(self.held))

    def transcribe(
        self,
        samples: np.ndarray,
        *,
        language: str | None = "en",
        retry: bool = True,
        keyterms: Sequence[str] = (),
    ) -> Transcript:
        with self._turn:
            asked = Asked(samples.copy(), language, retry)
            self.asked.append(asked)
            if self.hold:
                self.held.append(asked)
                asked.released.wait(30)  # a failing test leaves decodes held: its thread must end
                self.held.remove(asked)
            return Transcript(self._hears(asked), language or "en", 0.9)


@dataclass(frozen=True)
class Told:
    """An event, and how many seconds of audio had been heard by then."""

    heard: Heard
    at: float

    @property
    def text(self) -> str:
        return self.heard.transcript.text


class Listener:
    """A Recognizer on a scripted engine, and all it told.

    latency: windows of audio that pass while a held decode is under way; None: until the test releases it.
    """

    def __init__(self, engine: ScriptedEngine | None = None, *, latency: int | None = None, **options: object) -> None:
        self.engine = engine or ScriptedEngine(hold=latency is not None)
        self.told: list[Told] = []
        self.recognizer = Recognizer(self.engine, self._tell, **options)  # type: ignore[arg-type]
        self._latency, self._windows = latency, 0
        self._others = asyncio.all_tasks()

    async def _tell(self, heard: Heard) -> None:
        self.told.append(Told(heard, self._windows * WINDOW / SAMPLE_RATE))

    def kinds(self) -> list[str]:
        return [told.heard.kind for told in self.told]

    def all(self, kind: str) -> list[Told]:
        return [told for told in self.told if told.heard.kind == kind]

    def behind(self, told: Told) -> Asked:
        """The decode that a transcript is from, if the engine says what it says by default."""
        return self.engine.asked[int(told.text.removeprefix("decode "))]

    async def hear(self, samples: np.ndarray, step: int = WINDOW) -> None:
        """int16 at 16 kHz, `step` samples at a time, as fast as decodes and this machine allow."""
        for at in range(0, len(samples), step):
            self._windows = (at + step) // WINDOW
            await self.recognizer.push(pcm.to_float(samples[at : at + step]))
            await self.settled()
            for asked in list(self.engine.held) if self._latency is not None else ():
                asked.age += 1
                if asked.age > self._latency:
                    await self.release(asked)

    async def release(self, *held: Asked) -> None:
        """Let decodes come back; without any named, all of them, now and from now on."""
        if not held:
            self.engine.hold = False
        for asked in held or list(self.engine.held):
            asked.released.set()
            await self.until(lambda asked=asked: asked not in self.engine.held)  # type: ignore[misc]
        await self.settled()

    async def settled(self) -> None:
        """Until every decode is back and told, or one is held."""
        await self.until(lambda: not self.tasks() or bool(self.engine.held))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let decodes and tasks go on until it is so."""
        await asyncio.sleep(0)
        while not condition():
            await asyncio.sleep(0)

    def tasks(self) -> set[asyncio.Task[object]]:
        """What the recognizer has under way."""
        return asyncio.all_tasks() - self._others - {asyncio.current_task()}  # type: ignore[arg-type]
