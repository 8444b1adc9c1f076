"""OpenAI's POST /v1/audio/speech: JSON in, sound out while it is made; as bytes, or in server-sent events.

Shapes: openai 3.57, types/audio/speech_create_params.py. Sentence by sentence: the first sounds when the others are not
spoken yet.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from lkcook import hosts
from lkcook.engines.prosody import EMOTIONS, NEUTRAL, Prosody
from lkcook.engines.text_to_speech import SAMPLE_RATE, TextToSpeech
from lkcook.gateway import event_stream, mistral_audio, openai_usage
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.openai_models import speech_model, speech_voice
from lkcook.gateway.options import only_the_cloud
from lkcook.gateway.socket import ProtocolError, json_object
from lkcook.gateway.sound_encoder import ENCODINGS, Encoding, SoundEncoder
from lkcook.gateway.speaking import send_sound, sounding, speaker
from lkcook.gateway.tempo import Tempo

LONGEST_INPUT = 4096  # characters, OpenAI's limit
_SPEED = (0.25, 4.0)
_HEEDED = {"model", "input", "voice", "instructions", "response_format", "speed", "stream_format"}
_BYTES_ONLY = ("openai/tts-1", "openai/tts-1-hd")  # as OpenAI has it
_INSTRUCTIONS = "instructions: of them only a word for an emotion changes how it is said here"


@dataclass(frozen=True)
class _Wanted:
    """model: with its provider. voice: one of this machine's. tempo: what of the speed the voice cannot do."""

    model: str
    text: str
    voice: str
    prosody: Prosody
    tempo: float
    encoding: Encoding
    events: bool


async def speech(request: web.Request) -> web.StreamResponse:
    """The answer to a request; raises ProtocolError."""
    host = hosts.of_path(request.path)
    body = json_object(await request.read(), "the body")
    body = {host.renamed.get(name, name): value for name, value in body.items()} if host else body
    exchange = Exchange(request, "text to speech")
    with exchange.recorded(str(body.get("model")), body) as record:
        wanted = _wanted(body, host)
        record.model = wanted.model
        record.notes += _notes(body)
        exchange.refuse_if_failing(wanted.model)
        engine = await request.app[Models.KEY].text_to_speech()
    if wanted.model.startswith(mistral_audio.MODELS):
        told = mistral_audio.events(_events(wanted, engine), wanted.encoding)
        return await mistral_audio.respond(request, told, stream=body.get("stream") is True)
    if wanted.events:
        return await event_stream.respond(request, _events(wanted, engine))
    return await send_sound(request, {"Content-Type": wanted.encoding.mime}, _Sound(wanted, engine).pieces())


async def _events(wanted: _Wanted, engine: TextToSpeech) -> AsyncIterator[dict[str, Any]]:
    sound = _Sound(wanted, engine)
    async for piece in sound.pieces():
        yield {"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()}
    yield {"type": "speech.audio.done", "usage": openai_usage.spoken(wanted.text, sound.seconds)}


class _Sound:
    """What is said, encoded. seconds: of it, once all pieces are there."""

    def __init__(self, wanted: _Wanted, engine: TextToSpeech) -> None:
        self.seconds = 0.0
        self._wanted, self._engine = wanted, engine

    async def pieces(self) -> AsyncIterator[bytes]:
        """As soon as each sentence is spoken."""
        wanted, tempo, encoder = self._wanted, Tempo(self._wanted.tempo), SoundEncoder(self._wanted.encoding)
        async for samples in sounding(self._engine, wanted.text, wanted.voice, wanted.prosody):
            timed = tempo.push(samples)
            self.seconds += len(timed) / SAMPLE_RATE
            for piece in encoder.encode(timed):
                yield piece
        rest = tempo.flush()
        self.seconds += len(rest) / SAMPLE_RATE
        for piece in (*encoder.encode(rest), encoder.finish()):
            if piece:
                yield piece


def _wanted(body: dict[str, Any], host: hosts.Host | None) -> _Wanted:
    """Raises ProtocolError that names the field at fault."""
    for name in ("model", "input", "voice"):
        if body.get(name) is None:
            raise ProtocolError(f"Missing required parameter: {name!r}.")
    model, voice = speech_model(body["model"], host), speech_voice(body["voice"], host)
    speed = _speed(body.get("speed"))
    mood = voice.rpartition("_")[2] if host else None  # Mistral's voices have one
    prosody = _manner(body.get("instructions") or mood).faster(speed)
    return _Wanted(
        model=model,
        text=_text(body["input"]),
        voice=speaker(model, voice, None),
        prosody=prosody,
        tempo=speed / NEUTRAL.faster(speed).speed,
        encoding=_one_of(ENCODINGS, body.get("response_format"), "mp3", "response_format"),
        events=_streams_events(model, body.get("stream_format")),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ProtocolError("input is a text, and not an empty one")
    if len(value) > LONGEST_INPUT:
        raise ProtocolError(f"input has {len(value)} characters; at most {LONGEST_INPUT} are taken")
    if re.search("[\ud800-\udfff]", value):
        raise ProtocolError("input holds half a surrogate pair")
    return value


def _speed(value: Any) -> float:
    least, most = _SPEED
    if value is None:
        return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ProtocolError(f"speed is a number from {least} to {most}, not {value!r}")
    return float(value)


def _manner(instructions: Any) -> Prosody:
    """The first word that names an emotion ("Speak in a cheerful tone")."""
    if instructions is None:
        return NEUTRAL
    if not isinstance(instructions, str):
        raise ProtocolError("instructions are text")
    return next((EMOTIONS[word] for word in re.findall(r"\w+", instructions.lower()) if word in EMOTIONS), NEUTRAL)


def _streams_events(model: str, value: Any) -> bool:
    events = _one_of({"sse": True, "audio": False}, value, "audio", "stream_format")
    if events and model in _BYTES_ONLY:
        raise ProtocolError(f"stream_format 'sse' is not supported by {model.partition('/')[2]}; use 'audio'")
    return events


def _one_of(known: dict[str, Any], value: Any, usual: str, name: str) -> Any:
    value = usual if value is None else value
    if not isinstance(value, str) or value not in known:
        raise ProtocolError(f"{name} {value!r} is none of {', '.join(known)}")
    return known[value]


def _notes(body: dict[str, Any]) -> list[str]:
    notes = [only_the_cloud(name) for name in body if name not in {*_HEEDED, "stream"}]
    return [*notes, _INSTRUCTIONS] if body.get("instructions") else notes
