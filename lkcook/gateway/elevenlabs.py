"""What livekit-plugins-elevenlabs 1.8.9 asks ElevenLabs for, which LiveKit Inference serves no more.

    GET  /v1/voices                                       list_voices()
    POST /v1/text-to-speech/{voice}/stream                TTS.synthesize(): JSON in, mp3 or PCM out
    WS   /v1/text-to-speech/{voice}/multi-stream-input    TTS.stream(): elevenlabs_contexts.py
    POST /v1/speech-to-text                               STT, Scribe: a form with a sound file in, JSON out
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from lkcook import voices
from lkcook.gateway.elevenlabs_contexts import Connection
from lkcook.gateway.elevenlabs_scribe import transcription
from lkcook.gateway.elevenlabs_speech import (
    Encoder,
    Refusal,
    manner_of,
    notes_on,
    prosody_of,
    text_of,
)
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.refusals import refusal
from lkcook.gateway.socket import ProtocolError, accept, json_object
from lkcook.gateway.speaking import encoded, send_sound, sounding

logger = logging.getLogger("lkcook.gateway")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_INACTIVITY = (20.0, 180.0)  # seconds without a message: ElevenLabs' default, and its most
_NOT_SERVED = {
    "dialogue": "eleven_v3 and eleven_v4 speak through text-to-dialogue, which is not served here; "
    "take eleven_turbo_v2_5, eleven_flash_v2_5 or eleven_multilingual_v2",
    "realtime": "scribe_v2_realtime is not served here; take scribe_v1 or scribe_v2",
}


def _refusing(handler: Handler) -> Handler:
    @functools.wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ProtocolError as error:
            return refusal(request, error.code, str(error), code=getattr(error, "status", None))

    return guarded


async def handle_voices(_request: web.Request) -> web.Response:
    """The route: every voice of ElevenLabs this gateway knows."""
    return web.json_response(
        {
            "voices": [
                {"voice_id": voice.id, "name": voice.name, "category": "premade", "description": voice.description}
                for voice in voices.of_provider("elevenlabs")
            ]
        }
    )


@_refusing
async def handle_synthesize(request: web.Request) -> web.StreamResponse:
    """The route: one text, each sentence sent as soon as it is spoken."""
    body = json_object(await request.read(), "the body")
    options = {**request.query, **body, "voice_id": request.match_info["voice"]}
    options["output_format"] = request.query.get("output_format")
    manner, prosody = manner_of(options["voice_id"], options), prosody_of(body.get("voice_settings"))
    text = text_of(body)
    if not text.strip():
        raise Refusal("input_text_empty", '"text" says nothing')
    exchange = Exchange(request, "text to speech")
    record = exchange.record(manner.model, options)
    record.notes += notes_on(options)
    exchange.refuse_if_failing(manner.model)
    engine = await request.app[Models.KEY].text_to_speech()
    record.answered_by = manner.model
    sound = encoded(sounding(engine, text, manner.voice, prosody), Encoder(manner.format))
    return await send_sound(request, {"Content-Type": manner.format.mime}, sound)


@_refusing
async def handle_contexts(request: web.Request) -> web.StreamResponse:
    """The route. What is wrong with its address is refused before it becomes a socket: the plugin retries no 4xx."""
    manner = manner_of(request.match_info["voice"], request.query)
    patience = _patience(request.query.get("inactivity_timeout"))
    exchange = Exchange(request, "text to speech")
    exchange.refuse_if_failing(manner.model)
    engine = await request.app[Models.KEY].text_to_speech()
    ws = await accept(request)
    connection = Connection(ws, exchange, manner, engine)
    try:
        await connection.converse(patience)
    except ConnectionError as error:
        logger.info("%s: the client went away (%s)", request.path, error)
    finally:
        await connection.aclose()
        await ws.close()
    return ws


@_refusing
async def handle_scribe(request: web.Request) -> web.Response:
    """The route."""
    return web.json_response(await transcription(request))


def _not_served(what: str) -> Handler:
    @_refusing
    async def handler(_request: web.Request) -> web.StreamResponse:
        raise Refusal("not_served", _NOT_SERVED[what], code=404)

    return handler


def _patience(value: str | None) -> float:
    usual, most = _INACTIVITY
    try:
        return min(max(float(value or usual), 1.0), most)
    except ValueError as error:
        raise Refusal("invalid_inactivity_timeout", f"inactivity_timeout {value!r} is not a number") from error


ROUTES = [
    web.get("/v1/voices", handle_voices),
    web.post("/v1/text-to-speech/{voice}/stream", handle_synthesize),
    web.get("/v1/text-to-speech/{voice}/multi-stream-input", handle_contexts),
    web.post("/v1/speech-to-text", handle_scribe),
    web.post("/v1/text-to-dialogue/stream", _not_served("dialogue")),
    web.get("/v1/text-to-dialogue/multi-stream-input", _not_served("dialogue")),
    web.get("/v1/speech-to-text/realtime", _not_served("realtime")),
]
