"""The wire of a call: session, caller and listener are connected, carried, and released whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from livekit.agents import Agent, AgentSession
from livekit.agents.voice import io
from livekit.agents.voice.transcription import TranscriptSynchronizer

from lkcook.audio.listener import Listener
from lkcook.conversation import LiveConversation
from lkcook.failures import server_words

if TYPE_CHECKING:
    from lkcook.call import Call

CLOSE_LIMIT = 15.0  # seconds a session or a device may take to close before it counts as stuck

_closing: set[asyncio.Task[None]] = set()  # asyncio itself keeps only weak references


class TelephoneLine:
    """Carries `session` between `call.caller` and `listener`; what is heard and said goes into `call`.

    `connect`, `carry`, `hang_up`, in this order. What cannot be released becomes one of the call's errors, so
    that it keeps nothing else from being released.
    """

    def __init__(self, call: Call, session: AgentSession, listener: Listener, patience: float) -> None:
        self._call = call
        self._session = session
        self._listener = listener
        self._conversation = LiveConversation(session, call.caller, call.recorder, patience)
        self._parts = contextlib.AsyncExitStack()

    async def connect(self, agent: Agent) -> None:
        """Tap both sides into the recorder, follow the session's events, and start it."""
        # without the synchronizer an interrupted reply is kept with its full text, unheard words included
        synchronizer = TranscriptSynchronizer(next_in_chain_audio=self._listener, next_in_chain_text=None)
        self._follow()
        self._release_later("listener", self._listener.aclose)
        self._release_later("transcript", synchronizer.aclose)
        self._release_later("session", self._session.aclose)
        self._release_later("caller", self._call.caller.aclose)
        await self._call.caller.prepare()
        await self._listener.start()
        self._session.input.audio = self._call.caller
        self._session.output.audio = synchronizer.audio_output
        self._listener.arrival = lambda at, seconds: self._call.journal.frames.append((at, seconds))
        self._session.output.transcription = _TextTap(synchronizer.text_output, self._call.journal.tokens)
        self._call.started_at = self._call.journal.origin = time.time()
        await self._start(agent)

    async def carry(self) -> None:
        """Let the caller talk until it hangs up or the session is over; raises what the caller or listener raises."""
        conversing = asyncio.ensure_future(self._call.caller.converse(self._conversation))
        deaf = asyncio.ensure_future(self._listener.lost())
        over = asyncio.ensure_future(self._conversation.ended())
        try:
            await asyncio.wait({conversing, deaf, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _stop({conversing, deaf, over})
        for side in (conversing, deaf):
            if not side.cancelled():
                side.result()

    async def hang_up(self) -> None:
        """Release everything. An interruption stops the waiting for that, not the releasing."""
        self._call.ended_at = time.time()
        closing = asyncio.ensure_future(self._parts.aclose())
        _closing.add(closing)
        closing.add_done_callback(_closing.discard)
        try:
            await asyncio.shield(closing)
        finally:
            self._call.usage = self._session.usage

    async def _start(self, agent: Agent) -> None:
        starting = asyncio.ensure_future(self._session.start(agent))
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            # a half-started session cannot be closed
            await asyncio.wait({starting}, timeout=CLOSE_LIMIT)
            raise

    def _follow(self) -> None:
        caller, recorder = self._call.caller, self._call.recorder
        caller.tap, self._listener.tap = recorder.hear_caller, recorder.hear_agent
        caller.on_note = self._listener.on_note = functools.partial(self._call.journal.tell, "note")
        self._parts.callback(self._untap)
        self._parts.callback(self._call.journal.follow(self._session))
        self._parts.callback(self._conversation.follow(self._listener))
        self._call.journal.server_words = self._parts.enter_context(server_words())

    def _untap(self) -> None:
        for side in (self._call.caller, self._listener):
            side.tap = side.on_note = None

    def _release_later(self, name: str, close: Callable[[], Awaitable[None]]) -> None:
        self._parts.push_async_callback(self._release, name, close)

    async def _release(self, name: str, close: Callable[[], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(CLOSE_LIMIT):
                await close()
        except Exception as error:
            self._call.journal.failed(close, error, recoverable=False, stage=f"hang-up ({name})")


class _TextTap(io.TextOutput):
    """Notes (time.time(), text) of what the agent is about to say, and hands it on.

    In front of the synchronizer, which holds each word back until it is spoken.
    """

    def __init__(self, next_in_chain: io.TextOutput, tokens: list[tuple[float, str]]) -> None:
        super().__init__(label="lkcook", next_in_chain=next_in_chain)
        self._tokens = tokens

    async def capture_text(self, text: str) -> None:
        self._tokens.append((time.time(), text))
        await self.next_in_chain.capture_text(text)

    def flush(self) -> None:
        self.next_in_chain.flush()


def accept_interruption() -> None:
    """Count an interrupted cell as hanging up: the task goes on, to return the call."""
    if (task := asyncio.current_task()) is not None:
        task.uncancel()


async def _stop(tasks: set[asyncio.Future[None]]) -> None:
    """Cancel until they end: a caller that uses asyncio.wait_for can swallow a cancellation on Python 3.11."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=0.5)
