"""One answer of the model, from "created" to "done", told event by event."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from lkcook.engines.completion import Done, ModelRefused, Text
from lkcook.engines.text_to_speech import SAMPLE_RATE
from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway.realtime import events
from lkcook.gateway.realtime.draft import Draft, Spoken
from lkcook.gateway.realtime.items import Call, Item, Message, Part, new_id
from lkcook.gateway.realtime.settings import Modality
from lkcook.gateway.socket import ProtocolError

logger = logging.getLogger("lkcook.gateway")

Status = Literal["in_progress", "completed", "cancelled", "failed", "incomplete"]
_CHUNK = SAMPLE_RATE // 5  # samples: 0.2 s of sound per event
HEARD_TOKENS, SAID_TOKENS = 10, 20  # per second of sound: OpenAI's, one per 100 ms heard and one per 50 ms said


@dataclass
class Usage:
    """What an answer took. Text is counted by the language model, which reads what was heard as text.

    Sound has no tokens here; its seconds are counted as OpenAI counts them, to compare.
    """

    read: int = 0
    cached: int = 0
    written: int = 0
    heard_seconds: float = 0.0
    said_seconds: float = 0.0

    @property
    def heard(self) -> int:
        """Tokens of sound in."""
        return round(self.heard_seconds * HEARD_TOKENS)

    @property
    def said(self) -> int:
        """Tokens of sound out."""
        return round(self.said_seconds * SAID_TOKENS)


@dataclass(eq=False)
class Response:
    """reason: why it is not completed, "turn_detected", "client_cancelled" or "max_output_tokens". error: of a failure.

    apart: its items do not join the conversation. max_tokens, audio_format: if they are not the session's.
    sounding_since: time.monotonic() of its first sound.
    """

    modality: Modality
    voice: str
    metadata: dict[str, Any] | None = None
    apart: bool = False
    max_tokens: int | None = None
    audio_format: dict[str, Any] | None = None
    id: str = field(default_factory=lambda: new_id("resp"))
    status: Status = "in_progress"
    reason: str = ""
    error: str = ""
    error_code: int = 500
    output: list[Message | Call] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    sounding_since: float | None = None

    @property
    def playing(self) -> float:
        """Seconds of its sound that nobody can have heard yet."""
        if self.sounding_since is None:
            return 0.0
        return max(0.0, self.sounding_since + self.usage.said_seconds - time.monotonic())


class Telling:
    """Turns the pieces of a draft into events and items.

    join: puts an item into the conversation and returns the id of the one before.
    """

    def __init__(
        self,
        response: Response,
        emit: Callable[[events.Event], None],
        join: Callable[[Item], str | None],
    ) -> None:
        self._response, self._emit, self._join = response, emit, join
        self._message: Message | None = None
        self._previous: dict[str, str | None] = {}

    async def tell(self, draft: Draft) -> None:
        """Until the answer is over; when it was ended from outside, nothing more is told."""
        try:
            async for piece in draft.pieces():
                if isinstance(piece, Done):
                    self._count(piece)
                elif isinstance(piece, ToolCall):
                    self._call(piece)
                else:
                    await self._words(piece)
            self.end("incomplete" if self._response.reason else "completed")
        except (ModelRefused, ProtocolError) as error:
            self.fail(str(error))
        except Exception as error:  # a model failed: this answer ends, the conversation does not
            logger.exception("the answer failed")
            self.fail(f"the model failed: {error}")
        finally:
            draft.cancel()

    def fail(self, why: str, code: int = 500) -> None:
        """It comes to nothing. code: as HTTP has it."""
        self._response.error, self._response.error_code = why, code
        self.end("failed")

    def end(self, status: Status, reason: str = "") -> None:
        """It is over: said at once, whatever the models still do. A second end is none."""
        if self._response.status != "in_progress":
            return
        self._response.status, self._response.reason = status, reason or self._response.reason
        self._close(whole=status == "completed")
        self._emit(events.ResponseDone(self._response))

    def _count(self, done: Done) -> None:
        usage = self._response.usage
        usage.read, usage.cached, usage.written = done.prompt_tokens, done.cached_tokens, done.completion_tokens
        if done.reason == "length":
            self._response.reason = "max_output_tokens"

    async def _words(self, piece: Text | Spoken) -> None:
        message = self._message or self._begin()
        part, response = message.parts[0], self._response
        at = response.output.index(message)
        if piece.text:
            part.text += piece.text
            self._emit(events.TextDelta(response, at, message, part, piece.text))
        if isinstance(piece, Text):
            return
        seconds = len(piece.samples) / SAMPLE_RATE
        if piece.text:
            part.said.append((piece.text, part.seconds + seconds))
        elif part.said:
            part.said[-1] = (part.said[-1][0], part.seconds + seconds)
        for start in range(0, len(piece.samples), _CHUNK):
            samples = piece.samples[start : start + _CHUNK]
            response.sounding_since = response.sounding_since or time.monotonic()
            part.seconds += len(samples) / SAMPLE_RATE
            response.usage.said_seconds += len(samples) / SAMPLE_RATE
            self._emit(events.AudioDelta(response, at, message, part, samples))
            await asyncio.sleep(0)  # a cancel may come between two chunks

    def _begin(self) -> Message:
        kind: Literal["text", "audio"] = "audio" if self._response.modality == "audio" else "text"
        self._message = message = Message("assistant", status="in_progress")
        self._add(message)
        part = Part(kind)
        message.parts.append(part)
        self._emit(events.PartAdded(self._response, self._response.output.index(message), message, part))
        return message

    def _add(self, item: Message | Call) -> None:
        response = self._response
        response.output.append(item)
        self._emit(events.OutputAdded(response, len(response.output) - 1, item))
        if not response.apart:
            self._previous[item.id] = self._join(item)
            self._emit(events.ItemAdded(item, self._previous[item.id]))

    def _call(self, called: ToolCall) -> None:
        self._close()
        call = Call(called.name, "", called.id, status="in_progress")
        self._add(call)
        call.arguments, call.status = called.arguments, "completed"
        self._done(call)

    def _done(self, item: Message | Call) -> None:
        self._emit(events.OutputDone(self._response, self._response.output.index(item), item))
        if not self._response.apart:
            self._emit(events.ItemDone(item, self._previous[item.id]))

    def _close(self, *, whole: bool = True) -> None:
        if (message := self._message) is None:
            return
        self._message = None
        message.status = "completed" if whole else "incomplete"
        at = self._response.output.index(message)
        self._emit(events.PartDone(self._response, at, message, message.parts[0]))
        self._done(message)
