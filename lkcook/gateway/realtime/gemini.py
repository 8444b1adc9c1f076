"""Gemini Live: WebSocket /ws/google.ai.generativelanguage.{version}.GenerativeService.BidiGenerateContent, over TLS.

    client  setup (first, and once) · realtimeInput · clientContent · toolResponse
    server  setupComplete · serverContent · toolCall · toolCallCancellation · sessionResumptionUpdate · goAway

JSON in binary frames, as Google sends it; either kind of frame is taken. There are no error messages: what is wrong
closes the connection with 1007 (the message), 1008 (no such model, no such session) or 1011 (the model failed), and a
sentence, of which 123 bytes arrive; the request log has all of it.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import numpy as np
from aiohttp import WSMessage, web

from lkcook.gateway.auth import OWNER, error_response
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.options import only_the_cloud
from lkcook.gateway.realtime import events, gemini_content, gemini_setup
from lkcook.gateway.realtime.connection import Outbox, longest_session, serve
from lkcook.gateway.realtime.conversation import LEAST_COMMIT, Conversation
from lkcook.gateway.realtime.gemini_calls import Calls
from lkcook.gateway.realtime.gemini_fields import FAILED, POLICY, Refused, blob, close_code, fields, flag, many, text
from lkcook.gateway.realtime.gemini_resumption import Handles
from lkcook.gateway.realtime.gemini_setup import Setup
from lkcook.gateway.realtime.gemini_wording import INTERRUPTED, TURN_COMPLETE, Told, Wording, calls_of
from lkcook.gateway.realtime.items import CallOutput, Message, Part
from lkcook.gateway.realtime.response import Response
from lkcook.gateway.realtime.settings import ServerVAD
from lkcook.gateway.socket import ProtocolError, json_object

_SERVICE = re.compile(r"google\.ai\.generativelanguage\.(v\w+)\.GenerativeService\.BidiGenerateContent")
_MESSAGES = "setup clientContent realtimeInput toolResponse"
_INPUT = "mediaChunks audio video text activityStart activityEnd audioStreamEnd"
_NOTICE = 60.0  # seconds between goAway and the end
_RATE = 16_000  # Hz
_SIGN_OF_LIFE = 3.0  # seconds until a slow model says at least that it answers: LiveKit's plugin gives up after 5


async def handle_live(request: web.Request) -> web.StreamResponse:
    """The route."""
    service = _SERVICE.fullmatch(request.match_info["service"])
    if service is None:
        told = "served is google.ai.generativelanguage.v1.GenerativeService.BidiGenerateContent, of any version"
        return error_response(404, told, "invalid_request_error")
    exchange = Exchange(request, "realtime model")
    return await serve(request, lambda outbox: _Client(outbox, exchange, service[1]))


class _Client:
    """A connection.Dialect. version: of the API, "v1beta"."""

    def __init__(self, outbox: Outbox, exchange: Exchange, version: str) -> None:
        outbox.binary = True
        self._outbox, self._exchange, self._version = outbox, exchange, version
        self._handlers = {
            "clientContent": self._content,
            "realtimeInput": self._input,
            "toolResponse": self._returned,
        }
        self._received = 0  # messages
        self._active = self._written = False  # inside of an activity, if the client finds these; in which it has written
        self._owed = False  # somebody is to be answered once the answer under way is over
        self._calls = Calls()
        self._warning = asyncio.create_task(self._warn(time.monotonic() + longest_session()))
        self._setup: Setup
        self._conversation: Conversation | None = None

    async def start(self) -> None:
        """Nothing is said before the setup is there."""

    async def receive(self, raw: WSMessage) -> None:
        try:
            self._received += 1
            message = fields(json_object(raw.data, "the message"), "", _MESSAGES)
            if len(message) != 1:
                raise Refused(f"Request contains an invalid argument: a message has one of {', '.join(_MESSAGES.split())}.")
            [(kind, value)] = message.items()
            if (kind == "setup") != (self._conversation is None):
                raise Refused("setup must be the first message and only the first")
            await (self._begin(value) if kind == "setup" else self._handlers[kind](value))
        except ProtocolError as error:
            error.fatal = True  # Gemini Live knows no other kind
            raise

    def complain(self, error: ProtocolError) -> None:
        self._outbox.close(close_code(error), str(error))

    def expire(self) -> None:
        self._outbox.close(POLICY, "The operation was aborted.")

    async def aclose(self) -> None:
        self._warning.cancel()
        if self._conversation is not None:
            await self._conversation.aclose()

    async def _warn(self, end: float) -> None:
        notice = min(_NOTICE, longest_session() / 2)
        await asyncio.sleep(end - time.monotonic() - notice)
        self._outbox.put({"goAway": {"timeLeft": f"{notice:g}s"}})

    # client messages

    async def _begin(self, value: Any) -> None:
        record = self._exchange.record("", {"setup": value})
        try:
            self._setup = setup = gemini_setup.read(value, self._version)
            record.model, record.notes = setup.model, [*setup.notes]
            self._exchange.refuse_if_failing(setup.model)
            app = self._exchange.request.app
            conversation = Conversation(app[Models.KEY], setup.model, self._tell, setup.settings, self._exchange.fails)
            if setup.handle:
                for item in app[Handles.KEY].restore(self._exchange.request[OWNER], setup.model, setup.handle):
                    conversation.items.add(item)
            self._wording, self._conversation = Wording(setup), conversation
            await conversation.open()
        except ProtocolError as error:
            record.notes.append(f"refused: {error}")
            raise
        record.answered_by = setup.model
        self._outbox.put({"setupComplete": {}})
        self._tell_state()

    async def _content(self, value: Any) -> None:
        """What is written interrupts an answer that is being made, but not one that only has to be played."""
        self._exchange.record(self._setup.model, {"clientContent": value})
        content = fields(value, "client_content", "turns turnComplete")
        complete = flag(content.get("turnComplete", False), "client_content.turn_complete")
        said = list(gemini_content.turns(content.get("turns"), "client_content.turns", self._talk.transcribe))
        if self._talk.active is not None:
            self._talk.interrupt()
        for item in said:
            self._talk.add(item)
        if complete:
            self._forget_calls()
            self._respond()
        else:
            self._tell_state()

    async def _input(self, value: Any) -> None:
        given = fields(value, "realtime_input", _INPUT)
        if unheard := {name: inner for name, inner in given.items() if name not in ("mediaChunks", "audio", "video")}:
            self._exchange.record(self._setup.model, {"realtimeInput": unheard})
        if "activityStart" in given:
            self._start_activity()
        for chunk in [*many(given.get("mediaChunks"), "realtime_input.media_chunks"), *many(given.get("audio"), "")]:
            await self._sound(chunk)
        if "video" in given:
            self._note(only_the_cloud("video"), given["video"])
        if "text" in given:
            self._write(text(given["text"], "realtime_input.text"))
        if "audioStreamEnd" in given and isinstance(self._setup.settings.turns, ServerVAD):
            pause = self._setup.settings.turns.silence + 0.1  # the microphone is off: that is a silence like any other
            await self._hear(np.zeros(int(pause * _RATE), np.int16), _RATE)
        if "activityEnd" in given:
            self._end_activity()

    async def _returned(self, value: Any) -> None:
        record = self._exchange.record(self._setup.model, {"toolResponse": value})
        path = "tool_response.function_responses"
        given = many(fields(value, "tool_response", "functionResponses").get("functionResponses"), path)
        wanted = False
        for response in [gemini_content.Response.read(one, path) for one in given]:
            call_id = self._calls.take(response)
            if call_id is None:
                record.notes.append(f"{response.name}: its call was cancelled, so its response is not heeded")
                continue
            self._talk.add(CallOutput(call_id, response.output))
            if response.scheduling == "INTERRUPT" and self._talk.active is not None:
                self._talk.interrupt()
            wanted = wanted or response.scheduling != "SILENT"
        if wanted and not self._calls.awaited:
            self._respond()

    async def _sound(self, chunk: Any) -> None:
        heard = blob(chunk, "realtime_input.audio")
        if heard is None:
            self._note(only_the_cloud("pictures"), chunk)
        elif self._setup.settings.turns is not None or self._active or self._setup.all_input:
            await self._hear(*heard)

    async def _hear(self, samples: np.ndarray, rate: int) -> None:
        for at in range(0, len(samples), rate):  # a second at a time: others are served in between
            await self._talk.hear(samples[at : at + rate], rate)

    def _write(self, words: str) -> None:
        self._speak_over()
        self._talk.add(Message("user", [Part("text", words)]))
        if self._active:
            self._written = True
        else:
            self._respond()

    def _start_activity(self) -> None:
        if self._setup.settings.turns is not None:
            raise Refused("Explicit activity control is not supported when automatic activity detection is enabled.")
        self._active = True
        self._speak_over()

    def _end_activity(self) -> None:
        if self._setup.settings.turns is not None:
            raise Refused("Explicit activity control is not supported when automatic activity detection is enabled.")
        written, self._active, self._written = self._written, False, False
        if self._talk.buffered >= LEAST_COMMIT:
            self._talk.commit(answer=not written)
        if written:
            self._respond()

    # the conversation

    @property
    def _talk(self) -> Conversation:
        assert self._conversation is not None, "there was no setup"
        return self._conversation

    def _speak_over(self) -> None:
        """The client says that the caller speaks, or writes."""
        if self._setup.interrupts:
            self._interrupted()
            self._talk.interrupt()

    def _interrupted(self) -> None:
        """The caller speaks: what is neither under way nor over is over. An answer under way says so by itself."""
        self._owed = False
        if self._forget_calls():
            self._put(INTERRUPTED, TURN_COMPLETE)
            self._tell_state()
        elif self._talk.active is None and self._talk.playing:
            self._put(INTERRUPTED)

    def _forget_calls(self) -> bool:
        """Nobody waits any more for what was called; as if it had never been."""
        if not (calls := self._calls.cancel()):
            return False
        for call in calls:
            self._talk.delete(call.id)
        self._put({"toolCallCancellation": {"ids": [call.call_id for call in calls]}})
        return True

    def _respond(self) -> None:
        if self._talk.active is not None:
            self._owed = True
            return
        self._owed = False
        self._talk.respond()

    def _respond_if_owed(self) -> None:
        if self._owed:
            self._respond()

    def _tell(self, event: events.Event) -> None:
        if isinstance(event, events.SpeechStarted) and self._setup.interrupts:
            self._interrupted()
        elif isinstance(event, events.Problem):
            self._owed = True  # spoken while nobody may interrupt: answered afterwards
        elif isinstance(event, events.NotUnderstood):
            self._outbox.close(FAILED, event.why)
        elif isinstance(event, events.ResponseDone) and event.response.status == "failed":
            self._outbox.close(FAILED, event.response.error)
        else:
            self._put(*self._wording.of(event))
            self._follow(event)

    def _follow(self, event: events.Event) -> None:
        if isinstance(event, events.ResponseCreated):
            self._tell_state()
            asyncio.get_running_loop().call_later(_SIGN_OF_LIFE, self._tell_of_life, event.response)
        elif isinstance(event, events.ResponseDone):
            self._close(event.response)

    def _tell_of_life(self, response: Response) -> None:
        if self._talk.active is response and not response.output:
            self._put({"serverContent": {"modelTurn": {"parts": []}}})

    def _close(self, response: Response) -> None:
        if response.status == "cancelled":
            for call in calls_of(response):  # nobody has heard of it
                self._talk.delete(call.id)
        else:
            self._calls.add(calls_of(response), awaited=self._wording.waits_for(response))
        self._tell_state()
        asyncio.get_running_loop().call_soon(self._respond_if_owed)  # the answer's own task has to end first

    def _tell_state(self) -> None:
        """Whether the conversation as it is now could be gone on with on another connection."""
        if self._setup.handle is None:
            return
        state: Told = {"resumable": False}
        if self._talk.active is None and not self._calls.awaited:
            handles, owner = self._exchange.request.app[Handles.KEY], self._exchange.request[OWNER]
            state = {"newHandle": handles.save(owner, self._setup.model, self._talk.items), "resumable": True}
        if self._setup.transparent:
            state["lastConsumedClientMessageIndex"] = str(self._received)
        self._put({"sessionResumptionUpdate": state})

    def _note(self, note: str, message: Any) -> None:
        record = self._exchange.record(self._setup.model, {"realtimeInput": message})
        record.notes.append(note)

    def _put(self, *messages: Told) -> None:
        for message in messages:
            self._outbox.put(message)


ROUTES = [web.get("/ws/{service}", handle_live)]
