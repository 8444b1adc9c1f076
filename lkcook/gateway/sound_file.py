"""A sound file of an upload → samples → what is said in it, window by window. Knows no provider."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from typing import Any

import av
import numpy as np
from aiohttp import web
from multidict import MultiDictProxy

from lkcook import pcm
from lkcook.engines.speech_to_text import SAMPLE_RATE, SpeechToText
from lkcook.engines.transcript import Transcript
from lkcook.gateway.socket import ProtocolError

LARGEST = 25 << 20  # bytes of a file, where the gateway's limit of a body is too narrow: OpenAI's
WINDOW = 28.0  # seconds decoded at once; Whisper's window is 30 s
_QUIET = SAMPLE_RATE // 20  # samples: where a longer sound is cut, the softest 50 ms of the window's last third
_FORMATS = "wav,mp3,flac,ogg,aac,mov,matroska"  # and no playlists: those would make the decoder open other files


class BadUpload(ProtocolError):
    """status: a word for programs, "invalid_form", "invalid_file", "audio_too_short" or "audio_too_long"."""

    def __init__(self, status: str, message: str, *, code: int = 400) -> None:
        super().__init__(message, code=code, fatal=True)
        self.status = status


async def form_of(request: web.Request, fields: str) -> MultiDictProxy[Any]:
    """The multipart form of a request. fields: what it must have, in words. Raises BadUpload, and HTTP 413."""
    if request.content_type != "multipart/form-data":
        raise BadUpload("invalid_form", f"the body is a multipart form with {fields}")
    try:
        return await request.post()
    except web.HTTPException:
        raise
    except Exception as error:  # whatever its parser stumbles over: it names no exceptions
        raise BadUpload("invalid_form", f"the multipart form cannot be read: {error}") from error


def file_in(form: MultiDictProxy[Any]) -> bytes:
    """The field `file`; raises BadUpload."""
    field = form.get("file")
    if not isinstance(field, web.FileField):
        raise BadUpload("invalid_file", '"file" is a sound file')
    return field.file.read()


def decoded(data: bytes, longest: float, *, too_long: int = 413) -> np.ndarray:
    """WAV, MP3, FLAC, Ogg, AAC, MP4 or WebM → float32 mono at 16 kHz; raises BadUpload.

    longest: seconds that are taken. too_long: the HTTP status of what is longer.
    """
    converter = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    parts: list[np.ndarray] = []
    length = 0
    try:
        with av.open(io.BytesIO(data), options={"format_whitelist": _FORMATS}) as container:
            for frame in _frames(container):
                for piece in converter.resample(frame):
                    parts.append(piece.to_ndarray().reshape(-1))
                    length += len(parts[-1])
                if length > longest * SAMPLE_RATE:
                    raise BadUpload("audio_too_long", f"at most {longest:g} s of sound are taken", code=too_long)
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise BadUpload("invalid_file", f"the file holds no sound that can be read: {error}") from error
    if not length:
        raise BadUpload("audio_too_short", "the file holds no sound")
    return pcm.to_float(np.concatenate(parts))


def _frames(container: av.container.InputContainer) -> Iterator[av.AudioFrame | None]:
    """All of the first audio stream, and None: the end."""
    yield from container.decode(container.streams.audio[0])
    yield None


async def heard(
    engine: SpeechToText,
    samples: np.ndarray,
    *,
    language: str | None,
    keyterms: Sequence[str] = (),
    window: float = WINDOW,
) -> AsyncIterator[Transcript]:
    """What is said in float32 mono 16 kHz samples, window by window; the first one decides which language it is.

    window: seconds decoded at once, at most WINDOW. The words' times count from the beginning of the sound.
    """
    at = 0
    while at < len(samples):
        end = at + _cut(samples[at:], int(window * SAMPLE_RATE))
        part = await asyncio.to_thread(engine.transcribe, samples[at:end], language=language, keyterms=keyterms)
        begin, language = at / SAMPLE_RATE, part.language
        words = tuple(replace(word, start=begin + word.start, end=begin + word.end) for word in part.words)
        yield replace(part, words=words)
        at = end


def joined(parts: Sequence[Transcript]) -> Transcript:
    """Of all windows; the language is the first one's."""
    words = tuple(word for part in parts for word in part.words)
    confidence = float(np.mean([word.confidence for word in words])) if words else 0.0
    text = " ".join(part.text for part in parts if part.text)
    return Transcript(text, parts[0].language if parts else "", confidence, words)


def _cut(samples: np.ndarray, window: int) -> int:
    """How many samples to decode at once."""
    if len(samples) <= window:
        return len(samples)
    begin = window * 2 // 3
    pieces = samples[begin:window][: (window - begin) // _QUIET * _QUIET].reshape(-1, _QUIET)
    return begin + int(np.argmin((pieces**2).mean(axis=1))) * _QUIET + _QUIET // 2
