"""What LiveKit's RoomOptions ask for where there is no room: noise cancellation, and what of it can be had.

Of livekit-agents 1.8.9: `session.room_io` and `RoomIO.room` are public, `RoomIO._options` (the RoomOptions that
`session.start()` was given) is not, and nothing public tells them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.voice.room_io import AudioInputOptions, RoomOptions
from livekit.agents.voice.room_io.types import NoiseCancellationParams
from livekit.rtc._proto import participant_pb2, track_pb2

from lkcook.audio.slot import Processor

_HONOURED = "noise_cancellation"
_PLUGIN = "livekit.plugins.noise_cancellation"


@dataclass(frozen=True)
class Asked:
    """processor: what can be had. name: what was asked for, as the reader knows it, "" for nothing. notes: what goes
    otherwise than asked. lent: somebody else closes the processor.
    """

    processor: Processor | None = None
    name: str = ""
    notes: tuple[str, ...] = ()
    lent: bool = False


def room_of(session: AgentSession) -> rtc.Room | None:
    """The room that `session` was started with."""
    try:
        return session.room_io.room
    except RuntimeError:
        return None


def connected_room(session: AgentSession) -> rtc.Room | None:
    """The room that `session` was started in, if sound can come from LiveKit's servers there; None otherwise."""
    room = room_of(session)
    return room if room is not None and room.isconnected() else None


def asked_for(session: AgentSession, options: RoomOptions | None = None) -> Asked:
    """What the started session's room was asked for, or `options`, for a session without a room.

    Nothing where the room is connected: there it is LiveKit that does it, on the caller's track.
    """
    if connected_room(session) is not None:
        return Asked()
    if room_of(session) is not None:
        return _had(_wish(session.room_io._options), lent=True)
    if options is None:
        return Asked()
    had = _had(_wish(options), lent=False)
    return Asked(had.processor, had.name, (*had.notes, *_without_effect(options)), had.lent)


def _wish(options: RoomOptions) -> Any:
    audio = options.get_audio_input_options()
    return audio.noise_cancellation if audio is not None else None


def _had(wish: Any, lent: bool) -> Asked:
    if isinstance(wish, rtc.FrameProcessor):
        return Asked(wish, name_of(wish), lent=lent)
    if isinstance(wish, rtc.NoiseCancellationOptions):
        return Asked(name=name_of(wish), notes=(_not_in_force(wish),))
    if callable(wish):
        return _selected(wish)
    return Asked()


def _selected(selector: Any) -> Asked:
    """What a NoiseCancellationSelector chooses for this caller; in a room, too, that is made for one call."""
    try:
        return _had(selector(_stand_ins()), lent=False)
    except Exception as error:  # the reader's own function
        reason = f"the selector in noise_cancellation= raised {type(error).__name__}: {error}"
        return Asked(name="selector", notes=(f"Nothing cancels noise: {reason}",))


def _stand_ins() -> NoiseCancellationParams:
    """A caller's participant (of the standard kind) and track, as a room would have them. They have no handle, so there
    is nothing to release.
    """
    standard, audio = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD, rtc.TrackKind.KIND_AUDIO
    participant = participant_pb2.OwnedParticipant(
        info=participant_pb2.ParticipantInfo(sid="PA_caller", identity="caller", name="caller", kind=standard)
    )
    track = track_pb2.OwnedTrack(info=track_pb2.TrackInfo(sid="TR_caller", name="microphone", kind=audio, remote=True))
    return NoiseCancellationParams(rtc.RemoteParticipant(participant), rtc.RemoteAudioTrack(track))


def name_of(wish: Processor | rtc.NoiseCancellationOptions) -> str:
    """As the reader wrote it: "dtln", "BVC", or the name of a class."""
    if isinstance(wish, rtc.NoiseCancellationOptions):
        plugin = sys.modules.get(_PLUGIN)
        makers = (plugin.NC, plugin.BVC, plugin.BVCTelephony) if plugin else ()
        return next((make.__name__ for make in makers if make() == wish), "LiveKit Cloud's noise cancellation")
    return str(getattr(wish, "name", type(wish).__name__))


def _not_in_force(wish: rtc.NoiseCancellationOptions) -> str:
    why = "its filter runs only on a track of a LiveKit Cloud room, and this call has none"
    return f'{name_of(wish)} is not in force: {why}. What works here: noise_cancellation=lkcook.canceller("dtln")'


def _without_effect(options: RoomOptions) -> Iterator[str]:
    """A note of what was set, and means nothing without a room."""
    idle = [name for name in _set_in(options) if name != "audio_input"]
    if isinstance(options.audio_input, AudioInputOptions):
        idle += [f"audio_input.{name}" for name in _set_in(options.audio_input) if name != _HONOURED]
    elif options.audio_input is False:
        idle.append("audio_input")
    if idle:
        yield f"Without a room these of room_options have no effect: {', '.join(idle)}"


def _set_in(options: RoomOptions | AudioInputOptions) -> list[str]:
    return [field.name for field in fields(options) if getattr(options, field.name) != field.default]
