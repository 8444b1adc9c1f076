"""LiveKit Inference text to speech: WebSocket /v1/tts (livekit-agents 1.8.9, inference/tts.py:504-800).

    client  session.create · input_transcript (a sentence) · session.flush (end of an utterance) · session.close
    server  session.created · output_audio · done (one per flush) · session.closed · error

A connection is pooled and serves many utterances. Every message of an utterance carries its `session_id`.
"""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
from aiohttp import web

from lkcook import pcm
from lkcook.engines.text_to_speech import SAMPLE_RATE, TextToSpeech
from lkcook.gateway.models import Models
from lkcook.gateway.socket import Closed, ProtocolError, known_keys, sample_rate, serve_messages

_CHUNK = 0.1  # seconds of audio per message
_LONGEST_TEXT = 5_000  # characters per message
_PACE = {"slow": 0.8, "normal": 1.0, "fast": 1.25}
_END_OF_UTTERANCE = None


async def handle_tts(request: web.Request) -> web.WebSocketResponse:
    """The route."""
    models = request.app[Models.KEY]
    return await serve_messages(request, lambda ws: _Session(ws, models, request), _Session.receive)


class _Session:
    def __init__(self, ws: web.WebSocketResponse, models: Models, request: web.Request) -> None:
        self._ws, self._models = ws, models
        self._query_model = request.query.get("model")
        self._engine: TextToSpeech | None = None
        self._rate = SAMPLE_RATE
        self._speed = 1.0
        self._texts: asyncio.Queue[tuple[str, float] | None] = asyncio.Queue(maxsize=256)
        self._speaker: asyncio.Task[None] | None = None
        self._utterance = _new_utterance()

    async def receive(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "session.create":
            await self._create(message)
            return
        if kind not in ("input_transcript", "session.flush", "session.update", "session.close"):
            raise ProtocolError(f"unknown message type {kind!r}")
        if kind == "session.close":
            raise Closed
        if self._engine is None:
            raise ProtocolError(f"{kind} before session.create")
        if kind == "input_transcript":
            await self._texts.put(self._read(message))
        elif kind == "session.flush":
            await self._texts.put(_END_OF_UTTERANCE)
        else:
            self._speed = self._read_speed(known_keys(message.get("extra"), "extra"), self._speed)

    async def aclose(self) -> None:
        if self._speaker is not None:
            self._speaker.cancel()
            await asyncio.gather(self._speaker, return_exceptions=True)

    async def _create(self, message: dict[str, Any]) -> None:
        if self._engine is not None:
            raise ProtocolError("the session exists already")
        self._models.check("tts", message.get("model") or self._query_model or "")
        if (encoding := message.get("encoding", "pcm_s16le")) != "pcm_s16le":
            raise ProtocolError(f"encoding {encoding!r} is not served; ask for pcm_s16le", fatal=True)
        self._rate = sample_rate(message.get("sample_rate"), SAMPLE_RATE)
        self._speed = self._read_speed(known_keys(message.get("extra"), "extra"), 1.0)
        self._engine = await self._models.text_to_speech()
        self._speaker = asyncio.create_task(self._speak())
        await self._ws.send_json({"type": "session.created"})

    def _read(self, message: dict[str, Any]) -> tuple[str, float]:
        text = message.get("transcript")
        if not isinstance(text, str):
            raise ProtocolError('"transcript" is text')
        if len(text) > _LONGEST_TEXT:
            raise ProtocolError(f"a transcript of {len(text)} characters; at most {_LONGEST_TEXT} are taken")
        if model := known_keys(message.get("generation_config"), "generation_config").get("model"):
            self._models.check("tts", model)
        return text, self._read_speed(known_keys(message.get("extra"), "extra"), self._speed)

    @staticmethod
    def _read_speed(extra: dict[str, Any], default: float) -> float:
        """Cartesia's `speed`: slow, normal, fast or a factor."""
        speed = extra.get("speed", default)
        if isinstance(speed, bool) or not isinstance(speed, int | float):
            speed = _PACE.get(speed)
        if speed is None or not 0.5 <= speed <= 2.0:
            raise ProtocolError("speed is slow, normal, fast or a factor from 0.5 to 2.0")
        return float(speed)

    async def _speak(self) -> None:
        """Synthesise texts in order, on a thread; cancelling it stops after the sentence at hand."""
        while True:
            item = await self._texts.get()
            if item is _END_OF_UTTERANCE:
                await self._ws.send_json({"type": "done", "session_id": self._utterance})
                self._utterance = _new_utterance()
                continue
            assert self._engine is not None
            sentences = self._engine.stream(item[0], speed=item[1])
            while (samples := await asyncio.to_thread(next, sentences, None)) is not None:
                for chunk in self._chunks(samples):
                    await self._ws.send_json(
                        {"type": "output_audio", "session_id": self._utterance, "audio": chunk}
                    )

    def _chunks(self, samples: np.ndarray) -> Iterator[str]:
        samples = pcm.resample(samples, SAMPLE_RATE, self._rate)
        size = int(self._rate * _CHUNK)
        for start in range(0, len(samples), size):
            yield base64.b64encode(samples[start : start + size].tobytes()).decode()


def _new_utterance() -> str:
    return f"utterance_{uuid.uuid4().hex[:12]}"
