"""One reply of an ElevenLabs context: texts that come in pieces, spoken as soon as they are sentences."""

from __future__ import annotations

import asyncio
import base64
import logging
import textwrap
from typing import Any, Protocol

import numpy as np

from lkcook.engines.prosody import Prosody
from lkcook.engines.text_to_speech import SAMPLE_RATE, TextToSpeech
from lkcook.gateway.elevenlabs_speech import Encoder, Manner, Refusal, alignment
from lkcook.gateway.models import Models
from lkcook.gateway.sentences import split
from lkcook.gateway.speaking import LONGEST_TEXT, spoken, timed_words

logger = logging.getLogger("lkcook.gateway")

_LONGEST_SENTENCE = 300  # characters: less than the 30 s that can be aligned
_MOST_SENTENCES = 512  # of one context that wait to be said


class Speaker(Protocol):
    """The connection a reply is spoken on. turn: held while a sentence is made. aligned: characters get their times."""

    manner: Manner
    engine: TextToSpeech
    models: Models
    turn: asyncio.Lock
    aligned: bool

    async def send(self, name: str, message: dict[str, Any]) -> None:
        """Send one message of the context `name`."""

    async def refuse(self, name: str | None, sentence: str) -> None:
        """Tell what happened to the context, and forget it."""

    def release(self, name: str, reply: Reply) -> None:
        """The reply has ended."""


class Reply:
    """`push` texts, `end` or `close`; what is said is sent through `connection`."""

    def __init__(self, connection: Speaker, name: str, prosody: Prosody) -> None:
        self._connection, self._name, self._prosody = connection, name, prosody
        self._encoder = Encoder(connection.manner.format)
        self._sentences: asyncio.Queue[str | None] = asyncio.Queue()
        self._unsaid, self._position, self._ended = "", 0.0, False
        self.task = asyncio.create_task(self._speak())

    def push(self, text: str, *, flush: bool) -> None:
        """More text; `flush` says it whether or not a sentence is complete."""
        if self._ended:
            raise Refusal("context_closed", f"context {self._name!r} is closed already")
        sentences, self._unsaid = split(self._unsaid + text)
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
        connection, said = self._connection, list[np.ndarray]()
        async with connection.turn:
            async for samples in spoken(connection.engine, sentence, connection.manner.voice, self._prosody):
                said.append(samples)
                for piece in self._encoder.encode(samples):
                    await self._send_audio(piece)
        if said:
            await self._align(sentence, np.concatenate(said))

    async def _send_audio(self, encoded: bytes) -> None:
        if encoded:
            await self._connection.send(self._name, {"audio": base64.b64encode(encoded).decode()})

    async def _align(self, sentence: str, samples: np.ndarray) -> None:
        """Behind the sound, which nobody should wait for. Times count from the beginning of the context."""
        begin = self._position
        self._position += len(samples) / SAMPLE_RATE
        if self._connection.aligned:
            words = await timed_words(self._connection.models, samples, sentence, self._connection.manner.voice)
            times = alignment(sentence, words, begin)
            await self._connection.send(self._name, {"alignment": times, "normalizedAlignment": times})
