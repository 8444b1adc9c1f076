"""When the caller spoke, where the model's server finds the turns: what it does not tell is read from the recording.

LiveKit stamps such a message when the server says that somebody speaks. OpenAI and xAI say so, a little late; Gemini
says it with its answer, seconds after the last syllable (livekit-plugins-google 1.8.9).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lkcook.report.recording import Track
from lkcook.report.transcript import Message

LATE = 0.5  # seconds a server may need to notice that somebody speaks


def placed(messages: Iterable[Message], caller: Track) -> list[Message]:
    """`messages` in order, those of the caller at their first and last audible sample in `caller`.

    What LiveKit's own voice activity detection has timed stays as it is; so does what the recording does not hold.
    """
    done: list[Message] = []
    for message in messages:
        if message.who == "caller" and "stopped_speaking_at" not in message.metrics:
            message = _heard(message, _earliest(done), caller)
        done.append(message)
    return done


def _earliest(before: list[Message]) -> float:
    """When the caller may have begun: after the last answer, or in it where it was cut short."""
    last = next((message for message in reversed(before) if message.who == "agent"), None)
    if last is None:
        return 0.0
    return last.started_at if last.interrupted else last.ended_at


def _heard(message: Message, earliest: float, caller: Track) -> Message:
    told = (max(earliest, message.started_at - LATE), message.ended_at)
    window = told if caller.first_sound(*told) is not None else (earliest, message.started_at)
    first, last = caller.first_sound(*window), caller.last_sound(*window)
    if first is None or last is None:
        return message
    return replace(message, started_at=min(first, message.started_at), ended_at=last)
