"""Events of a conversation → server events of OpenAI's Realtime API (openai 3.57, types/realtime/realtime_server_event.py)."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from typing import Any

from lkcook.gateway.realtime import events, openai_response
from lkcook.gateway.realtime.items import Message, Part, new_id
from lkcook.gateway.realtime.openai_errors import error_event
from lkcook.gateway.realtime.openai_items import shown
from lkcook.gateway.realtime.openai_session import Session
from lkcook.gateway.realtime.openai_sound import encode
from lkcook.gateway.realtime.response import Response

Told = dict[str, Any]


class Wording:
    """conversation: its id. session: as it is now; of xAI's the words are xAI's, too."""

    def __init__(self, conversation: str, session: Callable[[], Session]) -> None:
        self._conversation, self._session = conversation, session
        self._guesses: dict[str, tuple[str, str]] = {}  # item id -> the newest guess, and what is told of it

    def of(self, event: events.Event) -> Iterator[Told]:
        """The server events, without their event_id."""
        name = type(event).__name__
        yield from getattr(self, f"_{name}")(event)

    def _SpeechStarted(self, event: events.SpeechStarted) -> Iterator[Told]:
        yield {"type": "input_audio_buffer.speech_started", "audio_start_ms": _ms(event.at), "item_id": event.item_id}

    def _SpeechStopped(self, event: events.SpeechStopped) -> Iterator[Told]:
        yield {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": _ms(event.at), "item_id": event.item_id}

    def _TimedOut(self, event: events.TimedOut) -> Iterator[Told]:
        times = {"audio_start_ms": _ms(event.start), "audio_end_ms": _ms(event.end)}
        yield {"type": "input_audio_buffer.timeout_triggered", "item_id": event.item_id, **times}

    def _Committed(self, event: events.Committed) -> Iterator[Told]:
        ids = {"previous_item_id": event.previous_id, "item_id": event.item_id}
        yield {"type": "input_audio_buffer.committed", **ids}

    def _Cleared(self, event: events.Cleared) -> Iterator[Told]:
        yield {"type": "input_audio_buffer.cleared"}

    def _Hearing(self, event: events.Hearing) -> Iterator[Told]:
        """OpenAI's deltas cannot be taken back: only what two guesses agree on is told. xAI's can."""
        if self._session().provider == "xai":
            kind = "conversation.item.input_audio_transcription.updated"
            yield {"type": kind, "item_id": event.item_id, "content_index": 0, "transcript": event.text}
            return
        guess, told = self._guesses.get(event.item_id, ("", ""))
        agreed = os.path.commonprefix([guess, event.text])
        agreed = agreed[: agreed.rfind(" ")] if " " in agreed else ""  # whole words
        if agreed.startswith(told) and len(agreed) > len(told):
            yield self._transcribed(event.item_id, agreed[len(told) :])
            told = agreed
        self._guesses[event.item_id] = (event.text, told)

    def _Understood(self, event: events.Understood) -> Iterator[Told]:
        _, told = self._guesses.pop(event.item_id, ("", ""))
        if event.text.startswith(told) and event.text != told:
            yield self._transcribed(event.item_id, event.text[len(told) :])
        yield {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": event.item_id,
            "content_index": 0,
            "transcript": event.text,
            "usage": {"type": "duration", "seconds": round(event.seconds, 3)},
        }

    def _NotUnderstood(self, event: events.NotUnderstood) -> Iterator[Told]:
        error = {"type": "server_error", "code": "audio_unintelligible", "message": event.why, "param": None}
        kind = "conversation.item.input_audio_transcription.failed"
        yield {"type": kind, "item_id": event.item_id, "content_index": 0, "error": error}

    @staticmethod
    def _transcribed(item_id: str, text: str) -> Told:
        kind = "conversation.item.input_audio_transcription.delta"
        return {"type": kind, "item_id": item_id, "content_index": 0, "delta": text}

    def _ItemAdded(self, event: events.ItemAdded) -> Iterator[Told]:
        yield {"type": "conversation.item.added", "previous_item_id": event.previous_id, "item": shown(event.item)}

    def _ItemDone(self, event: events.ItemDone) -> Iterator[Told]:
        yield {"type": "conversation.item.done", "previous_item_id": event.previous_id, "item": shown(event.item)}

    def _ItemDeleted(self, event: events.ItemDeleted) -> Iterator[Told]:
        yield {"type": "conversation.item.deleted", "item_id": event.item_id}

    def _ItemTruncated(self, event: events.ItemTruncated) -> Iterator[Told]:
        what = {"item_id": event.item_id, "content_index": 0, "audio_end_ms": _ms(event.seconds)}
        yield {"type": "conversation.item.truncated", **what}

    def _ResponseCreated(self, event: events.ResponseCreated) -> Iterator[Told]:
        yield {"type": "response.created", "response": self._response(event.response)}
        yield {"type": "rate_limits.updated", "rate_limits": []}  # there are none here

    def _OutputAdded(self, event: events.OutputAdded) -> Iterator[Told]:
        yield {"type": "response.output_item.added", **_output(event), "item": shown(event.item)}

    def _PartAdded(self, event: events.PartAdded) -> Iterator[Told]:
        yield {"type": "response.content_part.added", **_place(event), "part": _part(event.part)}

    def _TextDelta(self, event: events.TextDelta) -> Iterator[Told]:
        kind = "output_text" if event.part.kind == "text" else "output_audio_transcript"
        yield {"type": f"response.{kind}.delta", **_place(event), "delta": event.text}

    def _AudioDelta(self, event: events.AudioDelta) -> Iterator[Told]:
        audio_format = event.response.audio_format or self._session().formats[1]
        sound = base64.b64encode(encode(event.samples, audio_format)).decode()
        yield {"type": "response.output_audio.delta", **_place(event), "delta": sound}

    def _PartDone(self, event: events.PartDone) -> Iterator[Told]:
        place = _place(event)
        if event.part.kind == "text":
            yield {"type": "response.output_text.done", **place, "text": event.part.text}
        else:
            yield {"type": "response.output_audio.done", **place}
            yield {"type": "response.output_audio_transcript.done", **place, "transcript": event.part.text}
        yield {"type": "response.content_part.done", **place, "part": _part(event.part)}

    def _OutputDone(self, event: events.OutputDone) -> Iterator[Told]:
        item = event.item
        if not isinstance(item, Message):
            head = {**_output(event), "item_id": item.id, "call_id": item.call_id}
            kind = "response.function_call_arguments"
            yield {"type": f"{kind}.delta", **head, "delta": item.arguments}
            yield {"type": f"{kind}.done", **head, "name": item.name, "arguments": item.arguments}
        yield {"type": "response.output_item.done", **_output(event), "item": shown(item)}

    def _ResponseDone(self, event: events.ResponseDone) -> Iterator[Told]:
        yield {"type": "response.done", "response": self._response(event.response)}

    def _Problem(self, event: events.Problem) -> Iterator[Told]:
        yield error_event(event.why, event.reason)

    def _response(self, response: Response) -> Told:
        return openai_response.shown(response, self._conversation, self._session())


def with_id(told: Told) -> Told:
    """Every server event has an event_id of its own."""
    return {"event_id": new_id("event"), **told}


def _output(event: Any) -> Told:
    return {"response_id": event.response.id, "output_index": event.index}


def _place(event: Any) -> Told:
    return {**_output(event), "item_id": event.item.id, "content_index": 0}


def _part(part: Part) -> Told:
    return {"type": "text", "text": part.text} if part.kind == "text" else {"type": "audio", "transcript": part.text}


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
