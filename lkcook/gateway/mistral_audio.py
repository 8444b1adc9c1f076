"""What Mistral's audio endpoints say otherwise than OpenAI's, whose requests are nearly the same.

    POST /v1/audio/transcriptions  one JSON shape, whatever is asked for: text, language, and segments with times
    POST /v1/audio/speech          {"audio_data"}, or named events with `stream`; "pcm" is 32-bit floats

(mistralai 2, client/models/transcriptionresponse.py, speechrequest.py and speechstream*.py.) Their realtime
transcription is not here.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
from aiohttp import web

from lkcook import pcm
from lkcook.engines.transcript import Transcript
from lkcook.gateway import event_stream
from lkcook.gateway.openai_transcripts import segments
from lkcook.gateway.sound_encoder import Encoding

MODELS = "mistral/"  # what its models begin with
FORMAT = "json"


def transcript(model: str, heard: Transcript, seconds: float) -> dict[str, Any]:
    """Of a whole sound, which lasts `seconds`."""
    parts = [{"text": part.text, "start": part.start, "end": part.end} for part in segments(heard, seconds)]
    return {
        "model": model.removeprefix(MODELS),
        "text": heard.text,
        "language": heard.language or None,
        "segments": [{"type": "transcription_segment", **part} for part in parts],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }


async def events(openais: AsyncIterator[dict[str, Any]], encoding: Encoding) -> AsyncIterator[dict[str, Any]]:
    """OpenAI's events of a speech, in Mistral's words."""
    async for event in openais:
        if "audio" in event:
            sound = base64.b64decode(event["audio"])
            yield {"type": event["type"], "audio_data": base64.b64encode(_floats(sound, encoding)).decode()}
        else:
            used = event["usage"]
            usage = {"prompt_tokens": used["input_tokens"], "completion_tokens": used["output_tokens"]}
            yield {"type": event["type"], "usage": {**usage, "total_tokens": used["total_tokens"]}}


async def respond(request: web.Request, said: AsyncIterator[dict[str, Any]], *, stream: bool) -> web.StreamResponse:
    """Event by event, or all sound at once."""
    if stream:
        return await event_stream.respond(request, said, named=True)
    pieces = [base64.b64decode(event.get("audio_data", "")) async for event in said]
    return web.json_response({"audio_data": base64.b64encode(b"".join(pieces)).decode()})


def _floats(sound: bytes, encoding: Encoding) -> bytes:
    """Bare PCM, which has no container, is the one format that differs."""
    return sound if encoding.container else pcm.to_float(np.frombuffer(sound, "<i2")).astype("<f4").tobytes()
