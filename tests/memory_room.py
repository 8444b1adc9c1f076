"""Rooms that are joined in memory, for tests: what LiveKit's own rtc.Room does with a server, without one.

Tokens are checked as a server checks them. A track that is published reaches the others as the very same
LocalAudioTrack, whose sound the real rtc.AudioStream reads: only the network between the two ends is missing.
"""

from __future__ import annotations

import asyncio
import os
from types import SimpleNamespace
from typing import Any

import jwt
from livekit import api, rtc
from livekit.agents import utils
from livekit.agents.types import CLIENT_PROTOCOL_TRANSCRIPTION_STREAMS

SECRET = "the server's secret, of thirty-two bytes or more"


class Participant:
    """Somebody in a room; local to one of them, remote to the others."""

    def __init__(self, room: MemoryRoom, claims: api.access_token.Claims) -> None:
        self.identity, self.sid, self.name = claims.identity, utils.shortuuid("PA_"), ""
        kinds = {"agent": rtc.ParticipantKind.PARTICIPANT_KIND_AGENT}
        self.kind = kinds.get(claims.kind, rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD)
        self.attributes: dict[str, str] = {}
        self.track_publications: dict[str, Any] = {}
        self.disconnect_reason: rtc.DisconnectReason.ValueType | None = None
        self._room = room
        # livekit-agents looks there, whether anybody needs transcriptions in the old way
        self._info = SimpleNamespace(client_protocol=CLIENT_PROTOCOL_TRANSCRIPTION_STREAMS)

    async def publish_track(self, track: rtc.LocalAudioTrack, options: rtc.TrackPublishOptions) -> Any:
        publication = SimpleNamespace(
            sid=utils.shortuuid("TR_"), track=track, source=options.source, kind=track.kind, audio_features=[]
        )
        publication.wait_for_subscription = lambda: asyncio.sleep(0)
        self.track_publications[publication.sid] = publication
        self._room.emit("local_track_published", publication, track)
        for other in self._room.others:
            other.emit("track_published", publication, self)
            other.emit("track_subscribed", track, publication, self)
        return publication

    async def set_attributes(self, attributes: dict[str, str]) -> None:
        self.attributes |= attributes

    async def publish_transcription(self, _transcription: rtc.Transcription) -> None:
        return None

    async def stream_text(self, **_: Any) -> Any:
        async def taken(*_: Any, **__: Any) -> None:
            return None

        return SimpleNamespace(write=taken, aclose=taken)

    async def send_bytes(self, _data: bytes, **_: Any) -> None:
        return None

    def set_rpc_interceptors(self, _interceptors: Any) -> None:
        return None


class MemoryRoom(rtc.EventEmitter):
    """Takes the place of rtc.Room. rooms: who is where, by the room's name."""

    rooms: dict[str, list[MemoryRoom]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.name, self._connected = "", False
        self.local_participant: Any = None

    @property
    def others(self) -> list[MemoryRoom]:
        return [room for room in self.rooms.get(self.name, []) if room is not self]

    @property
    def remote_participants(self) -> dict[str, Participant]:
        return {room.local_participant.identity: room.local_participant for room in self.others}

    def isconnected(self) -> bool:
        return self._connected

    async def connect(self, url: str, token: str) -> None:
        try:
            claims = api.TokenVerifier(os.environ["LIVEKIT_API_KEY"], SECRET).verify(token)
        except jwt.InvalidTokenError as error:
            raise rtc.ConnectError(f"signal failure: client error: 401 Unauthorized - {error}") from error
        assert claims.video is not None and claims.video.room_join
        self.name, self._connected = claims.video.room, True
        self.local_participant = Participant(self, claims)
        self.rooms.setdefault(self.name, []).append(self)
        for other in self.others:
            other.emit("participant_connected", self.local_participant)

    async def disconnect(self) -> None:
        if not self._connected:
            return
        others, self._connected = self.others, False
        self.rooms[self.name].remove(self)
        self.local_participant.disconnect_reason = rtc.DisconnectReason.CLIENT_INITIATED
        for other in others:
            other.emit("participant_disconnected", self.local_participant)

    def register_byte_stream_handler(self, *_: Any) -> None:
        return None

    unregister_byte_stream_handler = register_text_stream_handler = register_byte_stream_handler
    unregister_text_stream_handler = register_byte_stream_handler
