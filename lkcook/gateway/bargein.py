"""LiveKit's adaptive interruption: WebSocket /v1/bargein (livekit-agents 1.8.9, inference/interruption.py:685-1074).

    client  session.create · created_at (uint64 LE, ns) and s16le samples in one binary frame · session.close
    server  session.created · inference_done or bargein_detected, one for each binary frame · session.closed · error

While the agent speaks and the caller is heard, the client sends a window every 100 ms: up to 3 s, about 1 s of it
before the caller's sound. LiveKit speaks of frames of 25 ms and leaves the decision to the server; the embedded model
judges a sound as a whole. So `probabilities`, one for each 25 ms of the window, are 0 up to the onset of the newest
sound, and from there on all the probability of that sound. It is an interruption when `min_frames` of them reach the
threshold: likely enough, and long enough. A window that could not be judged before a newer one came, or within `DUE`,
gets no probabilities, and counts as none: the client gives up for good when one stays unanswered for 0.7 s.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import math
import struct
import time
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiohttp import WSMsgType, web

from lkcook import pcm
from lkcook.engines.interruption import SAMPLE_RATE, THRESHOLD, Interruption, Judged
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.socket import Closed, Form, ProtocolError, known_keys, parse, samples_in, serve_messages

MODEL = "adaptive interruption"  # what LiveKit's client calls it
FRAME = 0.025  # seconds
LONGEST = 3.0  # seconds of a window
DUE = 0.5  # seconds
_HEADER = struct.Struct("<Q")


@dataclass(frozen=True, eq=False)
class Window:
    """One binary frame. created_at: the client's clock, only to be sent back. samples: int16 16 kHz."""

    created_at: int
    samples: np.ndarray


@dataclass(frozen=True)
class _Settings:
    threshold: float
    min_frames: int


async def handle_bargein(request: web.Request) -> web.WebSocketResponse:
    """The route."""
    name = f"bargein_{uuid.uuid4().hex[:12]}"
    form = Form(
        read=_read,
        complaint=lambda error: {"type": "error", "code": error.code, "message": str(error), "session_id": name},
        farewell=lambda: {"type": "session.closed"},
        send=web.WebSocketResponse.send_json,
    )
    exchange = Exchange(request, "interruption")
    return await serve_messages(request, functools.partial(_Session, exchange), _Session.receive, form)


class _Session:
    def __init__(self, exchange: Exchange, ws: web.WebSocketResponse) -> None:
        self._exchange, self._ws = exchange, ws
        self._settings: _Settings | None = None
        self._engine: Interruption | None = None
        self._newest: Window | None = None
        self._turn = asyncio.Lock()
        self._answers: set[asyncio.Task[None]] = set()

    async def receive(self, message: Window | dict[str, Any]) -> None:
        if isinstance(message, Window):
            self._take(message)
        elif message["type"] == "session.create":
            await self._create(message)
        elif message["type"] == "session.close":
            await asyncio.gather(*self._answers)
            raise Closed
        else:
            raise ProtocolError(f"unknown message type {message['type']!r}")

    async def aclose(self) -> None:
        for answer in self._answers:
            answer.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)

    async def _create(self, message: dict[str, Any]) -> None:
        if self._settings is not None:
            raise ProtocolError("the session exists already")
        with self._exchange.recorded(MODEL, message):
            self._exchange.refuse_if_failing(MODEL)
            settings = _checked(known_keys(message.get("settings"), "settings"))
            self._engine = await self._exchange.request.app[Models.KEY].interruption()
        self._settings = settings
        await self._ws.send_json({"type": "session.created", "default_threshold": THRESHOLD})

    def _take(self, window: Window) -> None:
        if self._settings is None:
            raise ProtocolError("audio before session.create")
        self._exchange.refuse_if_failing(MODEL)
        self._newest = window
        answer = asyncio.create_task(self._answer(window))
        self._answers.add(answer)
        answer.add_done_callback(self._answers.discard)

    async def _answer(self, window: Window) -> None:
        assert self._settings is not None
        judged, took = Judged(), 0.0
        with contextlib.suppress(TimeoutError):  # the engine may be busy with other callers
            async with asyncio.timeout(DUE), self._turn:
                if window is self._newest:
                    began = time.perf_counter()
                    judged = await self._judge(window)
                    took = time.perf_counter() - began
        answer = {"created_at": window.created_at, "prediction_duration": round(took, 4)}
        probabilities = per_frame(judged, len(window.samples)) if took else []
        enough = sum(probability >= self._settings.threshold for probability in probabilities)
        kind = "bargein_detected" if enough >= self._settings.min_frames else "inference_done"
        try:
            await self._ws.send_json({"type": kind, **answer, "probabilities": probabilities})
        except ConnectionError as error:  # the caller hung up meanwhile
            raise asyncio.CancelledError from error

    async def _judge(self, window: Window) -> Judged:
        assert self._engine is not None
        return await asyncio.to_thread(self._engine.judge, pcm.to_float(window.samples))


def per_frame(judged: Judged, count: int) -> list[float]:
    """One probability for each 25 ms of `count` samples."""
    frames = math.ceil(count / SAMPLE_RATE / FRAME)
    sounding = min(frames, round(judged.seconds / FRAME))
    return [0.0] * (frames - sounding) + [round(judged.probability, 4)] * sounding


def _read(kind: WSMsgType, data: Any) -> Window | dict[str, Any]:
    if kind is not WSMsgType.BINARY:
        return parse(kind, data)
    most = _HEADER.size + int(LONGEST * SAMPLE_RATE) * 2
    if not _HEADER.size < len(data) <= most:
        raise ProtocolError(f"a window is 8 bytes of time and up to {LONGEST:g} s of sound, not {len(data)} bytes")
    return Window(*_HEADER.unpack_from(data), samples_in(data[_HEADER.size :]))


def _checked(settings: dict[str, Any]) -> _Settings:
    """Raises ProtocolError for what this server does not do."""
    for name, only in (("sample_rate", SAMPLE_RATE), ("num_channels", 1), ("encoding", "s16le")):
        if (value := settings.get(name, only)) != only:
            raise ProtocolError(f"{name} {value!r} is not served; send {only}", fatal=True)
    threshold = settings.get("threshold")
    if threshold is not None and (not _number(threshold, float) or not 0 <= threshold <= 1):
        raise ProtocolError(f"threshold is a number from 0 to 1, not {threshold!r}", fatal=True)
    min_frames, most = settings.get("min_frames", 2), int(LONGEST / FRAME)
    if not _number(min_frames, int) or not 1 <= min_frames <= most:
        raise ProtocolError(f"min_frames is a whole number from 1 to {most}, not {min_frames!r}", fatal=True)
    return _Settings(THRESHOLD if threshold is None else float(threshold), min_frames)


def _number(value: Any, kind: type) -> bool:
    return isinstance(value, (int, kind)) and not isinstance(value, bool)
