"""LiveKit Inference speech to text: WebSocket /v1/stt (livekit-agents 1.8.9, inference/stt.py:1141-1358).

    client  session.create · input_audio · session.update · session.finalize · session.close
    server  session.created · start_of_speech · interim_transcript · preflight_transcript · final_transcript
            · session.finalized · session.closed · error
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import Any

from aiohttp import web

from lkcook import pcm
from lkcook.engines import recognizer
from lkcook.engines.recognizer import Heard, Recognizer
from lkcook.engines.utterance import SECONDS, Utterance
from lkcook.gateway import options
from lkcook.gateway.chain import Chain, Choice
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.patience import Patience
from lkcook.gateway.requests import Record
from lkcook.gateway.socket import (
    Closed,
    ProtocolError,
    known_keys,
    pcm16,
    sample_rate,
    serve_messages,
)

_TYPES = {
    "interim": "interim_transcript",
    "preflight": "preflight_transcript",
    "final": "final_transcript",
}
_DETECT = {"multi", "auto", ""}


async def handle_stt(request: web.Request) -> web.WebSocketResponse:
    """The route."""
    return await serve_messages(request, lambda ws: _Session(ws, Exchange(request, "speech to text")), _Session.receive)


class _Session:
    def __init__(self, ws: web.WebSocketResponse, exchange: Exchange) -> None:
        self._ws, self._exchange = ws, exchange
        self._models = exchange.request.app[Models.KEY]
        self._chain: Chain | None = None
        self._record: Record | None = None
        self._recognizer: Recognizer | None = None
        self._resampler = pcm.Resampler(recognizer.SAMPLE_RATE, recognizer.SAMPLE_RATE)
        self._answering = ""
        self._end_of_turn: tuple[float, float] | None = None
        self._patience = Patience()
        self._extra: dict[str, Any] = {}
        self._interim = True
        self._id = f"stt_{uuid.uuid4().hex[:12]}"

    async def receive(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "session.create":
            await self._create(message)
            return
        if kind not in ("input_audio", "session.update", "session.finalize", "session.close"):
            raise ProtocolError(f"unknown message type {kind!r}")
        if kind == "session.close":
            raise Closed
        if self._recognizer is None or self._chain is None:
            raise ProtocolError(f"{kind} before session.create")
        if kind == "input_audio":
            self._switch_to(self._chain.serving(self._exchange.fails, self._record))
            await self._recognizer.push(pcm.to_float(self._resampler.push(pcm16(message.get("audio")))))
        elif kind == "session.update":
            settings = known_keys(message.get("settings"), "settings")
            self._record = self._exchange.record(settings.get("model") or self._chain.choices[0].model, message)
            self._apply(settings)
        else:
            await self._recognizer.finalize()
            await self._send({"type": "session.finalized"})

    async def aclose(self) -> None:
        if self._recognizer is not None:
            await self._recognizer.aclose()

    async def _create(self, message: dict[str, Any]) -> None:
        if self._recognizer is not None:
            raise ProtocolError("the session exists already")
        model = message.get("model") or self._exchange.request.query.get("model") or "auto"
        self._record = self._exchange.record(model, message)
        chain = Chain("stt", Choice(model), message, self._models)
        settings = known_keys(message.get("settings"), "settings")
        if (encoding := settings.get("encoding", "pcm_s16le")) != "pcm_s16le":
            raise ProtocolError(f"encoding {encoding!r} is not served; send pcm_s16le", fatal=True)
        rate = sample_rate(settings.get("sample_rate"), recognizer.SAMPLE_RATE)
        self._resampler = pcm.Resampler(rate, recognizer.SAMPLE_RATE)
        self._answering = chain.serving(self._exchange.fails, self._record).model
        engine = await self._models.speech_to_text()
        self._chain, self._recognizer = chain, Recognizer(engine, self._tell, ended=self._ended)
        self._apply({"language": "en", **settings})
        await self._send({"type": "session.created"})

    def _switch_to(self, choice: Choice) -> None:
        """A fallback brings options of its own."""
        if choice.model != self._answering:
            self._answering = choice.model
            self._heed(choice.model, choice.extra or self._extra)

    def _heed(self, model: str, extra: dict[str, Any]) -> None:
        """What the options of `model` change in how is listened. Raises ProtocolError."""
        assert self._recognizer is not None
        self._recognizer.keyterms = tuple(options.keyterms(extra))
        self._recognizer.endpointing = options.endpointing(model, extra) or recognizer.ENDPOINTING
        self._end_of_turn = options.end_of_turn(model, extra)

    def _apply(self, settings: dict[str, Any]) -> None:
        """Model, language and options, at the beginning or by session.update; what is absent stays as it is."""
        assert self._recognizer is not None and self._chain is not None and self._record is not None
        if "model" in settings:
            self._models.check("stt", settings["model"])
            self._chain.choices[0] = replace(self._chain.choices[0], model=settings["model"])
        if "language" in settings:
            self._recognizer.language = self._language(settings["language"])
        model = self._chain.choices[0].model
        given = known_keys(settings.get("extra"), "extra")
        self._record.notes += options.unheeded("stt", model, given)
        self._extra = {**self._extra, **given}
        self._heed(model, self._extra)
        self._interim = False not in (self._extra.get("interim_results"), self._extra.get("enable_partials"))
        if tag := options.language(self._extra):
            self._recognizer.language = self._language(tag)

    def _language(self, tag: Any) -> str | None:
        """A BCP-47 tag → Whisper's code; "multi" means: detect it."""
        code = str(tag if tag is not None else "en").lower().partition("-")[0]
        if code in _DETECT:
            return None
        if code not in self._models.languages:
            known = ", ".join(sorted(self._models.languages))
            raise ProtocolError(f"language {tag!r} is not known; known are: multi, {known}", fatal=True)
        return code

    async def _ended(self, utterance: Utterance) -> bool:
        """Asked by the recogniser every 32 ms. Most models cut at a silence; Flux listens whether the turn sounds over."""
        assert self._recognizer is not None
        longest = self._recognizer.endpointing
        if self._end_of_turn is not None:
            most, likely = self._end_of_turn
            longest = await self._patience.with_(utterance, most=most, likely=likely)
        return utterance.silence * SECONDS >= longest

    async def _tell(self, heard: Heard) -> None:
        transcript = heard.transcript
        if heard.kind == "interim":
            self._models.anticipate(transcript.text)
        if heard.kind == "speech_started":
            self._patience = Patience()
            await self._send({"type": "start_of_speech"})
        elif self._interim or heard.kind == "final":
            await self._send({"type": _TYPES[heard.kind], **_spelled_out(heard)})

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            await self._ws.send_json({**message, "session_id": self._id})
        except ConnectionError as error:  # the caller hung up while we were still decoding
            raise asyncio.CancelledError from error


def _spelled_out(heard: Heard) -> dict[str, Any]:
    transcript = heard.transcript
    words = [
        {
            "word": word.text,
            "start": round(heard.start + word.start, 3),
            "end": round(heard.start + word.end, 3),
            "confidence": round(word.confidence, 3),
        }
        for word in transcript.words
    ]
    return {
        "transcript": transcript.text,
        "language": transcript.language,
        "start": round(heard.start, 3),
        "duration": round(heard.duration, 3),
        "confidence": round(transcript.confidence, 3),
        "words": words,
    }
