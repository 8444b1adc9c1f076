"""LiveKit Inference text to speech: WebSocket /v1/tts (livekit-agents 1.8.9, inference/tts.py:504-800).

    client  session.create · input_transcript (a sentence) · session.flush (end of an utterance) · session.update
            · session.close
    server  session.created · output_audio · output_alignment · done (one per flush) · session.closed · error

A connection is pooled and serves many utterances. Every message of an utterance carries its `session_id`.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from aiohttp import web

from lkcook import pcm
from lkcook.engines.prosody import Prosody
from lkcook.engines.text_to_speech import SAMPLE_RATE, TextToSpeech
from lkcook.engines.transcript import Word
from lkcook.gateway import options
from lkcook.gateway.chain import Chain, Choice
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.socket import Closed, ProtocolError, known_keys, sample_rate, serve_messages
from lkcook.gateway.speaking import LONGEST_TEXT, letters, speaker, spoken, timed_words

logger = logging.getLogger("lkcook.gateway")

_CHUNK = 0.1  # seconds of audio per message
_END_OF_UTTERANCE = None


@dataclass(frozen=True)
class _Sentence:
    text: str
    voice: str
    prosody: Prosody
    alignment: str  # "words", "chars" or ""


async def handle_tts(request: web.Request) -> web.WebSocketResponse:
    """The route."""
    return await serve_messages(request, lambda ws: _Session(ws, Exchange(request, "text to speech")), _Session.receive)


class _Session:
    def __init__(self, ws: web.WebSocketResponse, exchange: Exchange) -> None:
        self._ws, self._exchange = ws, exchange
        self._models = exchange.request.app[Models.KEY]
        self._chain: Chain | None = None
        self._engine: TextToSpeech | None = None
        self._rate = SAMPLE_RATE
        self._language: Any = None
        self._texts: asyncio.Queue[_Sentence | None] = asyncio.Queue(maxsize=256)
        self._speaker: asyncio.Task[None] | None = None
        self._utterance, self._position = _new_utterance(), 0.0

    async def receive(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "session.create":
            await self._create(message)
            return
        if kind not in ("input_transcript", "session.flush", "session.update", "session.close"):
            raise ProtocolError(f"unknown message type {kind!r}")
        if kind == "session.close":
            raise Closed
        if self._chain is None:
            raise ProtocolError(f"{kind} before session.create")
        if kind == "input_transcript":
            await self._texts.put(self._read(message))
        elif kind == "session.flush":
            await self._texts.put(_END_OF_UTTERANCE)
        else:
            self._update(message)

    async def aclose(self) -> None:
        if self._speaker is not None:
            self._speaker.cancel()
            await asyncio.gather(self._speaker, return_exceptions=True)

    async def _create(self, message: dict[str, Any]) -> None:
        if self._chain is not None:
            raise ProtocolError("the session exists already")
        model = message.get("model") or self._exchange.request.query.get("model", "")
        record = self._exchange.record(model, message)
        extra = known_keys(message.get("extra"), "extra")
        chain = Chain("tts", Choice(model, _text(message.get("voice"))), message, self._models)
        self._language = message.get("language")
        for choice in chain.choices:
            speaker(choice.model, choice.voice, self._language)
        record.notes += options.unheeded("tts", model, extra) + options.prosody_of(model, extra)[1]
        if (encoding := message.get("encoding", "pcm_s16le")) != "pcm_s16le":
            raise ProtocolError(f"encoding {encoding!r} is not served; ask for pcm_s16le", fatal=True)
        self._rate = sample_rate(message.get("sample_rate"), SAMPLE_RATE)
        chain.serving(self._exchange.fails, record)
        self._engine = await self._models.text_to_speech()
        self._chain, self._extra = chain, extra
        self._speaker = asyncio.create_task(self._speak())
        await self._ws.send_json({"type": "session.created"})

    def _update(self, message: dict[str, Any]) -> None:
        """session.update: voice, language and extra from now on."""
        assert self._chain is not None
        self._exchange.record(self._chain.choices[0].model, message)
        first = replace(self._chain.choices[0], voice=_text(message.get("voice")) or self._chain.choices[0].voice)
        language = message.get("language", self._language)
        speaker(first.model, first.voice, language)
        extra = {**self._extra, **known_keys(message.get("extra"), "extra")}
        options.prosody_of(first.model, extra)
        self._chain.choices[0], self._language, self._extra = first, language, extra

    def _read(self, message: dict[str, Any]) -> _Sentence:
        assert self._chain is not None
        text = message.get("transcript")
        if not isinstance(text, str):
            raise ProtocolError('"transcript" is text')
        if len(text) > LONGEST_TEXT:
            raise ProtocolError(f"a transcript of {len(text)} characters; at most {LONGEST_TEXT} are taken")
        config = known_keys(message.get("generation_config"), "generation_config")
        record = self._exchange.record(config.get("model") or self._chain.choices[0].model, message)
        if model := config.get("model"):
            self._models.check("tts", model)
            self._chain.choices[0] = replace(self._chain.choices[0], model=model)
        choice = self._chain.serving(self._exchange.fails, record)
        extra = known_keys(message.get("extra"), "extra") or self._extra
        if choice is self._chain.choices[0]:
            choice = replace(choice, voice=_text(config.get("voice")) or choice.voice)
        else:
            extra = choice.extra
        voice = speaker(choice.model, choice.voice, config.get("language") or self._language)
        prosody, _ = options.prosody_of(choice.model, extra)
        return _Sentence(text, voice, prosody, options.wants_timestamps(choice.model, extra))

    async def _speak(self) -> None:
        """Synthesise texts in order; cancelling it stops after the sentence at hand. A failure reaches the client."""
        try:
            while True:
                item = await self._texts.get()
                if item is _END_OF_UTTERANCE:
                    await self._send({"type": "done"})
                    self._utterance, self._position = _new_utterance(), 0.0
                else:
                    await self._say(item)
        except ConnectionError:
            logger.info("the client went away in mid-sentence")
        except Exception as error:
            logger.exception("the voice failed")
            await self._send({"type": "error", "code": 500, "message": f"the voice failed: {error}"})
            await self._ws.close()

    async def _say(self, sentence: _Sentence) -> None:
        assert self._engine is not None
        said: list[np.ndarray] = []
        async for samples in spoken(self._engine, sentence.text, sentence.voice, sentence.prosody):
            said.append(samples)
            for chunk in self._chunks(samples):
                await self._send({"type": "output_audio", "audio": chunk})
        if said:
            await self._align(sentence, np.concatenate(said))

    async def _align(self, sentence: _Sentence, samples: np.ndarray) -> None:
        """Where each word of `sentence` was heard, in seconds from the beginning of the utterance."""
        begin = self._position
        self._position += len(samples) / SAMPLE_RATE
        if not sentence.alignment:
            return
        words = await timed_words(self._models, samples, sentence.text, sentence.voice)
        entries = _words(words, begin) if sentence.alignment == "words" else _characters(words, begin)
        await self._send({"type": "output_alignment", sentence.alignment: entries})

    def _chunks(self, samples: np.ndarray) -> Iterator[str]:
        samples = pcm.resample(samples, SAMPLE_RATE, self._rate)
        size = int(self._rate * _CHUNK)
        for start in range(0, len(samples), size):
            yield base64.b64encode(samples[start : start + size].tobytes()).decode()

    async def _send(self, message: dict[str, Any]) -> None:
        await self._ws.send_json({**message, "session_id": self._utterance})


def _words(words: Sequence[Word], begin: float) -> list[dict[str, Any]]:
    return [
        {"word": word.text, "start": round(begin + word.start, 3), "end": round(begin + word.end, 3)} for word in words
    ]


def _characters(words: Sequence[Word], begin: float) -> list[dict[str, Any]]:
    """The space behind a word has its share of the word's time."""
    return [
        {"char": char, "start": round(begin + start, 3), "end": round(begin + start + length, 3)}
        for word in words
        for char, start, length in letters(replace(word, text=f"{word.text} "))
    ]


def _text(value: Any) -> str:
    if value is not None and not isinstance(value, str):
        raise ProtocolError('"voice" is text', fatal=True)
    return value or ""


def _new_utterance() -> str:
    return f"utterance_{uuid.uuid4().hex[:12]}"
