"""When the caller spoke, where nobody who listened can tell: it is read from the recording.

LiveKit stamps such a message when the server says that somebody speaks. OpenAI and xAI say so, a little late; Gemini
says it with its answer, seconds after the last syllable (livekit-plugins-google 1.8.9).

Where push-to-talk ends the sound in the middle of speech, LiveKit's voice activity detection finds the silence that
it waits for in what commit_user_turn() appends all at once, and dates the last syllable that much too early.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from lkcook.report.recording import Sounds
from lkcook.report.transcript import Message

LATE = 0.5  # seconds a server may need to notice that somebody speaks
SILENCE = 0.6  # seconds: LiveKit's inference.VAD waits for 0.25 of silence, silero for 0.55


def placed(messages: Iterable[Message], caller: Sounds, releases: Sequence[float] = ()) -> list[Message]:
    """`messages` in order, those of the caller at their first and last audible sample in `caller`.

    What LiveKit's own voice activity detection has timed stays as it is, but for what was said until the button was
    released (releases: time.time()); so does what the recording does not hold.
    """
    done: list[Message] = []
    for message in messages:
        if message.who == "caller" and "stopped_speaking_at" not in message.metrics:
            message = _heard(message, _earliest(done), caller)
        elif message.who == "caller":
            message = _until_released(message, caller, releases)
        done.append(message)
    return done


def _earliest(before: list[Message]) -> float:
    """When the caller may have begun: after the last answer, or in it where it was cut short."""
    last = next((message for message in reversed(before) if message.who == "agent"), None)
    if last is None:
        return 0.0
    return last.started_at if last.interrupted else last.ended_at


def _until_released(message: Message, caller: Sounds, releases: Sequence[float]) -> Message:
    released = next((at for at in releases if message.ended_at < at < message.ended_at + SILENCE), message.ended_at)
    last = caller.last_sound(message.ended_at, released)
    return message if last is None else replace(message, ended_at=last)


def _heard(message: Message, earliest: float, caller: Sounds) -> Message:
    told = (max(earliest, message.started_at - LATE), message.ended_at)
    window = told if caller.first_sound(*told) is not None else (earliest, message.started_at)
    first, last = caller.first_sound(*window), caller.last_sound(*window)
    if first is None or last is None:
        return message
    return replace(message, started_at=min(first, message.started_at), ended_at=last)
