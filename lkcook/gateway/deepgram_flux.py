"""Deepgram's /v2/listen, Flux: it hears whether a turn is over (livekit-plugins-deepgram 1.8.9, stt_v2.py).

    client  binary sound · Configure · CloseStream
    server  Connected · TurnInfo · ConfigureSuccess · ConfigureFailure · Error

A TurnInfo is a StartOfTurn, Update, EagerEndOfTurn, TurnResumed or EndOfTurn.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from aiohttp import web
from multidict import MultiDict, MultiMapping

from lkcook import pcm
from lkcook.engines.recognizer import SAMPLE_RATE, Heard, Recognizer
from lkcook.engines.speech_to_text import SpeechToText
from lkcook.engines.utterance import SECONDS, Utterance
from lkcook.gateway import deepgram_query as fields
from lkcook.gateway.deepgram_models import recogniser
from lkcook.gateway.deepgram_socket import FORM
from lkcook.gateway.deepgram_words import flux_words
from lkcook.gateway.models import Models
from lkcook.gateway.patience import Patience
from lkcook.gateway.socket import Closed, ProtocolError, known_keys, serve_messages

_HEEDED = ("eager_eot_threshold", "eot_threshold", "eot_timeout_ms", "keyterm", "language_hint")


@dataclass(frozen=True)
class _Wanted:
    """likely: from which probability on a turn has ended. most: seconds of silence that end it whatever it sounds like.

    eager: from which probability on it may have ended, None: nobody asks. language: ISO 639-1, None to detect it.
    """

    likely: float
    most: float
    eager: float | None
    language: str | None
    keyterms: tuple[str, ...]


async def live(request: web.Request) -> web.StreamResponse:
    """The WebSocket. Raises ProtocolError before it is one: the plugin retries no 4xx."""
    query = request.query
    async with recogniser(request, flux=True, heeded=_HEEDED, usual={}) as (model, engine):
        detects = model.endswith("-multi")
        wanted, sound = _wanted(query, engine, detects), fields.sound(query)
    return await serve_messages(
        request, lambda ws: _Live(ws, request.app[Models.KEY], wanted, engine, sound, detects), _Live.receive, FORM
    )


def _wanted(query: MultiMapping[str], engine: SpeechToText, detects: bool) -> _Wanted:
    """The defaults are Deepgram's."""
    likely = fields.number(query, "eot_threshold", 0.5, 0.9) or 0.7
    eager = fields.number(query, "eager_eot_threshold", 0.3, 0.9)
    if eager is not None and eager > likely:
        raise ProtocolError(f"eager_eot_threshold {eager:g} is not above eot_threshold, {likely:g}")
    hints = [fields.language(tag, engine.languages) for tag in query.getall("language_hint", [])] if detects else ["en"]
    return _Wanted(
        likely=likely,
        most=(fields.number(query, "eot_timeout_ms", 500, 60_000) or 5_000) / 1000,
        eager=eager,
        language=hints[0] if len(hints) == 1 else None,
        keyterms=fields.keyterms(query),
    )


class _Live:
    def __init__(
        self,
        ws: web.WebSocketResponse,
        models: Models,
        wanted: _Wanted,
        engine: SpeechToText,
        sound: Any,
        detects: bool,
    ) -> None:
        self._ws, self._models, self._wanted, self._sound = ws, models, wanted, sound
        self._engine, self._detects = engine, detects
        self._id, self._sequence, self._turn = str(uuid.uuid4()), 0, 0
        self._patience = Patience()
        self._begun = 0.0  # seconds: where the turn of now began
        self._pause: Heard | None = None  # all of the turn, if it ended here
        self._eager = False  # an EagerEndOfTurn was told and still holds
        self._seconds = 0.0
        self._recognizer = Recognizer(engine, self._tell, language=wanted.language, ended=self._ended)
        self._recognizer.keyterms = wanted.keyterms
        self._greeting = asyncio.create_task(self._send({"type": "Connected"}))

    async def receive(self, message: bytes | dict[str, Any]) -> None:
        if isinstance(message, bytes):
            await self._hear(self._sound(message))
        elif message["type"] == "CloseStream":
            await self._recognizer.finalize()
            raise Closed
        elif message["type"] == "Configure":
            await self._configure(message)
        else:
            raise ProtocolError(f"unknown message type {message['type']!r}; there are Configure and CloseStream")

    async def aclose(self) -> None:
        await asyncio.gather(self._greeting, self._recognizer.aclose(), return_exceptions=True)

    async def _hear(self, samples: np.ndarray) -> None:
        self._seconds += len(samples) / SAMPLE_RATE
        await self._recognizer.push(pcm.to_float(samples))

    async def _configure(self, message: dict[str, Any]) -> None:
        """What is absent stays as it is."""
        try:
            self._wanted = self._changed(message)
        except ProtocolError as error:
            await self._send({"type": "ConfigureFailure", "description": str(error)})
            return
        self._recognizer.keyterms, self._recognizer.language = self._wanted.keyterms, self._wanted.language
        await self._send({**message, "type": "ConfigureSuccess"})

    def _changed(self, message: dict[str, Any]) -> _Wanted:
        before, given = self._wanted, known_keys(message.get("thresholds"), "thresholds")
        query = MultiDict({"eot_threshold": str(before.likely), "eot_timeout_ms": str(before.most * 1000)})
        if before.eager is not None:
            query["eager_eot_threshold"] = str(before.eager)
        query.update({name: str(value) for name, value in given.items() if value is not None})
        for name, key in (("keyterm", "keyterms"), ("language_hint", "language_hints")):
            values = message.get(key) or []
            if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
                raise ProtocolError(f"{key} is a list of texts")
            query.extend((name, value) for value in values)
        changed = _wanted(query, self._engine, self._detects)
        kept = {"keyterms": before.keyterms} if "keyterms" not in message else {}
        return replace(changed, **kept, **({} if "language_hints" in message else {"language": before.language}))

    async def _ended(self, utterance: Utterance) -> bool:
        """Asked by the recogniser every 32 ms."""
        if self._pause is not None and not utterance.covered:  # there is more speech behind it
            resumed, self._pause = self._pause, None
            if self._eager:
                self._eager = False
                await self._tell_turn("TurnResumed", resumed)
        longest = await self._patience.with_(utterance, most=self._wanted.most, likely=self._wanted.likely)
        eager = self._wanted.eager
        if eager is not None and not self._eager and self._pause is not None and self._patience.confidence >= eager:
            self._eager = True
            await self._tell_turn("EagerEndOfTurn", self._pause)
        return utterance.silence * SECONDS >= longest

    async def _tell(self, heard: Heard) -> None:
        if heard.kind == "speech_started":
            self._patience, self._begun, self._pause, self._eager = Patience(), heard.start, None, False
            await self._tell_turn("StartOfTurn", heard)
            return
        if heard.kind == "final":
            await self._tell_turn("EndOfTurn", heard)
            self._turn += 1
            return
        self._models.anticipate(heard.transcript.text)
        self._pause = heard if heard.kind == "preflight" else None
        await self._tell_turn("Update", heard)

    async def _tell_turn(self, event: str, heard: Heard) -> None:
        words = flux_words(heard)
        await self._send(
            {
                "type": "TurnInfo",
                "event": event,
                "turn_index": self._turn,
                "audio_window_start": round(self._begun, 3),
                "audio_window_end": round(self._seconds, 3),
                "transcript": heard.transcript.text,
                "words": words,
                "end_of_turn_confidence": round(self._patience.confidence, 4),
                **({"languages": [heard.transcript.language]} if self._detects and words else {}),
            }
        )

    async def _send(self, message: dict[str, Any]) -> None:
        numbered = {**message, "request_id": self._id, "sequence_id": self._sequence}
        self._sequence += 1
        try:
            await self._ws.send_json(numbered)
        except ConnectionError as error:  # the caller hung up while we were still decoding
            raise asyncio.CancelledError from error
