"""ElevenLabs' Scribe, the batch recogniser: a form with a sound file becomes text and timed words."""

from __future__ import annotations

import asyncio
import io
import math
from typing import Any, get_args

import av
import numpy as np
from aiohttp import web
from livekit.agents import LanguageCode
from multidict import MultiDictProxy

from lkcook import pcm
from lkcook.engines.speech_to_text import SAMPLE_RATE, SpeechToText
from lkcook.engines.transcript import Transcript, Word
from lkcook.gateway.elevenlabs_speech import Refusal
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.options import only_the_cloud

_LONGEST = 300  # seconds of sound per request
_WINDOW = 28 * SAMPLE_RATE  # samples decoded at once; Whisper's window is 30 s
_QUIET = SAMPLE_RATE // 20  # samples: where a longer sound is cut, the softest 50 ms of the window's last third
_FORMATS = "wav,mp3,flac,ogg,aac,mov,matroska"  # and no playlists: those would make the decoder open other files
_KEYTERMS = 100
_HEEDED = {"file", "model_id", "language_code", "keyterms"}
_USUAL = {"tag_audio_events": "true", "no_verbatim": "false", "enable_logging": "true"}  # what the plugin sends unasked


async def transcription(request: web.Request) -> dict[str, Any]:
    """The answer to a form; raises ProtocolError."""
    form = await _form(request)
    model = f"elevenlabs/{_model(form)}"
    exchange = Exchange(request, "speech to text")
    shown = {name: value if isinstance(value, str) else "… sound" for name, value in form.items()}
    record = exchange.record(model, {**request.query, **shown})
    record.notes += [
        only_the_cloud(name)
        for name, value in record.message.items()
        if name not in _HEEDED and value != _USUAL.get(name)
    ]
    exchange.refuse_if_failing(model)
    samples = await asyncio.to_thread(_decoded, _file(form))
    engine = await request.app[Models.KEY].speech_to_text()
    language = _language(form, engine)
    record.answered_by = model
    keyterms = [term.strip() for term in form.getall("keyterms", []) if isinstance(term, str)][:_KEYTERMS]
    return _spelled_out(await _heard(engine, samples, language, keyterms))


async def _heard(engine: SpeechToText, samples: np.ndarray, language: str | None, keyterms: list[str]) -> Transcript:
    """All of it, window by window; the first one decides which language it is."""
    texts: list[str] = []
    words: list[Word] = []
    at = 0
    while at < len(samples):
        end = at + _cut(samples[at:])
        part = await asyncio.to_thread(engine.transcribe, samples[at:end], language=language, keyterms=keyterms)
        begin, language = at / SAMPLE_RATE, part.language
        words += [Word(word.text, begin + word.start, begin + word.end, word.confidence) for word in part.words]
        texts += [part.text] if part.text else []
        at = end
    return Transcript(" ".join(texts), language or "", words=tuple(words))


def _cut(samples: np.ndarray) -> int:
    """How many samples to decode at once."""
    if len(samples) <= _WINDOW:
        return len(samples)
    begin = _WINDOW * 2 // 3
    pieces = samples[begin:_WINDOW][: (_WINDOW - begin) // _QUIET * _QUIET].reshape(-1, _QUIET)
    return begin + int(np.argmin((pieces**2).mean(axis=1))) * _QUIET + _QUIET // 2


def _spelled_out(heard: Transcript) -> dict[str, Any]:
    """Scribe's words have spaces between them that are entries of their own."""
    entries: list[dict[str, Any]] = []
    for word in heard.words:
        if entries:
            gap = {"start": entries[-1]["end"], "end": round(word.start, 3)}
            entries.append({"text": " ", "type": "spacing", **gap, "logprob": 0.0})
        times = {"start": round(word.start, 3), "end": round(word.end, 3)}
        logprob = round(math.log(max(word.confidence, 1e-6)), 4)
        entries.append({"text": word.text, "type": "word", **times, "logprob": logprob})
    return {"language_code": heard.language, "text": heard.text, "words": entries}


async def _form(request: web.Request) -> MultiDictProxy[Any]:
    if request.content_type != "multipart/form-data":
        raise Refusal("invalid_form", "the body is a multipart form with a file and a model_id")
    try:
        return await request.post()
    except web.HTTPException:
        raise
    except Exception as error:  # whatever its parser stumbles over: it names no exceptions
        raise Refusal("invalid_form", f"the multipart form cannot be read: {error}") from error


def _model(form: MultiDictProxy[Any]) -> str:
    from livekit.plugins.elevenlabs import stt  # late: registers a plugin, which only the main thread may do

    known = [model for model in get_args(stt.ElevenLabsSTTModels) if not model.endswith("_realtime")]
    if (model := form.get("model_id")) not in known:
        raise Refusal("invalid_model_id", f"unknown model {model!r}; served here are: {', '.join(known)}", code=404)
    return str(model)


def _file(form: MultiDictProxy[Any]) -> bytes:
    field = form.get("file")
    if not isinstance(field, web.FileField):
        raise Refusal("invalid_file", '"file" is a sound file')
    return field.file.read()


def _language(form: MultiDictProxy[Any], engine: SpeechToText) -> str | None:
    if not (tag := form.get("language_code")):
        return None
    if (code := LanguageCode(str(tag)).language) not in engine.languages:
        known = ", ".join(sorted(engine.languages))
        raise Refusal("unsupported_language", f"language {tag!r} is not known; known are: {known}")
    return code


def _decoded(data: bytes) -> np.ndarray:
    """A sound file → float32 mono at 16 kHz; raises Refusal."""
    converter = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    parts: list[np.ndarray] = []
    try:
        with av.open(io.BytesIO(data), options={"format_whitelist": _FORMATS}) as container:
            for frame in container.decode(container.streams.audio[0]):
                parts += [piece.to_ndarray().reshape(-1) for piece in converter.resample(frame)]
                if sum(map(len, parts)) > _LONGEST * SAMPLE_RATE:
                    raise Refusal("audio_too_long", f"at most {_LONGEST} s of sound are taken", code=413)
            parts += [piece.to_ndarray().reshape(-1) for piece in converter.resample(None)]
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise Refusal("invalid_file", f"the file holds no sound that can be read: {error}") from error
    if not sum(map(len, parts)):
        raise Refusal("audio_too_short", "the file holds no sound")
    return pcm.to_float(np.concatenate(parts))
