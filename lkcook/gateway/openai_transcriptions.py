"""OpenAI's POST /v1/audio/transcriptions: a form with a sound file in; text, JSON, subtitles or server-sent events out.

Shapes: openai 3.57, types/audio/transcription*.py. As OpenAI has it, only Whisper writes verbose_json and subtitles,
and it alone does not stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiohttp import web
from multidict import MultiDict, MultiDictProxy

from lkcook import hosts
from lkcook.engines.speech_to_text import SAMPLE_RATE, SpeechToText
from lkcook.engines.transcript import Transcript
from lkcook.gateway import event_stream, mistral_audio, openai_transcripts
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.openai_models import realtime_only, transcription_model
from lkcook.gateway.options import only_the_cloud
from lkcook.gateway.sound_file import LARGEST, WINDOW, decoded, file_in, form_of, heard, joined
from lkcook.gateway.socket import ProtocolError

_FIELDS = 1 << 20  # bytes of everything else in the form
_LONGEST = 1500  # seconds of sound, as OpenAI's gpt-4o-transcribe
_STREAMED = 10.0  # seconds decoded at once when somebody waits for the first words
_HEEDED = {"file", "model", "language", "languages", "prompt", "keywords", "response_format", "stream",
           "timestamp_granularities"}  # fmt: skip
_USUAL = {"temperature": 0.0}


@dataclass(frozen=True)
class _Wanted:
    """model: with its provider. language: ISO 639-1, None to detect it. keyterms: what to expect."""

    model: str
    format: str
    granularities: tuple[str, ...]
    stream: bool
    language: str | None
    keyterms: tuple[str, ...]


async def transcription(request: web.Request) -> web.StreamResponse:
    """The answer to a form; raises ProtocolError."""
    form = await _form(request)
    host = hosts.of_path(request.path)
    if host:
        form = MultiDictProxy(MultiDict((host.renamed.get(name, name), value) for name, value in form.items()))
    fields = {name.removesuffix("[]"): value for name, value in form.items()}
    model = _model(fields, host)
    exchange = Exchange(request, "speech to text")
    shown = {name: value if isinstance(value, str) else "… sound" for name, value in fields.items()}
    with exchange.recorded(model, shown) as record:
        record.notes += [only_the_cloud(name) for name, value in _ignored(fields).items() if value != _USUAL.get(name)]
        exchange.refuse_if_failing(model)
        engine = await request.app[Models.KEY].speech_to_text()
        wanted = _wanted(form, fields, model, engine)
        samples = await asyncio.to_thread(decoded, file_in(form), _LONGEST, too_long=400)
    if wanted.stream:
        return await event_stream.respond(request, _events(wanted, engine, samples))
    transcript = joined([part async for part in _heard(wanted, engine, samples, WINDOW)])
    seconds = len(samples) / SAMPLE_RATE
    if model.startswith(mistral_audio.MODELS):
        return web.json_response(mistral_audio.transcript(model, transcript, seconds))
    return openai_transcripts.response(wanted.format, wanted.model, wanted.granularities, transcript, seconds)


async def _events(wanted: _Wanted, engine: SpeechToText, samples: np.ndarray) -> AsyncIterator[dict[str, Any]]:
    """Word for word, as each window is understood."""
    parts: list[Transcript] = []
    async for part in _heard(wanted, engine, samples, _STREAMED):
        for word in part.text.split():
            first = not parts and not part.text.index(word)
            yield {"type": "transcript.text.delta", "delta": word if first else f" {word}"}
        parts += [part] if part.text else []
    transcript = joined(parts)
    yield openai_transcripts.done(wanted.model, transcript, len(samples) / SAMPLE_RATE)


def _heard(wanted: _Wanted, engine: SpeechToText, samples: np.ndarray, window: float) -> AsyncIterator[Transcript]:
    return heard(engine, samples, language=wanted.language, keyterms=wanted.keyterms, window=window)


async def _form(request: web.Request) -> MultiDictProxy[Any]:
    """With a limit of its own: the gateway's is for messages."""
    try:
        return await form_of(request.clone(client_max_size=LARGEST + _FIELDS), "a file and a model")
    except web.HTTPRequestEntityTooLarge as error:
        raise ProtocolError(f"at most {LARGEST >> 20} MB are taken", code=413) from error


def _model(fields: dict[str, Any], host: hosts.Host | None) -> str:
    if "model" not in fields:
        raise ProtocolError("Missing required parameter: 'model'.")
    model = transcription_model(fields["model"] or "''", host)
    if realtime_only(fields["model"]):
        told = "is served over the realtime API alone: /v1/realtime?intent=transcription"
        raise ProtocolError(f"{fields['model']} {told}")
    return model


def _wanted(form: MultiDictProxy[Any], fields: dict[str, Any], model: str, engine: SpeechToText) -> _Wanted:
    """Raises ProtocolError that names the field at fault."""
    granularities = tuple(map(str, _all(form, "timestamp_granularities")))
    written = mistral_audio.FORMAT if model.startswith(mistral_audio.MODELS) else openai_transcripts.format_of(
        model, fields.get("response_format") or "json", granularities
    )
    _temperature(fields.get("temperature"))
    prompt = fields.get("prompt") or ""
    if not isinstance(prompt, str):
        raise ProtocolError("prompt is text")
    keyterms = tuple(term for term in (*_all(form, "keywords"), prompt) if isinstance(term, str) and term.strip())
    return _Wanted(
        model=model,
        format=written,
        granularities=granularities,
        stream=_flag(fields.get("stream")) and not openai_transcripts.is_whisper(model),
        language=_language([*_all(form, "language"), *_all(form, "languages")], engine),
        keyterms=keyterms,
    )


def _all(form: MultiDictProxy[Any], name: str) -> list[Any]:
    """OpenAI's client writes `name[]` for each entry of a list."""
    return [value for value in (*form.getall(name, []), *form.getall(f"{name}[]", [])) if value]


def _ignored(fields: dict[str, Any]) -> dict[str, Any]:
    ignored = {name: value for name, value in fields.items() if name not in _HEEDED}
    if _is_number(fields.get("temperature")):
        ignored["temperature"] = float(fields["temperature"])
    return ignored


def _is_number(value: Any) -> bool:
    try:
        return float(value) == float(value)  # not NaN
    except (TypeError, ValueError):
        return False


def _temperature(value: Any) -> None:
    if value is not None and not (_is_number(value) and 0 <= float(value) <= 1):
        raise ProtocolError(f"temperature is a number from 0 to 1, not {value!r}")


def _flag(value: Any) -> bool:
    if value not in (None, "", "true", "false", "True", "False", "1", "0"):
        raise ProtocolError(f"stream is true or false, not {value!r}")
    return value in ("true", "True", "1")


def _language(tags: list[Any], engine: SpeechToText) -> str | None:
    """Of several it is the one that is heard."""
    from livekit.agents import LanguageCode

    codes = [LanguageCode(str(tag)).language for tag in tags]
    if unknown := [tag for tag, code in zip(tags, codes) if code not in engine.languages]:
        known = ", ".join(sorted(engine.languages))
        raise ProtocolError(f"language {unknown[0]!r} is not known; known are: {known}")
    return codes[0] if len(codes) == 1 else None
