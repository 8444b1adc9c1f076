"""ElevenLabs' multi-context WebSocket (livekit-plugins-elevenlabs 1.8.9, tts.py: _Connection).

    client  {context_id, text: " ", voice_settings} · {context_id, text, flush} · {context_id, close_context}
            · {close_socket}
    server  {contextId, audio} · {contextId, alignment, normalizedAlignment} · {contextId, isFinal}
            · {contextId, error, code}

A connection is pooled; a context is one reply. Several may speak at once: they take turns, sentence by sentence, so
that what an interrupted reply still has to say never stands before all of the next one.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import textwrap
from collections import deque
from typing import Any

import numpy as np
from aiohttp import WSMessage, WSMsgType, web
from livekit.agents import tokenize

from lkcook import pcm
from lkcook.engines.prosody import Prosody
from lkcook.engines.speech_to_text import SAMPLE_RATE as HEARING_RATE
from lkcook.engines.text_to_speech import SAMPLE_RATE, TextToSpeech
from lkcook.engines.voices import VOICES
from lkcook.gateway.elevenlabs_speech import (
    LONGEST_TEXT,
    Encoder,
    Manner,
    Refusal,
    alignment,
    notes_on,
    prosody_of,
    refuse_failing,
    text_of,
)
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.socket import LARGEST_MESSAGE

logger = logging.getLogger("lkcook.gateway")

HARD_LIMIT = 4 << 20  # bytes; beyond this aiohttp closes with 1009 without reading on
_MOST_CONTEXTS = 16  # ElevenLabs has five, and faster machines
_LONGEST_SENTENCE = 300  # characters: less than the 30 s that can be aligned
_MOST_SENTENCES = 512  # of one context that wait to be said
_PATIENCE = 20  # errors before the connection is closed
_tokenizer = tokenize.blingfire.SentenceTokenizer(retain_format=True)


class Connection:
    """One client's socket: `converse`, and `aclose` in any case."""

    def __init__(self, ws: web.WebSocketResponse, exchange: Exchange, manner: Manner, engine: TextToSpeech) -> None:
        self.manner, self.engine, self.turn = manner, engine, asyncio.Lock()
        self.models = exchange.request.app[Models.KEY]
        self._ws, self._exchange = ws, exchange
        self._options = {**exchange.request.query, "voice_id": exchange.request.match_info["voice"]}
        self.aligned = self._options.get("sync_alignment") == "true"
        self._contexts: dict[str, _Context] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused: deque[str] = deque(maxlen=64)

    async def converse(self, patience: float) -> None:
        """Until the client leaves, errs too often, or neither says nor hears anything for `patience` seconds."""
        complaints = 0
        while complaints < _PATIENCE:
            try:
                frame = await asyncio.wait_for(self._ws.receive(), patience)
            except TimeoutError:
                if self.turn.locked():
                    continue
                return
            if frame.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                return
            name = None
            try:
                message = _parsed(frame)
                if message.get("close_socket"):
                    await asyncio.gather(*[context.close() for context in self._contexts.values()])
                    return
                name = _name(message)
                self._receive(name, message)
            except Refusal as refusal:
                complaints += 1
                await self.refuse(name, str(refusal))

    async def aclose(self) -> None:
        """Stops after the sentence at hand."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _receive(self, name: str, message: dict[str, Any]) -> None:
        context = self._contexts.get(name)
        if message.get("close_context"):
            if context is not None:
                context.end()
            return
        text = text_of(message)
        begins = "voice_settings" in message
        if name in self._refused and not begins:  # what was on its way when it was refused
            if text.strip():
                raise Refusal("context_closed", f"context {name!r} was refused; begin it anew, with voice_settings")
        elif context is not None or begins or text.strip():
            if context is None or text.strip():
                self._check(message, begins=context is None)
            context = context or self._open(name, message)
            context.push(text, flush=bool(message.get("flush")))

    def _check(self, message: dict[str, Any], *, begins: bool) -> None:
        """Keep the message, and refuse it when the model shall fail."""
        model = self.manner.model
        asked = {**self._options, **message} if begins else message
        record = self._exchange.record(model, asked)
        if begins:
            record.notes += notes_on(asked)
        refuse_failing(self._exchange, model)
        record.answered_by = model

    def _open(self, name: str, message: dict[str, Any]) -> _Context:
        if len(self._contexts) >= _MOST_CONTEXTS:
            raise Refusal("max_active_conversations", f"{_MOST_CONTEXTS} contexts are open; close one first")
        context = self._contexts[name] = _Context(self, name, prosody_of(message.get("voice_settings")))
        self._tasks.add(context.task)
        context.task.add_done_callback(self._tasks.discard)
        if name in self._refused:
            self._refused.remove(name)
        return context

    async def send(self, name: str, message: dict[str, Any]) -> None:
        await self._ws.send_json({"contextId": name, **message})

    async def refuse(self, name: str | None, sentence: str) -> None:
        """The plugin reads "error" as what happened to the context, and forgets the context."""
        if name is not None:
            if name not in self._refused:
                self._refused.append(name)
            context = self._contexts.pop(name, None)
            if context is not None and context.task is not asyncio.current_task():
                context.task.cancel()
        await self._ws.send_json({"error": sentence, "code": 1008, **({} if name is None else {"contextId": name})})

    def release(self, name: str, context: _Context) -> None:
        """It has ended; its name may be given again."""
        if self._contexts.get(name) is context:
            del self._contexts[name]


class _Context:
    """One reply: texts that come in pieces, spoken as soon as they are sentences, or flushed."""

    def __init__(self, connection: Connection, name: str, prosody: Prosody) -> None:
        self._connection, self._name, self._prosody = connection, name, prosody
        self._encoder = Encoder(connection.manner.format)
        self._sentences: asyncio.Queue[str | None] = asyncio.Queue()
        self._unsaid, self._position, self._ended = "", 0.0, False
        self.task = asyncio.create_task(self._speak())

    def push(self, text: str, *, flush: bool) -> None:
        """More text; `flush` says it whether or not a sentence is complete."""
        if self._ended:
            raise Refusal("context_closed", f"context {self._name!r} is closed already")
        sentences, self._unsaid = _split(self._unsaid + text)
        if flush:
            sentences, self._unsaid = [*sentences, self._unsaid], ""
        if len(self._unsaid) > LONGEST_TEXT:
            raise Refusal("max_character_limit_exceeded", f"a sentence of more than {LONGEST_TEXT} characters")
        for sentence in sentences:
            for part in textwrap.wrap(sentence, _LONGEST_SENTENCE):
                self._sentences.put_nowait(f"{part} ")
        if self._sentences.qsize() > _MOST_SENTENCES:
            raise Refusal("rate_limit_exceeded", f"more than {_MOST_SENTENCES} sentences wait to be said")

    def end(self) -> None:
        """Say what is left, and no more."""
        if not self._ended:
            self.push("", flush=True)
            self._ended = True
            self._sentences.put_nowait(None)

    async def close(self) -> None:
        """As end(), and wait until it is said."""
        self.end()
        await asyncio.gather(self.task, return_exceptions=True)

    async def _speak(self) -> None:
        try:
            while (sentence := await self._sentences.get()) is not None:
                await self._say(sentence)
            await self._send_audio(self._encoder.finish())
            await self._connection.send(self._name, {"isFinal": True})
        except ConnectionError:
            logger.info("the client went away in mid-sentence")
        except Exception as error:
            logger.exception("the voice failed")
            await self._connection.refuse(self._name, f"the voice failed: {error}")
        finally:
            self._connection.release(self._name, self)

    async def _say(self, sentence: str) -> None:
        spoken: list[np.ndarray] = []
        async with self._connection.turn:
            voice = self._connection.manner.voice
            parts = self._connection.engine.stream(sentence, voice=voice, prosody=self._prosody)
            while (samples := await asyncio.to_thread(next, parts, None)) is not None:
                spoken.append(samples)
                for piece in self._encoder.encode(samples):
                    await self._send_audio(piece)
        if spoken:
            await self._align(sentence, np.concatenate(spoken))

    async def _send_audio(self, encoded: bytes) -> None:
        if encoded:
            await self._connection.send(self._name, {"audio": base64.b64encode(encoded).decode()})

    async def _align(self, sentence: str, samples: np.ndarray) -> None:
        """Behind the sound, which nobody should wait for. Times count from the beginning of the context."""
        begin = self._position
        self._position += len(samples) / SAMPLE_RATE
        if self._connection.aligned:
            engine = await self._connection.models.speech_to_text()
            sound = pcm.to_float(pcm.resample(samples, SAMPLE_RATE, HEARING_RATE))
            language = VOICES[self._connection.manner.voice].language
            words = await asyncio.to_thread(engine.align, sound, sentence, language=language)
            times = alignment(sentence, words, begin)
            await self._connection.send(self._name, {"alignment": times, "normalizedAlignment": times})


def _split(text: str) -> tuple[list[str], str]:
    """The complete sentences, and the one that is still being written."""
    *complete, rest = _tokenizer.tokenize(text) or [""]
    if complete and not rest.strip():  # the space behind a sentence does not tell that it is complete
        rest = complete.pop() + rest
    return complete, rest


def _parsed(frame: WSMessage) -> dict[str, Any]:
    """A frame's JSON object; raises Refusal."""
    if frame.type is not WSMsgType.TEXT:
        raise Refusal("invalid_message", "messages are JSON text frames, not binary ones")
    if len(frame.data) > LARGEST_MESSAGE:
        raise Refusal("invalid_message", f"the message is longer than {LARGEST_MESSAGE} bytes")
    try:
        message = json.loads(frame.data)
    except (ValueError, RecursionError) as error:
        raise Refusal("invalid_message", f"the message is not JSON: {error}") from error
    if not isinstance(message, dict):
        raise Refusal("invalid_message", "a message is a JSON object")
    return message


def _name(message: dict[str, Any]) -> str:
    name = message.get("context_id", "default")
    if not isinstance(name, str) or len(name) > 200:
        raise Refusal("invalid_message", '"context_id" is text of at most 200 characters')
    return name
