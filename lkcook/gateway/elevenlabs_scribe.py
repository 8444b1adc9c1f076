"""ElevenLabs' Scribe, the batch recogniser: a form with a sound file becomes text and timed words."""

from __future__ import annotations

import asyncio
import math
from typing import Any, get_args

from aiohttp import web
from livekit.agents import LanguageCode
from multidict import MultiDictProxy

from lkcook.engines.speech_to_text import SpeechToText
from lkcook.engines.transcript import Transcript
from lkcook.gateway.elevenlabs_speech import Refusal
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.options import only_the_cloud
from lkcook.gateway.sound_file import decoded, file_in, form_of, heard, joined

_LONGEST = 300  # seconds of sound per request
_KEYTERMS = 100
_HEEDED = {"file", "model_id", "language_code", "keyterms"}
_USUAL = {"tag_audio_events": "true", "no_verbatim": "false", "enable_logging": "true"}  # what the plugin sends unasked


async def transcription(request: web.Request) -> dict[str, Any]:
    """The answer to a form; raises ProtocolError."""
    form = await form_of(request, "a file and a model_id")
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
    samples = await asyncio.to_thread(decoded, file_in(form), _LONGEST)
    engine = await request.app[Models.KEY].speech_to_text()
    language = _language(form, engine)
    record.answered_by = model
    keyterms = [term.strip() for term in form.getall("keyterms", []) if isinstance(term, str)][:_KEYTERMS]
    parts = [part async for part in heard(engine, samples, language=language, keyterms=keyterms)]
    return _spelled_out(joined(parts))


def _spelled_out(transcript: Transcript) -> dict[str, Any]:
    """Scribe's words have spaces between them that are entries of their own."""
    entries: list[dict[str, Any]] = []
    for word in transcript.words:
        if entries:
            gap = {"start": entries[-1]["end"], "end": round(word.start, 3)}
            entries.append({"text": " ", "type": "spacing", **gap, "logprob": 0.0})
        times = {"start": round(word.start, 3), "end": round(word.end, 3)}
        logprob = round(math.log(max(word.confidence, 1e-6)), 4)
        entries.append({"text": word.text, "type": "word", **times, "logprob": logprob})
    return {"language_code": transcript.language, "text": transcript.text, "words": entries}


def _model(form: MultiDictProxy[Any]) -> str:
    from livekit.plugins.elevenlabs import stt  # late: registers a plugin, which only the main thread may do

    known = [model for model in get_args(stt.ElevenLabsSTTModels) if not model.endswith("_realtime")]
    if (model := form.get("model_id")) not in known:
        raise Refusal("invalid_model_id", f"unknown model {model!r}; served here are: {', '.join(known)}", code=404)
    return str(model)


def _language(form: MultiDictProxy[Any], engine: SpeechToText) -> str | None:
    if not (tag := form.get("language_code")):
        return None
    if (code := LanguageCode(str(tag)).language) not in engine.languages:
        known = ", ".join(sorted(engine.languages))
        raise Refusal("unsupported_language", f"language {tag!r} is not known; known are: {known}")
    return code
