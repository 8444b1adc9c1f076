"""LiveKit Inference's turn detector: WebSocket /v1/eot, protobuf in binary frames (livekit-agents 1.8.9,
inference/eot/transports.py; livekit.protocol.agent_pb.agent_inference).

    client  session_create · input_audio · inference_start · inference_stop · session_flush (a turn is over)
            · session_close
    server  session_created · inference_started · eot_prediction · inference_stopped · session_closed · error

LiveKit asks once in every pause, after 0.2 s in which its VAD heard no speech. Smart Turn answers
(engines.end_of_turn); it listens only, so a chat context is refused and no backchannel is predicted.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiohttp import WSMsgType, web
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from livekit.protocol.agent_pb import agent_inference as wire

from lkcook.engines.end_of_turn import Probability
from lkcook.engines.speech_to_text import SAMPLE_RATE
from lkcook.errors import CookError
from lkcook.gateway.end_of_turn_heard import Heard, Question, now
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.options import only_the_cloud
from lkcook.gateway.socket import Closed, Form, ProtocolError, check_size, sample_rate, samples_in, serve_messages

logger = logging.getLogger("lkcook.gateway")

MODEL = "turn-detector-v1"
# From this probability on a turn is taken for finished (bench/end_of_turn.py, last table). In synthetic voices 94 % of
# whole sentences are then, and 57 % of those stopped after a word; in a person's voice 3 of 5 and none of 20. At .65
# 3 of the 20 are; at .9 still 52 % of the stopped ones, and fewer of the whole: those wait for max_delay.
THRESHOLD = 0.8
# What Smart Turn v3 was trained on (github.com/pipecat-ai/smart-turn, README). The threshold was measured in English
# and is the same for all. LiveKit's client takes the default for every other language.
LANGUAGES = tuple("ar bn da de en es fi fr hi id it ja ko mr nl no pl pt ru tr uk vi zh".split())

_IN_SESSION = {"input_audio", "inference_start", "inference_stop", "session_flush"}


async def handle_end_of_turn(request: web.Request) -> web.WebSocketResponse:
    """The route."""
    exchange = Exchange(request, "turn detector")
    return await serve_messages(request, lambda ws: _Session(ws, exchange), _Session.receive, _FORM)


class _Session:
    """One socket. One question is being answered and one may wait; a newer one takes its place."""

    def __init__(self, ws: web.WebSocketResponse, exchange: Exchange) -> None:
        self._ws, self._exchange = ws, exchange
        self._probability: Probability | None = None
        self._heard = Heard(SAMPLE_RATE)
        self._waiting: Question | None = None
        self._answering: asyncio.Task[None] | None = None

    async def receive(self, message: wire.ClientMessage) -> None:
        kind = message.WhichOneof("message")
        if kind == "session_close":
            raise Closed
        if kind == "session_create":
            await self._create(message)
            return
        if kind not in _IN_SESSION:
            raise ProtocolError(f"{kind} is not served here: the model only listens, and only when it is asked")
        if self._probability is None:
            raise ProtocolError(f"{kind} before session_create")
        if kind == "input_audio":
            self._hear(message.input_audio)
        elif kind == "session_flush":
            self._heard.forget()
        elif kind == "inference_start":
            self._ask(message, self._probability)
        else:
            await self._stop(message)

    async def aclose(self) -> None:
        if self._answering is not None:
            self._answering.cancel()
            await asyncio.gather(self._answering, return_exceptions=True)

    async def _create(self, message: wire.ClientMessage) -> None:
        if self._probability is not None:
            raise ProtocolError("the session exists already")
        settings = message.session_create.settings
        told = MessageToDict(message.session_create, preserving_proto_field_name=True).get("settings", {})
        with self._exchange.recorded(MODEL, told) as record:
            record.notes += [only_the_cloud(name) for name in ("eot_settings", "interruption_settings") if name in told]
            self._exchange.refuse_if_failing(MODEL)
            if settings.encoding != wire.AUDIO_ENCODING_PCM_S16LE:
                raise ProtocolError(f"encoding {settings.encoding} is not served; send PCM_S16LE (0)", fatal=True)
            self._heard = Heard(sample_rate(settings.sample_rate or None, SAMPLE_RATE))
            self._probability = await self._exchange.request.app[Models.KEY].end_of_turn()
        thresholds = dict.fromkeys(LANGUAGES, THRESHOLD)
        created = wire.SessionCreated(default_threshold=THRESHOLD, default_thresholds=thresholds)
        await _send(self._ws, wire.ServerMessage(session_created=created, client_created_at=message.created_at))

    def _hear(self, audio: wire.InputAudio) -> None:
        samples = samples_in(audio.audio)
        if audio.num_samples not in (0, len(samples)):  # 0 is what protobuf makes of an absent number
            raise ProtocolError(f"num_samples is {audio.num_samples}, but {len(samples)} came; send one channel")
        self._heard.add(samples, audio.created_at if audio.HasField("created_at") else now())

    def _ask(self, message: wire.ClientMessage, probability: Probability) -> None:
        self._exchange.refuse_if_failing(MODEL)
        self._waiting = self._heard.question(message.inference_start.request_id, message.created_at)
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer(probability))

    async def _stop(self, message: wire.ClientMessage) -> None:
        """The client no longer wants to know; an answer that is under way still comes."""
        request_id = message.inference_stop.request_id
        if self._waiting is not None and self._waiting.request_id == request_id:
            self._waiting = None
        await _send(self._ws, wire.ServerMessage(inference_stopped=wire.InferenceStopped(), request_id=request_id))

    async def _answer(self, probability: Probability) -> None:
        """Until no question is waiting. A failure reaches the client."""
        try:
            while (question := self._waiting) is not None:
                self._waiting = None
                await _send(self._ws, question.reply(inference_started=wire.InferenceStarted()))
                await _send(self._ws, await self._predicted(question, probability))
        except ConnectionError:
            logger.info("the client went away before its turn was judged")

    async def _predicted(self, question: Question, probability: Probability) -> wire.ServerMessage:
        record = self._exchange.record(MODEL, question.shown)
        try:
            prediction = await question.prediction(probability)
        except Exception as error:  # whatever the model stumbles over: the next question may do
            logger.exception("the turn detector failed")
            why, code = f"the turn detector failed: {error}", 503 if isinstance(error, CookError) else 500
            record.notes.append(why)
            return question.reply(error=wire.InferenceError(message=why, code=code))
        record.answered_by, record.answer = MODEL, f"probability {prediction.probability:.2f}"
        return question.reply(eot_prediction=prediction)


def _read(kind: WSMsgType, data: Any) -> wire.ClientMessage:
    """One binary frame → a message that is one; raises ProtocolError otherwise."""
    if kind is not WSMsgType.BINARY:
        raise ProtocolError("messages are protobuf in binary frames, not text ones")
    check_size(data)
    try:
        message = wire.ClientMessage.FromString(data)
    except DecodeError as error:
        raise ProtocolError(f"the message is no ClientMessage: {error}") from error
    if message.WhichOneof("message") is None:
        raise ProtocolError("the message holds none of a ClientMessage's kinds")
    return message


def _complaint(error: ProtocolError) -> wire.ServerMessage:
    return wire.ServerMessage(error=wire.InferenceError(message=str(error), code=error.code))


async def _send(ws: web.WebSocketResponse, message: wire.ServerMessage) -> None:
    message.server_created_at.CopyFrom(now())
    await ws.send_bytes(message.SerializeToString())


_FORM = Form(_read, _complaint, lambda: wire.ServerMessage(session_closed=wire.SessionClosed()), _send)
