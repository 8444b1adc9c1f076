"""LiveKit Inference speech to text: WebSocket /v1/stt (livekit-agents 1.8.9, inference/stt.py:1141-1358).

    client  session.create · input_audio · session.update · session.finalize · session.close
    server  session.created · start_of_speech · interim_transcript · preflight_transcript · final_transcript
            · session.finalized · session.closed · error
"""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import numpy as np
from aiohttp import web
from livekit import rtc

from lkcook import pcm
from lkcook.engines import recognizer
from lkcook.engines.recognizer import Heard, Recognizer
from lkcook.gateway.models import Models
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


async def handle_stt(request: web.Request) -> web.WebSocketResponse:
    """The route."""
    models = request.app[Models.KEY]
    return await serve_messages(request, lambda ws: _Session(ws, models, request), _Session.receive)


class _Session:
    def __init__(self, ws: web.WebSocketResponse, models: Models, request: web.Request) -> None:
        self._ws, self._models = ws, models
        self._query_model = request.query.get("model")
        self._recognizer: Recognizer | None = None
        self._resampler: rtc.AudioResampler | None = None
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
        if self._recognizer is None:
            raise ProtocolError(f"{kind} before session.create")
        if kind == "input_audio":
            await self._recognizer.push(self._to_16k(pcm16(message.get("audio"))))
        elif kind == "session.update":
            self._apply(known_keys(message.get("settings"), "settings"))
        else:
            await self._recognizer.finalize()
            await self._send({"type": "session.finalized"})

    async def aclose(self) -> None:
        if self._recognizer is not None:
            await self._recognizer.aclose()

    async def _create(self, message: dict[str, Any]) -> None:
        if self._recognizer is not None:
            raise ProtocolError("the session exists already")
        self._models.check("stt", message.get("model") or self._query_model or "auto")
        settings = known_keys(message.get("settings"), "settings")
        if (encoding := settings.get("encoding", "pcm_s16le")) != "pcm_s16le":
            raise ProtocolError(f"encoding {encoding!r} is not served; send pcm_s16le", fatal=True)
        rate = sample_rate(settings.get("sample_rate"), recognizer.SAMPLE_RATE)
        if rate != recognizer.SAMPLE_RATE:
            self._resampler = rtc.AudioResampler(rate, recognizer.SAMPLE_RATE)
        engine = await self._models.speech_to_text()
        listener = Recognizer(engine, self._tell)
        self._recognizer = listener
        self._apply(settings)
        await self._send({"type": "session.created"})

    def _apply(self, settings: dict[str, Any]) -> None:
        assert self._recognizer is not None
        if "model" in settings:
            self._models.check("stt", settings["model"])
        if "language" in settings:
            self._recognizer.language = self._language(settings["language"])
        endpointing = known_keys(settings.get("extra"), "extra").get("endpointing")
        if isinstance(endpointing, int | float) and not isinstance(endpointing, bool):
            self._recognizer.endpointing = min(max(endpointing / 1000, 0.1), 5.0)  # Deepgram's: in ms

    def _language(self, tag: Any) -> str | None:
        """A BCP-47 tag → Whisper's code; "multi" means: detect it."""
        code = str(tag or "en").lower().partition("-")[0]
        if code == "multi":
            return None
        if code not in self._models.languages:
            known = ", ".join(sorted(self._models.languages))
            raise ProtocolError(f"language {tag!r} is not known; known are: multi, {known}", fatal=True)
        return code

    def _to_16k(self, samples: np.ndarray) -> np.ndarray:
        if self._resampler is None or not len(samples):
            return pcm.to_float(samples)
        frames = self._resampler.push(bytearray(samples.tobytes()))
        parts = [np.frombuffer(frame.data, np.int16) for frame in frames]
        return pcm.to_float(np.concatenate(parts) if parts else samples[:0])

    async def _tell(self, heard: Heard) -> None:
        if heard.kind == "interim":
            self._models.anticipate(heard.transcript.text)
        if heard.kind == "speech_started":
            await self._send({"type": "start_of_speech"})
            return
        transcript = heard.transcript
        await self._send(
            {
                "type": _TYPES[heard.kind],
                "transcript": transcript.text,
                "language": transcript.language,
                "start": round(heard.start, 3),
                "duration": round(heard.duration, 3),
                "confidence": round(transcript.confidence, 3),
                "words": [
                    {
                        "word": word.text,
                        "start": round(heard.start + word.start, 3),
                        "end": round(heard.start + word.end, 3),
                        "confidence": round(word.confidence, 3),
                    }
                    for word in transcript.words
                ],
            }
        )

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            await self._ws.send_json({**message, "session_id": self._id})
        except ConnectionError as error:  # the caller hung up while we were still decoding
            raise asyncio.CancelledError from error
