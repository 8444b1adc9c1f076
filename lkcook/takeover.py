"""A session that runs already is taken over as it is: its room's audio gives way to a caller and a listener.

`session.start(room=ctx.room, …)` builds a RoomIO, whose output holds the first frame of whatever is said until somebody
in the room subscribes to it. In a room that is not connected nobody ever does: a greeting waits there for the call.
"""

from __future__ import annotations

from collections.abc import Callable

from livekit import rtc
from livekit.agents import Agent, AgentSession
from livekit.agents.voice import io
from livekit.agents.voice.room_io import RoomIO

from lkcook.audio.listener import Listener
from lkcook.errors import CookError
from lkcook.room_options import connected_room, room_of

_SYNCHRONIZER = "TranscriptSynchronizer"  # the label of its audio output
_START = 'Pass it: talk(session, agent), or start it first: await session.start(room=ctx.room, agent=agent).'
_RUNS = "Leave the agent out: talk(session, …), or hand over with session.update_agent(agent)."


def is_running(session: AgentSession) -> bool:
    """Whether `session.start()` was called, and the session not closed since."""
    return session._started  # nothing public tells; `current_agent` is kept after the end (livekit-agents 1.8.9)


def check(session: AgentSession, agent: Agent | None, has_options: bool) -> None:
    """Raises CookError where it is not clear which agent speaks, or options come too late."""
    running = is_running(session)
    if agent is None and not running:
        raise CookError("The session is not started, and there is no agent to start it with.", _START)
    if running and agent is not None and session.current_agent is not agent:
        raise CookError("The session is started already, with another agent.", _RUNS)
    if running and has_options:
        raise CookError("The session is started already: room_options come too late.", "Give them to session.start().")


def leave_room(session: AgentSession) -> RoomIO | None:
    """From now on the session knows nothing of its room, if that is not connected; returns the RoomIO, to be closed.

    With a RoomIO in a room that is not connected livekit-agents 1.8.9 raises whenever the agent begins to speak, and
    never comes to the state "speaking" (AgentSession._update_agent_state asks for room.local_participant).
    """
    if room_of(session) is None or connected_room(session) is not None:
        return None
    room_io, session._room_io = session.room_io, None
    return room_io


def keeps_its_outputs(session: AgentSession) -> bool:
    """Whether a transcript synchronizer is there, to be kept: it knows the words of what is being said."""
    return any(output.label == _SYNCHRONIZER for output in _chain(session)) and session.output.transcription is not None


def redirect(
    session: AgentSession,
    room_io: RoomIO | None,
    listener: Listener,
    tapped: Callable[[io.TextOutput], io.TextOutput],
) -> None:
    """The agent speaks to `listener`; what it is about to say goes through `tapped(the text output)`.

    room_io: of a room that was left. What waits there for a subscriber goes to the listener, ahead of all that follows.
    """
    tail = _chain(session)[-1]
    session.output.replace_audio_tail(listener)
    # the setter would detach the synchronizer, which then forgets the words of what is being said
    session.output._transcription_sink = tapped(session.output.transcription)
    if room_io is not None and (subscribed := room_io.subscribed_fut) is not None and not subscribed.done():
        if hasattr(tail, "_audio_bstream"):
            tail._audio_bstream = _Forwarding(listener, tail.sample_rate or listener.rate)
        subscribed.set_result(None)


def forget(session: AgentSession) -> None:
    """After the call: a room that the session is started with next may set its audio again."""
    session.input.audio = session.output.audio = session.output.transcription = None


async def silence(session: AgentSession) -> None:
    """End what is being said to an output that is going to be replaced: nobody would hear it to its end."""
    if session.current_speech is not None:
        await session.interrupt(force=True)


def _chain(session: AgentSession) -> list[io.AudioOutput]:
    chain, output = [], session.output.audio
    while output is not None:
        chain.append(output)
        output = output.next_in_chain
    return chain


class _Forwarding:
    """In place of the buffer of a room's output (`_ParticipantAudioOutput._audio_bstream`)."""

    buffered_duration = 0.0

    def __init__(self, listener: Listener, rate: int) -> None:
        self._listener, self._rate = listener, rate

    def push(self, data: memoryview) -> list[rtc.AudioFrame]:
        samples = bytes(data)
        self._listener.take(rtc.AudioFrame(samples, self._rate, 1, len(samples) // 2))
        return []

    def flush(self) -> list[rtc.AudioFrame]:
        return []

    def clear(self) -> None:
        """Nothing is held."""
