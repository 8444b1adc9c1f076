"""A room of LiveKit Cloud: the agent's end of it for `job(room=True)`, and the caller's end for `talk()`."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable

import numpy as np
from livekit import api, rtc
from livekit.agents import AgentSession, utils

from lkcook import backend, pcm
from lkcook.audio.caller import Caller
from lkcook.audio.line import AUDIBLE
from lkcook.audio.listener import Listener
from lkcook.errors import BackendError, CallError

AGENT, CALLER = "agent", "caller"
JOIN_LIMIT = 15.0  # seconds for a server to let somebody in, and for a track to arrive
RATE = 48_000  # Hz, what WebRTC's Opus has
LAG = 0.2  # seconds of the agent's track that may wait to be heard; see Guest._hear
_REFUSED = ("401", "403", "invalid token", "unauthorized", "permission denied")


async def agents_room() -> rtc.Room:
    """A fresh room that the agent has joined. Raises BackendError."""
    return await _joined(utils.shortuuid("lkcook-"), AGENT)


async def _joined(name: str, who: str) -> rtc.Room:
    """`who` joins the room `name` with a token of its own. Raises BackendError: no keys, refused ones, no network."""
    url, key, secret = _keys()
    grants = api.VideoGrants(room_join=True, room=name, agent=who == AGENT, can_update_own_metadata=True)
    token = api.AccessToken(key, secret).with_identity(f"lkcook-{who}").with_grants(grants)
    token = token.with_kind("agent" if who == AGENT else "standard")
    room = rtc.Room()
    try:
        async with asyncio.timeout(JOIN_LIMIT):
            await room.connect(url, token.to_jwt())
    except (rtc.ConnectError, TimeoutError) as error:
        await room.disconnect()
        raise _unreachable(who, url, getattr(error, "message", f"no answer in {JOIN_LIMIT:g} s")) from error
    return room


def _keys() -> list[str]:
    if missing := backend.missing_cloud_keys():
        raise BackendError(
            f"A room of LiveKit Cloud needs {' and '.join(missing)}",
            "set them before you start JupyterLab (LiveKit Cloud → Settings → API keys)",
        )
    return [os.environ[name] for name in backend.CLOUD]


def _unreachable(who: str, url: str, cause: str) -> BackendError:
    if any(word in cause.lower() for word in _REFUSED):
        remedy = "check that LIVEKIT_API_KEY and LIVEKIT_API_SECRET belong to the project of LIVEKIT_URL"
    else:
        remedy = "check LIVEKIT_URL, and that this machine may reach it: wss on port 443, and for sound UDP or TURN"
    return BackendError(f"The {who} could not join a room at {url}: {cause}", remedy)


class Guest:
    """The caller's end of a call in a room: publishes what `caller` says, lets `listener` hear the agent's track."""

    def __init__(self, caller: Caller, listener: Listener) -> None:
        self._caller, self._listener = caller, listener
        self._parts = contextlib.AsyncExitStack()
        self._agents_track: asyncio.Future[rtc.Track] = asyncio.Future()
        self._arrived = asyncio.Event()
        self._source = rtc.AudioSource(RATE, 1)
        self._parts.push_async_callback(self._source.aclose)

    async def join(self, agents: rtc.Room) -> None:
        """Enter the room where the agent is, and publish. Raises BackendError."""
        room = await _joined(agents.name, CALLER)
        self._parts.push_async_callback(room.disconnect)
        self._identity = agents.local_participant.identity
        room.on("track_subscribed", self._on_track)
        for participant in room.remote_participants.values():
            for publication in participant.track_publications.values():
                if publication.track is not None:
                    self._on_track(publication.track, publication, participant)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await room.local_participant.publish_track(track, options)

    async def met(self, session: AgentSession) -> None:
        """Returns once both hear each other. Raises CallError when they do not within 15 s."""
        try:
            async with asyncio.timeout(JOIN_LIMIT):
                await session.room_io.wait_for_ready()
                await asyncio.shield(self._agents_track)
        except TimeoutError as late:
            cause = f"agent and caller did not hear each other within {JOIN_LIMIT:g} s"
            raise CallError("room", cause, "see LiveKit's log, and run the cell again") from late

    async def carry(self) -> None:
        """Hand sound to and fro; ends when the caller's or the agent's does."""
        both = {asyncio.ensure_future(self._speak()), asyncio.ensure_future(self._hear())}
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
        for task in done:
            task.result()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns once `condition` holds; it is asked with every frame of the agent's track."""
        while not condition():
            self._arrived.clear()
            await self._arrived.wait()

    async def aclose(self) -> None:
        """Leave the room. May be called twice."""
        await self._parts.aclose()

    def _on_track(self, track: rtc.Track, _publication: object, participant: rtc.RemoteParticipant) -> None:
        its = participant.identity == self._identity and track.kind == rtc.TrackKind.KIND_AUDIO
        if its and not self._agents_track.done():
            self._agents_track.set_result(track)

    async def _speak(self) -> None:
        resampler: pcm.Resampler | None = None
        async for frame in self._caller:
            if resampler is None or resampler.source != frame.sample_rate:
                resampler = pcm.Resampler(frame.sample_rate, RATE)
            samples = resampler.push(np.array(frame.data, np.int16))
            if len(samples):
                await self._source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, len(samples)))

    async def _hear(self) -> None:
        """A track never pauses: whatever holds this machine up would delay all that follows, if silence were not left out."""
        stream = rtc.AudioStream.from_track(track=await self._agents_track, sample_rate=RATE, num_channels=1)
        try:
            async for event in stream:
                silent = np.abs(np.frombuffer(event.frame.data, np.int16).astype(np.int32)).max(initial=0) < AUDIBLE
                if not silent or self._listener.waiting < LAG:
                    await self._listener.capture_frame(event.frame)
                self._arrived.set()
        finally:
            await stream.aclose()
