"""Deepgram's /v1/speak: a POST that says a text, and a WebSocket that says what comes in pieces.

    client  Speak · Flush · Clear · Close        (livekit-plugins-deepgram 1.8.9, tts.py: a Speak per word)
    server  Metadata · binary sound · Flushed (one per Flush) · Cleared · Error
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web
from multidict import MultiMapping

from lkcook.engines.prosody import NEUTRAL, Prosody
from lkcook.engines.text_to_speech import SAMPLE_RATE, TextToSpeech
from lkcook.gateway import deepgram_query as fields
from lkcook.gateway.deepgram_models import speaking_model
from lkcook.gateway.deepgram_socket import FORM
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.sentences import split
from lkcook.gateway.socket import Closed, ProtocolError, json_object, sample_rate, serve_messages
from lkcook.gateway.sound_encoder import ENCODINGS, Encoding, SoundEncoder
from lkcook.gateway.speaking import LONGEST_TEXT, encoded, send_sound, sounding, speaker, spoken

logger = logging.getLogger("lkcook.gateway")

_BARE = {
    "linear16": ENCODINGS["pcm"],
    "mulaw": Encoding("audio/basic", "mulaw", "pcm_mulaw"),
    "alaw": Encoding("audio/x-alaw-basic", "alaw", "pcm_alaw"),
}
_OF_FILES = {**_BARE, **{name: ENCODINGS[name] for name in ("mp3", "opus", "flac", "aac")}}
_RATES = {"mulaw": 8_000, "alaw": 8_000, "opus": 48_000}
_SPEED = (0.7, 1.5)
_HEEDED = ("container", "bit_rate", "speed")
_MOST_SENTENCES = 512  # that wait to be said


@dataclass(frozen=True)
class _Wanted:
    """model: as Deepgram calls it. voice: one of this machine's."""

    model: str
    voice: str
    prosody: Prosody
    encoding: Encoding
    rate: int


async def synthesize(request: web.Request) -> web.StreamResponse:
    """The POST: {"text"} becomes sound, sentence by sentence. Raises ProtocolError."""
    text = json_object(await request.read(), "the body").get("text")
    if not isinstance(text, str) or not text.strip():
        raise ProtocolError('"text" is text, and not an empty one')
    _check_length(text)
    wanted, engine = await _ready(request, _OF_FILES, "mp3", {"text": text})
    headers = {"Content-Type": wanted.encoding.mime, "dg-model-name": wanted.model}
    sound = sounding(engine, text, wanted.voice, wanted.prosody)
    return await send_sound(request, headers, encoded(sound, SoundEncoder(wanted.encoding, wanted.rate)))


async def live(request: web.Request) -> web.StreamResponse:
    """The WebSocket. Raises ProtocolError before it is one."""
    wanted, engine = await _ready(request, _BARE, "linear16", {})
    return await serve_messages(request, lambda ws: _Live(ws, wanted, engine), _Live.receive, FORM)


async def _ready(
    request: web.Request, encodings: dict[str, Encoding], usual: str, message: dict[str, Any]
) -> tuple[_Wanted, TextToSpeech]:
    query = request.query
    exchange = Exchange(request, "text to speech")
    with exchange.recorded(query.get("model", ""), {**query, **message}) as record:
        record.model, voice = speaking_model(query.get("model", ""))
        exchange.refuse_if_failing(record.model)
        record.notes += fields.notes(query, _HEEDED, {"container": "none"})
        encoding, rate = _encoding(query, encodings, usual)
        speed = fields.number(query, "speed", *_SPEED) or 1.0
        wanted = _Wanted(query["model"], speaker(record.model, voice, None), NEUTRAL.faster(speed), encoding, rate)
        return wanted, await request.app[Models.KEY].text_to_speech()


def _encoding(query: MultiMapping[str], known: dict[str, Encoding], usual: str) -> tuple[Encoding, int]:
    name = query.get("encoding", usual)
    if name not in known:
        raise ProtocolError(f"encoding {name!r} is none of {', '.join(known)}")
    if query.get("container") == "wav" and name == "linear16" and "mp3" in known:
        encoding = ENCODINGS["wav"]
    else:
        encoding = known[name]
    bit_rate = fields.number(query, "bit_rate", 4_000, 650_000)
    rate = sample_rate(query.get("sample_rate"), _RATES.get(name, SAMPLE_RATE))
    if name == "opus":
        rate = _RATES["opus"]
    elif name == "mp3" and rate not in (8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000):
        raise ProtocolError(f"an mp3 has no sample_rate {rate}")
    return (replace(encoding, bit_rate=int(bit_rate)) if bit_rate else encoding), rate


def _check_length(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise ProtocolError(f"a text of {len(text)} characters; at most {LONGEST_TEXT} are taken")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ProtocolError('"text" holds half a surrogate pair')


class _Live:
    """Sentences are said as soon as they are complete; a Flush says the rest, too."""

    def __init__(self, ws: web.WebSocketResponse, wanted: _Wanted, engine: TextToSpeech) -> None:
        self._ws, self._wanted, self._engine = ws, wanted, engine
        self._unsaid, self._flushes, self._cleared = "", 0, 0
        # how often was cleared before, and a sentence, or None: a flush; in their place None is the end
        self._waiting: asyncio.Queue[tuple[int, str | None] | None] = asyncio.Queue()
        self._encoder = SoundEncoder(wanted.encoding, wanted.rate)
        self._speaking = asyncio.create_task(self._speak())

    async def receive(self, message: bytes | dict[str, Any]) -> None:
        kind = message["type"] if isinstance(message, dict) else "binary"
        if kind == "Speak" and isinstance(message, dict):
            self._push(message.get("text"))
        elif kind == "Flush":
            self._flush()
        elif kind == "Clear":
            self._cleared += 1
            self._unsaid = ""
            await self._send({"type": "Cleared", "sequence_id": self._flushes})
        elif kind == "Close":
            if self._unsaid.strip():
                self._flush()
            self._waiting.put_nowait(None)
            await asyncio.wait([self._speaking])
            raise Closed
        else:
            raise ProtocolError(f"unknown message type {kind!r}; there are Speak, Flush, Clear and Close")

    async def aclose(self) -> None:
        self._speaking.cancel()
        await asyncio.gather(self._speaking, return_exceptions=True)

    def _push(self, text: Any) -> None:
        if not isinstance(text, str):
            raise ProtocolError('"text" is text')
        _check_length(self._unsaid + text)
        if self._waiting.qsize() > _MOST_SENTENCES:
            raise ProtocolError(f"more than {_MOST_SENTENCES} sentences wait to be said", code=429)
        sentences, self._unsaid = split(self._unsaid + text)
        for sentence in sentences:
            self._waiting.put_nowait((self._cleared, sentence))

    def _flush(self) -> None:
        if self._unsaid.strip():
            self._waiting.put_nowait((self._cleared, self._unsaid))
        self._unsaid = ""
        self._waiting.put_nowait((self._cleared, None))

    async def _speak(self) -> None:
        """What was cleared is not said; whoever waits for a Flushed gets it."""
        try:
            await self._send({"type": "Metadata", "request_id": str(uuid.uuid4()), "model_name": self._wanted.model})
            while (waiting := await self._waiting.get()) is not None:
                cleared, sentence = waiting
                await (self._say(sentence, cleared) if sentence is not None else self._flushed())
        except ConnectionError:
            logger.info("the client went away in mid-sentence")
        except Exception as error:
            logger.exception("the voice failed")
            await self._ws.send_json(FORM.complaint(ProtocolError(f"the voice failed: {error}", code=500)))
            await self._ws.close()

    async def _say(self, sentence: str, cleared: int) -> None:
        async for samples in spoken(self._engine, sentence, self._wanted.voice, self._wanted.prosody):
            for piece in self._encoder.encode(samples):
                if cleared != self._cleared:
                    return
                await self._ws.send_bytes(piece)

    async def _flushed(self) -> None:
        if rest := self._encoder.finish():
            await self._ws.send_bytes(rest)
        self._encoder = SoundEncoder(self._wanted.encoding, self._wanted.rate)
        await self._send({"type": "Flushed", "sequence_id": self._flushes})
        self._flushes += 1

    async def _send(self, message: dict[str, Any]) -> None:
        await self._ws.send_json(message)
