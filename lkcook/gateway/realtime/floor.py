"""Who has the floor: what the ear tells of the caller, and what the model does about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Protocol

from lkcook.gateway.realtime import events
from lkcook.gateway.realtime.answers import Answers
from lkcook.gateway.realtime.items import Message
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.realtime.response import Response
from lkcook.gateway.realtime.settings import ServerVAD, Settings
from lkcook.gateway.realtime.tasks import Tasks
from lkcook.gateway.realtime.timer import Timer
from lkcook.gateway.realtime.turn import Turn
from lkcook.gateway.realtime.turns import Ear


class Talk(Protocol):
    """What the floor asks of its conversation."""

    settings: Settings

    def take(self, turn: Turn) -> Message:
        """The turn becomes the caller's message."""

    def respond(self) -> Response:
        """Answer now. Raises Rejected while another answer is under way."""

    def interrupt(self) -> None:
        """The caller speaks over the answer, if there is one."""


class Floor:
    """A turns.Listener. `ear` is set before anything is heard."""

    ear: Ear

    def __init__(self, talk: Talk, answers: Answers, tell: Callable[[events.Event], None]) -> None:
        self._talk, self._answers, self._tell = talk, answers, tell
        self._latest: Turn | None = None  # the turn that is to be answered, if any
        self._owed = False  # whether words of the caller's are unanswered
        self._idle = Timer()
        self._tasks = Tasks()

    def on_speech(self, turn: Turn) -> None:
        """The caller begins; whoever speaks is interrupted, if that is wanted."""
        self._tell(events.SpeechStarted(turn.id, turn.start))
        self._idle.stop()
        if self._interrupts:
            self._talk.interrupt()

    def on_words(self, turn: Turn, text: str, *, pause: bool) -> None:
        """Guesses are read ahead; what may be all of a turn is answered ahead."""
        settings, turns = self._talk.settings, self._talk.settings.turns
        if settings.listens or (turns is not None and settings.transcribes):
            self._tell(events.Hearing(turn.id, text))
        if self._answers.active is not None or settings.listens:
            return
        if not pause:
            self._answers.anticipate(text)
        elif turns is None or turns.create_response:
            self._answers.begin(text)

    def on_resumed(self, turn: Turn) -> None:
        """Too early."""
        self._answers.drop_draft()

    def on_turn(self, turn: Turn) -> None:
        """The turn is over: it becomes a message, and is answered if anything was said."""
        self._tell(events.SpeechStopped(turn.id, turn.end))
        self._talk.take(turn)
        turns = self._talk.settings.turns
        if turns is not None and turns.create_response:
            self.answer(turn)

    def answer(self, turn: Turn) -> None:
        """Answer a turn once it is understood, unless nothing was said in it."""
        self._latest = turn
        self._tasks.spawn(self._answer(turn))

    def taken(self) -> None:
        """The model has begun to answer."""
        self._owed = False
        self._idle.stop()

    def wait_for_caller(self) -> None:
        """Nobody speaks; should nobody begin to, the model does, if that is wanted."""
        turns = self._talk.settings.turns
        if isinstance(turns, ServerVAD) and turns.idle_timeout is not None:
            self._idle.start(self._answers.playing + turns.idle_timeout, partial(self._speak_up, self.ear.now))
        else:
            self._idle.stop()

    async def aclose(self) -> None:
        """Nobody is waited for any more."""
        self._idle.stop()
        await self._tasks.aclose()

    @property
    def _interrupts(self) -> bool:
        turns = self._talk.settings.turns
        return turns is not None and turns.interrupt_response

    async def _answer(self, turn: Turn) -> None:
        """A noise is no turn: when nothing was understood, nobody answers. Who speaks on is answered once, at the end."""
        await asyncio.wait([turn.transcript])
        if turn.transcript.cancelled() or turn.transcript.exception():
            return
        self._owed = self._owed or bool(turn.transcript.result())
        if not self._owed or turn is not self._latest or (self._interrupts and self.ear.speaking):
            return
        try:
            self._talk.respond()
        except Rejected as error:  # the client let the model speak on while the caller spoke
            self._tell(events.Problem(str(error), error.reason))

    def _speak_up(self, since: float) -> None:
        """Nobody has said anything `since`: the silence is committed, and answered."""
        if self.ear.speaking or self._answers.active is not None:
            return
        turn = self.ear.commit()
        self._tell(events.TimedOut(turn.id, since, self.ear.now))
        self._talk.take(turn)
        self._talk.respond()
