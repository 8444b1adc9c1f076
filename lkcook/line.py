"""The wire of a call: session, caller and listener are connected, carried, and released whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from livekit.agents import Agent, AgentSession
from livekit.agents.utils import http_context
from livekit.agents.voice import io
from livekit.agents.voice.transcription import TranscriptSynchronizer

from lkcook import takeover
from lkcook.audio.listener import Listener
from lkcook.conversation import LiveConversation
from lkcook.errors import CookError
from lkcook.failures import server_words
from lkcook.tokens import TextTap

if TYPE_CHECKING:
    from lkcook.call import Call

CLOSE_LIMIT = 15.0  # seconds a session or a device may take to close before it counts as stuck

_closing: set[asyncio.Task[None]] = set()  # asyncio itself keeps only weak references


class TelephoneLine:
    """Carries `session` between `call.caller` and `listener`; what is heard and said goes into `call`.

    What cannot be released becomes one of the call's errors, so that it keeps nothing else from being released.
    """

    def __init__(self, call: Call, session: AgentSession, listener: Listener, patience: float) -> None:
        self._call = call
        self._button = call.caller.button
        self._session = session
        self._listener = listener
        self._conversation = LiveConversation(session, call.caller, call.recorder, patience)
        self._parts = contextlib.AsyncExitStack()

    async def run(self, agent: Agent | None) -> tuple[CookError | None, bool]:
        """Connect, carry, hang up. Returns what the caller met, and whether somebody hung up from outside.

        agent: None where the session runs already.
        """
        met, stopped = None, False
        async with http_context.open():
            try:
                await self._connect(agent)
                await self._carry()
            except (asyncio.CancelledError, KeyboardInterrupt):
                stopped = True
                accept_interruption()
            except CookError as error:
                met = error
            finally:
                await self._hang_up()
        return (self._button and self._button.error) or met, stopped

    async def _connect(self, agent: Agent | None) -> None:
        """Tap both sides into the recorder, follow the session's events, and start it, or take it over."""
        call, session = self._call, self._session
        # without the synchronizer an interrupted reply is kept with its full text, unheard words included
        synchronizer = TranscriptSynchronizer(next_in_chain_audio=self._listener, next_in_chain_text=None)
        self._follow(self._listener)
        self._release_later("listener", self._listener.aclose)
        self._release_later("transcript", synchronizer.aclose)
        self._release_later("noise canceller", call.treatment.close)  # when nobody asks for frames any more
        running, room_io = takeover.is_running(session), takeover.leave_room(session)
        if running:
            self._parts.callback(takeover.forget, session)
        if room_io is not None:
            self._release_later("room", room_io.aclose)
        self._release_later("session", session.aclose)
        self._release_later("caller", call.caller.aclose)
        await call.treatment.begin(call.caller, functools.partial(call.journal.tell, "note"))
        await call.caller.prepare()
        await self._listener.start()
        if self._button is not None:
            session.input.set_audio_enabled(False)  # until it is pressed, as in LiveKit's push-to-talk example
        self._listener.arrival = lambda at, seconds: call.journal.frames.append((at, seconds))
        call.started_at = call.journal.origin = time.time()
        if running and takeover.keeps_its_outputs(session):
            takeover.redirect(session, room_io, self._listener, self._tapped)
        else:
            await takeover.silence(session)
            session.output.audio = synchronizer.audio_output
            session.output.transcription = self._tapped(synchronizer.text_output)
        session.input.audio = call.caller
        if not running:
            await self._start(agent)
        self._hand_over_button()

    def _hand_over_button(self) -> None:
        """Push-to-talk begins: from now on the button does what it says."""
        if self._button is not None:
            self._button.follow = self._call.journal.follow_button
            self._release_later("push-to-talk", self._button.close)
            self._button.open(self._session)

    def _tapped(self, text: io.TextOutput) -> io.TextOutput:
        return TextTap(text, self._call.journal.tokens)

    async def _carry(self) -> None:
        """Let the caller talk until it hangs up or the session is over; raises what the caller or listener raises."""
        conversing = asyncio.ensure_future(self._call.caller.converse(self._conversation))
        deaf = asyncio.ensure_future(self._listener.lost())
        ends = {conversing, deaf, asyncio.ensure_future(self._conversation.ended())}
        if self._button is not None:
            ends.add(asyncio.ensure_future(self._button.failed()))
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await stop(ends)
        for side in (conversing, deaf):
            if not side.cancelled():
                side.result()

    async def _hang_up(self) -> None:
        """Release everything. An interruption stops the waiting for that, not the releasing."""
        self._call.ended_at = time.time()
        closing = asyncio.ensure_future(self._parts.aclose())
        _closing.add(closing)
        closing.add_done_callback(_closing.discard)
        try:
            await asyncio.shield(closing)
        finally:
            self._call.usage = self._session.usage

    async def _start(self, agent: Agent | None) -> None:
        assert agent is not None, "takeover.check() comes first"
        starting = asyncio.ensure_future(self._session.start(agent))
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            # a half-started session cannot be closed
            await asyncio.wait({starting}, timeout=CLOSE_LIMIT)
            raise

    def _follow(self, voice: io.AudioOutput) -> None:
        """`voice` tells when the agent begins to sound, and when it has finished."""
        caller, recorder = self._call.caller, self._call.recorder
        caller.tap, self._listener.tap = recorder.hear_caller, recorder.hear_agent
        caller.cleaned_tap, caller.voice_tap = recorder.hear_cleaned, recorder.voice.add
        note = functools.partial(self._call.journal.tell, "note")
        caller.on_note = self._listener.on_note = note
        self._parts.callback(self._untap)
        self._parts.callback(self._call.journal.follow(self._session))
        self._parts.callback(self._conversation.follow(voice))
        self._call.journal.server_words = self._parts.enter_context(server_words(note))

    def _untap(self) -> None:
        caller = self._call.caller
        caller.voice_tap = caller.cleaned_tap = None
        for side in (caller, self._listener):
            side.tap = side.on_note = None

    def _release_later(self, name: str, close: Callable[[], Awaitable[None]]) -> None:
        self._parts.push_async_callback(self._release, name, close)

    async def _release(self, name: str, close: Callable[[], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(CLOSE_LIMIT):
                await close()
        except Exception as error:
            self._call.journal.failed(close, error, recoverable=False, stage=f"hang-up ({name})")


def accept_interruption() -> None:
    """Count an interrupted cell as hanging up: the task goes on, to return the call."""
    if (task := asyncio.current_task()) is not None:
        task.uncancel()


async def stop(tasks: set[asyncio.Future[None]]) -> None:
    """Cancel until they end: a caller that uses asyncio.wait_for can swallow a cancellation on Python 3.11."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=0.5)
