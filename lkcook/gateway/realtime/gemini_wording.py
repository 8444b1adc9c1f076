"""Gemini Live's server messages, made from the conversation's events.

    inputTranscription, then outputTranscription and modelTurn, generationComplete, turnComplete with usageMetadata
    inputTranscription, then toolCall; the turn goes on when the functions have returned
    … interrupted, turnComplete

turnComplete follows generationComplete at once. Google may hold it back until the sound was played; here whoever speaks
meanwhile interrupts all the same.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from lkcook.engines.text_to_speech import SAMPLE_RATE
from lkcook.gateway.realtime import events
from lkcook.gateway.realtime.gemini_setup import Setup
from lkcook.gateway.realtime.items import Call
from lkcook.gateway.realtime.response import Response, Usage

_TOKENS = 25  # per second of sound, heard or said (ai.google.dev, Live API: token counts)
Told = dict[str, Any]
INTERRUPTED: Told = {"serverContent": {"interrupted": True}}
TURN_COMPLETE: Told = {"serverContent": {"turnComplete": True}}


class Wording:
    """What is told of an event; most events are not."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def of(self, event: events.Event) -> Iterator[Told]:
        """The messages, in order."""
        if isinstance(event, events.Understood):
            if self._setup.hears and event.text:
                yield _content(inputTranscription={"text": event.text})
        elif isinstance(event, events.TextDelta):
            if event.response.modality == "text":
                yield _content(modelTurn={"parts": [{"text": event.text}]})
            elif self._setup.writes:
                yield _content(outputTranscription={"text": event.text})
        elif isinstance(event, events.AudioDelta):
            yield _content(modelTurn={"parts": [{"inlineData": _sound(event)}]})
        elif isinstance(event, events.ResponseDone):
            yield from self._done(event.response)

    def waits_for(self, response: Response) -> list[Call]:
        """The calls without whose output the turn does not go on."""
        return [call for call in calls_of(response) if call.name not in self._setup.patient]

    def _done(self, response: Response) -> Iterator[Told]:
        usage = {"usageMetadata": usage_of(response.usage)}
        if response.status == "cancelled":
            yield INTERRUPTED
            yield {**TURN_COMPLETE, **usage}
            return
        if calls := calls_of(response):
            yield {"toolCall": {"functionCalls": [_called(call) for call in calls]}, **usage}
            usage = {}
        if not self.waits_for(response):
            yield _content(generationComplete=True)
            yield {**TURN_COMPLETE, **usage}


def calls_of(response: Response) -> list[Call]:
    """The functions it calls."""
    return [item for item in response.output if isinstance(item, Call)]


def usage_of(usage: Usage) -> Told:
    """Text as the language model counts it, sound as Google does."""
    heard, said = (round(seconds * _TOKENS) for seconds in (usage.heard_seconds, usage.said_seconds))
    asked, answered = usage.read + heard, usage.written + said
    return {
        "promptTokenCount": asked,
        "responseTokenCount": answered,
        "totalTokenCount": asked + answered,
        "promptTokensDetails": _details(usage.read, heard),
        "responseTokensDetails": _details(usage.written, said),
        **({"cachedContentTokenCount": usage.cached, "cacheTokensDetails": _details(usage.cached, 0)} if usage.cached else {}),
    }


def _details(text: int, audio: int) -> list[Told]:
    counts = {"TEXT": text, "AUDIO": audio}
    return [{"modality": modality, "tokenCount": count} for modality, count in counts.items() if count]


def _content(**fields: Any) -> Told:
    return {"serverContent": fields}


def _sound(event: events.AudioDelta) -> Told:
    data = base64.b64encode(event.samples.astype("<i2").tobytes()).decode()
    return {"mimeType": f"audio/pcm;rate={SAMPLE_RATE}", "data": data}


def _called(call: Call) -> Told:
    try:
        arguments = json.loads(call.arguments or "{}")
    except ValueError:  # a small model may write anything
        arguments = {}
    return {"id": call.call_id, "name": call.name, "args": arguments if isinstance(arguments, dict) else {}}
