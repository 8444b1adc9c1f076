"""What listens and speaks of OpenAI's REST API.

    POST /v1/audio/transcriptions    openai_transcriptions.py
    POST /v1/audio/speech            openai_speech.py

Other providers' that speak it have addresses of their own (`lkcook.hosts`).

Their realtime transcription is /v1/realtime?intent=transcription (realtime/openai.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from lkcook import hosts
from lkcook.gateway.openai_speech import speech
from lkcook.gateway.openai_transcriptions import transcription
from lkcook.gateway.realtime.openai import refusal
from lkcook.gateway.socket import ProtocolError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _refusing(answer: Handler) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            return await answer(request)
        except ProtocolError as error:
            return refusal(error)

    return handler


ROUTES = [
    *(
        web.post(f"{path}/audio/transcriptions", _refusing(transcription))
        for path in ("/v1", *(host.path for host in hosts.HOSTS if host.hears))
    ),
    *(
        web.post(f"{path}/audio/speech", _refusing(speech))
        for path in ("/v1", *(host.path for host in hosts.HOSTS if host.speaks))
    ),
]
