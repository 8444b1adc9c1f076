"""Deepgram's /v1/listen: a WebSocket that hears live, and a POST that hears a file (livekit-plugins-deepgram 1.8.9,
stt.py).

    client  binary sound · Finalize · KeepAlive · CloseStream
    server  SpeechStarted · Results (is_final, speech_final) · UtteranceEnd · Metadata · Error
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiohttp import web
from multidict import MultiMapping

from lkcook import pcm
from lkcook.engines import recognizer
from lkcook.engines.recognizer import ENDPOINTING, SAMPLE_RATE, Heard, Recognizer
from lkcook.engines.speech_to_text import SpeechToText
from lkcook.gateway import deepgram_query as fields
from lkcook.gateway import deepgram_words
from lkcook.gateway.deepgram_models import recogniser
from lkcook.gateway.deepgram_socket import FORM
from lkcook.gateway.models import Models
from lkcook.gateway.socket import Closed, ProtocolError, serve_messages
from lkcook.gateway.sound_file import LARGEST, decoded, heard, joined

_LONGEST = 1500  # seconds of a file
_HEEDED = "language detect_language punctuate smart_format interim_results endpointing vad_events utterance_end_ms \
keyterm keywords".split()
_USUAL = {"filler_words": "true"}  # what the plugin sends unasked


@dataclass(frozen=True)
class _Wanted:
    """language: ISO 639-1, None to detect it. endpointing, utterance_end: seconds, None when not asked for."""

    model: str
    language: str | None
    punctuated: bool
    interim: bool
    started: bool
    endpointing: float | None
    utterance_end: float | None
    keyterms: tuple[str, ...]


async def live(request: web.Request) -> web.StreamResponse:
    """The WebSocket. Raises ProtocolError before it is one: the plugin retries no 4xx."""
    wanted, engine = await _ready(request)
    sound = fields.sound(request.query)
    return await serve_messages(request, lambda ws: _Live(ws, request, wanted, engine, sound), _Live.receive, FORM)


async def recorded(request: web.Request) -> web.Response:
    """The POST: the body is a sound file. Raises ProtocolError."""
    wanted, engine = await _ready(request)
    body = await request.clone(client_max_size=LARGEST).read()
    samples = await asyncio.to_thread(decoded, body, _LONGEST)
    parts = [part async for part in heard(engine, samples, language=wanted.language, keyterms=wanted.keyterms)]
    transcript, seconds = joined(parts), len(samples) / SAMPLE_RATE
    found = deepgram_words.alternative(transcript, 0.0, seconds, punctuated=wanted.punctuated)
    detected = {"detected_language": transcript.language} if wanted.language is None else {}
    metadata = {"request_id": str(uuid.uuid4()), "created": _now(), "duration": round(seconds, 3), "channels": 1}
    return web.json_response({"metadata": metadata, "results": {"channels": [{"alternatives": [found], **detected}]}})


async def _ready(request: web.Request) -> tuple[_Wanted, SpeechToText]:
    async with recogniser(request, flux=False, heeded=_HEEDED, usual=_USUAL) as (model, engine):
        return _wanted(request.query, model, engine), engine


def _wanted(query: MultiMapping[str], model: str, engine: SpeechToText) -> _Wanted:
    utterance_end = fields.number(query, "utterance_end_ms", 1_000, 10_000)
    detects = fields.flag(query, "detect_language")
    return _Wanted(
        model=model,
        language=None if detects else fields.language(query.get("language", "en"), engine.languages),
        punctuated=fields.flag(query, "punctuate") or fields.flag(query, "smart_format"),
        interim=fields.flag(query, "interim_results"),
        started=fields.flag(query, "vad_events"),
        endpointing=_endpointing(query),
        utterance_end=None if utterance_end is None else utterance_end / 1000,
        keyterms=fields.keyterms(query),
    )


def _endpointing(query: MultiMapping[str]) -> float | None:
    """At least what the recogniser here needs: Deepgram's 10 ms, and the plugin's 25, would cut words in two."""
    if query.get("endpointing", "").lower() == "false":
        return None
    if query.get("endpointing", "true").lower() == "true":
        return ENDPOINTING
    return max((fields.number(query, "endpointing", 0, 10_000) or 0.0) / 1000, ENDPOINTING)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class _Live:
    def __init__(
        self, ws: web.WebSocketResponse, request: web.Request, wanted: _Wanted, engine: SpeechToText, sound: Any
    ) -> None:
        self._ws, self._models, self._wanted, self._sound = ws, request.app[Models.KEY], wanted, sound
        self._id, self._created = str(uuid.uuid4()), _now()
        self._seconds = 0.0  # of sound so far
        self._said_until: float | None = None  # the end of words that no UtteranceEnd has followed yet
        self._finalizing = False
        endpointing = wanted.endpointing or recognizer.ENDPOINTING
        self._recognizer = Recognizer(engine, self._tell, language=wanted.language, endpointing=endpointing)
        self._recognizer.keyterms = wanted.keyterms

    async def receive(self, message: bytes | dict[str, Any]) -> None:
        if isinstance(message, bytes):
            await self._hear(self._sound(message))
        elif message["type"] == "Finalize":
            await self._finalize()
        elif message["type"] == "CloseStream":
            await self._finalize()
            await self._send(self._metadata())
            raise Closed
        elif message["type"] != "KeepAlive":
            known = "Finalize, KeepAlive and CloseStream"
            raise ProtocolError(f"unknown message type {message['type']!r}; there are {known}")

    async def aclose(self) -> None:
        await self._recognizer.aclose()

    async def _hear(self, samples: np.ndarray) -> None:
        self._seconds += len(samples) / SAMPLE_RATE
        await self._recognizer.push(pcm.to_float(samples))
        gap, until = self._wanted.utterance_end, self._said_until
        if gap is not None and until is not None and not self._recognizer.speaking and self._seconds - until >= gap:
            self._said_until = None
            await self._send({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": round(until, 3)})

    async def _finalize(self) -> None:
        self._finalizing = True
        await self._recognizer.finalize()
        self._finalizing = False

    async def _tell(self, heard: Heard) -> None:
        if heard.kind == "speech_started":
            self._said_until = None
            if self._wanted.started:
                await self._send({"type": "SpeechStarted", "channel": [0, 1], "timestamp": round(heard.start, 3)})
            return
        if heard.kind == "final":
            self._said_until = heard.start + heard.duration if heard.transcript.text else None
        else:
            self._models.anticipate(heard.transcript.text)
        if heard.kind == "final" or self._wanted.interim:
            await self._send(self._results(heard))

    def _results(self, heard: Heard) -> dict[str, Any]:
        return deepgram_words.results(
            heard,
            self._id,
            punctuated=self._wanted.punctuated,
            speech_final=self._wanted.endpointing is not None or self._finalizing,
            from_finalize=self._finalizing,
        )

    def _metadata(self) -> dict[str, Any]:
        times = {"created": self._created, "duration": round(self._seconds, 3)}
        return {"type": "Metadata", "request_id": self._id, **times, "channels": 1}

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            await self._ws.send_json(message)
        except ConnectionError as error:  # the caller hung up while we were still decoding
            raise asyncio.CancelledError from error
