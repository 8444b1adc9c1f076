"""What livekit-plugins-deepgram 1.8.9 asks Deepgram for, without LiveKit Inference between them.

    WS   /v1/listen    STT.stream()        deepgram_listen.py
    POST /v1/listen    STT.recognize()     deepgram_listen.py
    WS   /v2/listen    STTv2, Flux         deepgram_flux.py
    WS   /v1/speak     TTS.stream()        deepgram_speak.py
    POST /v1/speak     TTS.synthesize()    deepgram_speak.py
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable

from aiohttp import web

from lkcook.gateway import deepgram_flux, deepgram_listen, deepgram_speak
from lkcook.gateway.refusals import refusal
from lkcook.gateway.socket import ProtocolError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _refusing(answer: Handler) -> Handler:
    @functools.wraps(answer)
    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            return await answer(request)
        except ProtocolError as error:
            return refusal(request, error.code, str(error))

    return handler


ROUTES = [
    web.get("/v1/listen", _refusing(deepgram_listen.live)),
    web.post("/v1/listen", _refusing(deepgram_listen.recorded)),
    web.get("/v2/listen", _refusing(deepgram_flux.live)),
    web.get("/v1/speak", _refusing(deepgram_speak.live)),
    web.post("/v1/speak", _refusing(deepgram_speak.synthesize)),
]
