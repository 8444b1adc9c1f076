"""What every protocol that speaks has in common: whose voice, its sound as it is made, and when each word was said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
from aiohttp import web
from livekit.agents import LanguageCode

from lkcook import pcm, voices
from lkcook.engines.prosody import Prosody
from lkcook.engines.speech_to_text import SAMPLE_RATE as HEARING_RATE
from lkcook.engines.text_to_speech import SAMPLE_RATE, TextToSpeech
from lkcook.engines.transcript import Word
from lkcook.engines.voices import LANGUAGES, VOICES, in_language
from lkcook.gateway.models import Models
from lkcook.gateway.socket import ProtocolError
from lkcook.gateway.sound_encoder import SoundEncoder

LONGEST_TEXT = 5_000  # characters per request or message


class UnknownVoice(ProtocolError):
    """The provider has no such voice here; the text names those it has."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code=404, fatal=True)


class ForeignLanguage(ProtocolError):
    """No voice here speaks that; the text names what they do speak."""

    def __init__(self, language: Any) -> None:
        spoken = " and ".join(LANGUAGES)
        super().__init__(f"no voice here speaks {language!r}; they speak {spoken}", fatal=True)


def speaker(model: str, voice_id: str, language: Any) -> str:
    """The machine's voice for a provider's ("" is its first), in `language` (a tag, or None for the voice's own).

    Raises UnknownVoice and ForeignLanguage.
    """
    try:
        voice = VOICES[voices.embedded_voice(model, voice_id)]
    except KeyError as unknown:
        raise UnknownVoice(unknown.args[0]) from unknown
    try:
        return in_language(voice, LanguageCode(str(language)).language if language else None).name
    except KeyError as foreign:
        raise ForeignLanguage(language) from foreign


async def spoken(engine: TextToSpeech, text: str, voice: str, prosody: Prosody) -> AsyncIterator[np.ndarray]:
    """int16 mono at 24 kHz, sentence by sentence, made on a thread; leaving it stops after the sentence at hand."""
    parts = engine.stream(text, voice=voice, prosody=prosody)
    while (samples := await asyncio.to_thread(next, parts, None)) is not None:
        yield samples


async def sounding(engine: TextToSpeech, text: str, voice: str, prosody: Prosody) -> AsyncIterator[np.ndarray]:
    """As spoken(), for a text that stands alone: raises ProtocolError when nothing of it can be said."""
    silent = True
    async for samples in spoken(engine, text, voice, prosody):
        silent = False
        yield samples
    if silent:
        told = f"nothing in {text[:80]!r} can be said: it has no letters or digits that a voice here can read"
        raise ProtocolError(told, fatal=True)


async def encoded(sound: AsyncIterator[np.ndarray], encoder: SoundEncoder) -> AsyncIterator[bytes]:
    """Bytes of the format asked for, in pieces of about 0.1 s."""
    async for samples in sound:
        for piece in encoder.encode(samples):
            yield piece
    if rest := encoder.finish():
        yield rest


async def send_sound(request: web.Request, headers: dict[str, str], pieces: AsyncIterator[bytes]) -> web.StreamResponse:
    """Each piece as soon as it is there; what fails before the first one can still be refused by its status."""
    response = web.StreamResponse(headers=headers)
    async for piece in pieces:
        if not response.prepared:
            await response.prepare(request)
        await response.write(piece)
    return response


async def timed_words(models: Models, samples: np.ndarray, text: str, voice: str) -> tuple[Word, ...]:
    """When each word of `text` was said in `samples` (int16 at 24 kHz, at most 30 s), by the recogniser's own ear."""
    engine = await models.speech_to_text()
    sound = pcm.to_float(pcm.resample(samples, SAMPLE_RATE, HEARING_RATE))
    return await asyncio.to_thread(engine.align, sound, text, language=VOICES[voice].language)


def letters(word: Word) -> list[tuple[str, float, float]]:
    """(letter, start, seconds) of each letter of a word: they share its time equally."""
    length = (word.end - word.start) / len(word.text)
    return [(letter, word.start + i * length, length) for i, letter in enumerate(word.text)]
