"""The wire of a call in a connected room: the session keeps its room's input and output, and the caller joins it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from typing import TYPE_CHECKING

from livekit.agents import Agent, AgentSession

from lkcook.audio.listener import Listener
from lkcook.cloud_room import Guest
from lkcook.errors import CallError
from lkcook.line import TelephoneLine, stop
from lkcook.room_options import connected_room

if TYPE_CHECKING:
    from lkcook.call import Call

TRAVEL = 3.0  # seconds that the agent's last sound may be on its way to the caller
QUIET = 0.3  # seconds without a sound, after which that was all


class RoomLine(TelephoneLine):
    """Carries a session that runs already, in a room; see `TelephoneLine`. The agent is the one that it runs with."""

    def __init__(self, call: Call, session: AgentSession, listener: Listener, patience: float) -> None:
        super().__init__(call, session, listener, patience)
        self._guest = Guest(call.caller, listener)

    async def _connect(self, agent: Agent | None) -> None:
        """Tap both sides into the recorder, follow the session's events, and let the caller join its room."""
        self._release_later("listener", self._listener.aclose)
        self._release_later("noise canceller", self._call.treatment.close)
        self._release_later("session", self._session.aclose)
        self._release_later("caller", self._call.caller.aclose)
        self._release_later("room", self._guest.aclose)
        room, voice = connected_room(self._session), self._session.output.audio
        if room is None or voice is None:
            raise CallError("room", "the session has no voice in its room", "leave audio_output of RoomOptions on")
        self._follow(voice)
        self._call.caller.usual_canceller = None  # LiveKit warns of two, one behind the other
        await self._call.treatment.begin(self._call.caller, functools.partial(self._call.journal.tell, "note"))
        await self._call.caller.prepare()
        await self._listener.start()
        if self._button is not None:
            self._session.input.set_audio_enabled(False)
        self._call.started_at = self._call.journal.origin = time.time()
        await self._guest.join(room)
        await self._guest.met(self._session)
        self._hand_over_button()

    async def _carry(self) -> None:
        """As on any line; over when the sound of one side is."""
        both = {asyncio.ensure_future(self._converse()), asyncio.ensure_future(self._guest.carry())}
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await stop(set(both))
        for task in done:
            task.result()

    async def _converse(self) -> None:
        """The session believes that it was heard once its sound has left: the caller stays until it has arrived, too."""
        await super()._carry()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TRAVEL):
                await self._guest.until(self._has_arrived)

    def _has_arrived(self) -> bool:
        heard_at = self._call.recorder.agent_heard_at
        return heard_at >= self._conversation.sounded_at and time.time() - heard_at > QUIET
