"""Routes, limits and the end of an unused gateway."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from lkcook.gateway import deepgram, elevenlabs, openai_audio
from lkcook.gateway.auth import Credentials, guard
from lkcook.gateway.bargein import handle_bargein
from lkcook.gateway.chat import routes as chat
from lkcook.gateway.end_of_turn import handle_end_of_turn
from lkcook.gateway.failing import Failing, handle_failing
from lkcook.gateway.models import Models
from lkcook.gateway.realtime import gemini, live
from lkcook.gateway.realtime import openai as realtime
from lkcook.gateway.realtime.gemini_resumption import Handles
from lkcook.gateway.refusals import refusal, worded
from lkcook.gateway.requests import RequestLog, handle_requests
from lkcook.gateway.speech_to_text import handle_stt
from lkcook.gateway.text_to_speech import handle_tts
from lkcook.gateway.written_turn import handle_written_turn

LARGEST_BODY = 4 << 20  # bytes
MOST_SESSIONS = 24  # requests and sockets at the same time
IDLE = 15 * 60.0  # seconds without a client


class Activity:
    """Who is here, and since when nobody is."""

    KEY: web.AppKey[Activity]

    def __init__(self) -> None:
        self.sessions = 0
        self.last = time.monotonic()
        self.stop = asyncio.Event()

    @property
    def idle(self) -> float:
        """Seconds since the last request ended; 0 while one is open."""
        return 0.0 if self.sessions else time.monotonic() - self.last


Activity.KEY = web.AppKey("activity", Activity)


def build(credentials: Credentials, models: Models | None = None) -> web.Application:
    """The gateway as an aiohttp application; models begin to load when it starts."""
    app = web.Application(
        middlewares=[worded, guard(credentials), _count_sessions], client_max_size=LARGEST_BODY
    )
    app[Models.KEY] = models or Models()
    app[RequestLog.KEY], app[Failing.KEY], app[Handles.KEY] = RequestLog(), Failing(), Handles()
    app.cleanup_ctx.append(_models_and_activity)
    app.add_routes(
        [
            web.get("/v1/stt", handle_stt),
            web.get("/v1/tts", handle_tts),
            web.get("/v1/eot", handle_end_of_turn),
            web.get("/v1/bargein", handle_bargein),
            web.post("/eot/multi", handle_written_turn),
            web.get("/status", _status),
            web.get("/requests", handle_requests),
            web.put("/failing", handle_failing),
            web.post("/stop", _stop),
        ]
    )
    app[chat.Kept.KEY] = chat.Kept()
    app.add_routes(chat.ROUTES)
    app.add_routes(elevenlabs.ROUTES)
    app.add_routes(openai_audio.ROUTES)
    app.add_routes(deepgram.ROUTES)
    app.add_routes(realtime.ROUTES)
    app.add_routes(gemini.ROUTES)
    app.add_routes(live.ROUTES)
    return app


async def _models_and_activity(app: web.Application) -> AsyncIterator[None]:
    app[Activity.KEY] = Activity()
    app[Models.KEY].start_loading()
    yield
    await app[Models.KEY].aclose()


@web.middleware
async def _count_sessions(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    activity = request.app[Activity.KEY]
    if request.path == "/status":
        return await handler(request)  # asking how it is does not keep it alive
    if activity.sessions >= MOST_SESSIONS:
        return refusal(request, 429, f"{MOST_SESSIONS} sessions are open already")
    activity.sessions += 1
    try:
        return await handler(request)
    finally:
        activity.sessions -= 1
        activity.last = time.monotonic()


async def _status(request: web.Request) -> web.Response:
    activity = request.app[Activity.KEY]
    models = request.app[Models.KEY].status()
    return web.json_response({"pid": os.getpid(), "models": models, "sessions": activity.sessions})


async def _stop(request: web.Request) -> web.Response:
    request.app[Activity.KEY].stop.set()
    return web.json_response({"stopping": True})


async def until_unused(app: web.Application, idle: float) -> None:
    """Returns when `idle` seconds passed without a client, or when asked to stop."""
    activity = app[Activity.KEY]
    while not activity.stop.is_set() and (left := idle - activity.idle) > 0:
        try:
            await asyncio.wait_for(activity.stop.wait(), timeout=left)
        except TimeoutError:
            continue
