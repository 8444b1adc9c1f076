"""What a caller needs to know about the agent: is it quiet, does it speak, has it replied, is the call over.

Everything here waits on events of the session and the listener; nothing polls. A wait gives up after
`patience` seconds without a sound from the agent, so a call cannot hang.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from livekit.agents import AgentSession
from livekit.agents.voice import SpeechHandle, io
from livekit.agents.voice import (
    AgentStateChangedEvent,
    CloseEvent,
    ErrorEvent,
    SpeechCreatedEvent,
    UserStateChangedEvent,
)

from lkcook.audio.caller import Caller
from lkcook.errors import CallError
from lkcook.push_to_talk import why_unanswered
from lkcook.report.recording import Recorder
from lkcook.verdict import NO_REPLY, STILL_SPEAKING

GRACE = 0.3  # seconds: a second final transcript of the same turn may still start another reply


class LiveConversation:
    """The state of the agent's side of a running call; handed to `Caller.converse`."""

    def __init__(self, session: AgentSession, caller: Caller, recorder: Recorder, patience: float) -> None:
        self._session = session
        self._caller = caller
        self._recorder = recorder
        self._patience = patience
        self._changed = asyncio.Event()
        self._over = asyncio.Event()
        self._agent_state: str = session.agent_state
        self._caller_state = "listening"
        self._caller_active_at = 0.0
        self._born: dict[str, float] = {}
        self._unfinished: set[SpeechHandle] = set()
        self._playing = False
        self._replies: list[tuple[float, float]] = []

    # -- what a caller asks ---------------------------------------------------------------------

    async def agent_quiet(self) -> None:
        """Returns once the agent has nothing left to say: no pending speech, playout drained, state listening."""
        await self._nothing_pending()
        while not self._caller.spoken and await self._stirs_within(GRACE):
            await self._nothing_pending()  # a greeting may need a moment to begin

    async def agent_speaking(self) -> None:
        """Returns once the agent is audibly speaking: its answer to the last line, if one was spoken."""
        since = self._caller.spoken[-1].started_at if self._caller.spoken else 0.0
        if not await self._until(lambda: self._playing and self._replies[-1][1] >= since):
            raise self._unanswered(f"a caller waited to interrupt the agent, but {self._silence()}", since)

    async def agent_replied(self) -> None:
        """Returns when the reply to the line just spoken was played; CallError when none comes."""
        line = self._caller.spoken[-1] if self._caller.spoken else None
        ended = line.ended_at if line else time.time()
        started = line.started_at if line else ended
        if not await self._until(lambda: self._answered(started, ended)):
            # an agent that spoke into the line and ignored the rest has replied, if rudely
            if not any(sound > started for sound, _ in self._replies):
                said = f' to "{line.text}"' if line else ""
                raise self._unanswered(f"no reply{said}: {self._silence()}", started)
        await self._nothing_pending()
        while await self._stirs_within(GRACE):
            await self._nothing_pending()

    async def ended(self) -> None:
        """Returns when the call is over for another reason: the session closed, or failed for good."""
        await self._over.wait()

    @property
    def sounded_at(self) -> float:
        """time.time() when the session last began to sound; 0 before."""
        return self._replies[-1][0] if self._replies else 0.0

    # -- how the answers are found --------------------------------------------------------------

    async def _nothing_pending(self) -> None:
        if not await self._until(self._quiet):
            raise CallError("reply", f"the agent had something to say, but {self._silence()}", NO_REPLY)

    def _quiet(self) -> bool:
        return not self._unfinished and not self._playing and self._agent_state not in ("thinking", "speaking")

    def _answered(self, line_started: float, line_ended: float) -> bool:
        """A reply made for this line sounds after it, or began inside it and nothing of the line came later."""
        for sound, born in reversed(self._replies):
            if born < line_started:
                continue  # what the caller interrupted goes on: that is no reply
            rest_unheard = self._caller_state != "speaking" and self._caller_active_at < sound
            return sound > line_ended or (rest_unheard and sound > line_started)
        return False

    async def _until(self, condition: Callable[[], bool]) -> bool:
        """True as soon as `condition` holds; False after `patience` seconds without a sound from the agent."""
        since = time.time()
        while not condition():
            left = max(since, self._recorder.agent_heard_at) + self._patience - time.time()
            if left <= 0:
                return False
            with contextlib.suppress(TimeoutError):  # the agent may have been heard meanwhile, without any event
                await self._change_within(left)
        return True

    async def _stirs_within(self, seconds: float) -> bool:
        deadline = time.time() + seconds
        while self._quiet():
            try:
                await self._change_within(deadline - time.time())
            except TimeoutError:
                return False
        return True

    async def _change_within(self, seconds: float) -> None:
        self._changed.clear()
        async with asyncio.timeout(seconds):  # Python 3.11's wait_for can swallow a cancellation
            await self._changed.wait()

    def _unanswered(self, cause: str, since: float) -> CallError:
        usual = STILL_SPEAKING if self._caller_state == "speaking" else NO_REPLY
        return CallError("reply", cause, why_unanswered(self._session, self._caller.button, since) or usual)

    def _silence(self) -> str:
        state = {"thinking": ", it is still thinking", "speaking": ", though it believes that it speaks"}
        return f"the agent was not heard for {self._patience:g} s{state.get(self._agent_state, '')}"

    # -- what the session and the listener report -----------------------------------------------

    def follow(self, listener: io.AudioOutput) -> Callable[[], None]:
        """Subscribe to the session and the listener; returns what ends the subscription."""
        handlers = {
            (self._session, "speech_created"): self._on_speech,
            (self._session, "agent_state_changed"): self._on_agent_state,
            (self._session, "user_state_changed"): self._on_caller_state,
            (self._session, "error"): self._on_error,
            (self._session, "close"): self._on_close,
            (listener, "playback_started"): self._on_sound,
            (listener, "playback_finished"): self._on_silence,
        }
        for (emitter, event), handler in handlers.items():
            emitter.on(event, handler)
        if (speech := self._session.current_speech) is not None:  # of a session that ran before the call
            self._wait_for(speech, time.time())

        def unfollow() -> None:
            for (emitter, event), handler in handlers.items():
                emitter.off(event, handler)

        return unfollow

    def _on_speech(self, event: SpeechCreatedEvent) -> None:
        self._wait_for(event.speech_handle, event.created_at)

    def _wait_for(self, speech: SpeechHandle, born: float) -> None:
        self._born[speech.id] = born
        self._unfinished.add(speech)
        speech.add_done_callback(self._on_speech_done)
        self._changed.set()

    def _on_speech_done(self, speech: SpeechHandle) -> None:
        self._unfinished.discard(speech)
        if speech.exception() is not None:
            self._over.set()
        self._changed.set()

    def _on_agent_state(self, event: AgentStateChangedEvent) -> None:
        self._agent_state = event.new_state
        self._changed.set()

    def _on_caller_state(self, event: UserStateChangedEvent) -> None:
        self._caller_state = event.new_state
        if event.new_state != "away":
            self._caller_active_at = max(self._caller_active_at, event.created_at)
        self._changed.set()

    def _on_sound(self, event: io.PlaybackStartedEvent) -> None:
        speech = self._session.current_speech
        born = self._born.get(speech.id, event.created_at) if speech else event.created_at
        self._replies.append((event.created_at, born))
        self._playing = True
        self._changed.set()

    def _on_silence(self, event: io.PlaybackFinishedEvent) -> None:
        self._playing = False
        self._changed.set()

    def _on_error(self, event: ErrorEvent) -> None:
        if not getattr(event.error, "recoverable", False):
            self._over.set()

    def _on_close(self, event: CloseEvent) -> None:
        self._over.set()
