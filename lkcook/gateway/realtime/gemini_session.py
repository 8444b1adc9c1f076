"""A session of Gemini Live once it is set up: what the client sends, and when an answer is due or over."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np

from lkcook.gateway.auth import OWNER
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.options import only_the_cloud
from lkcook.gateway.realtime import events, gemini_content
from lkcook.gateway.realtime.connection import Outbox
from lkcook.gateway.realtime.conversation import LEAST_COMMIT, Conversation
from lkcook.gateway.realtime.gemini_calls import Calls
from lkcook.gateway.realtime.gemini_fields import FAILED, Refused, blob, fields, flag, many, text
from lkcook.gateway.realtime.gemini_resumption import Handles
from lkcook.gateway.realtime.gemini_setup import Setup
from lkcook.gateway.realtime.gemini_wording import INTERRUPTED, TURN_COMPLETE, Told, Wording, calls_of
from lkcook.gateway.realtime.items import CallOutput, Message, Part
from lkcook.gateway.realtime.response import Response
from lkcook.gateway.realtime.settings import ServerVAD
from lkcook.gateway.requests import Record

_INPUT = "mediaChunks audio video text activityStart activityEnd audioStreamEnd"
_RATE = 16_000  # Hz
_SIGN_OF_LIFE = 3.0  # seconds until a slow model says at least that it answers: LiveKit's plugin gives up after 5


class Session:
    """`await open()` first, `await aclose()` in any case. received: messages of the client so far."""

    def __init__(self, outbox: Outbox, exchange: Exchange, setup: Setup) -> None:
        self.received = 1
        self._outbox, self._exchange, self._setup = outbox, exchange, setup
        self._wording, self._calls = Wording(setup), Calls()
        self._active = self._written = False  # inside of an activity, if the client finds these; in which it has written
        self._owed = False  # somebody is to be answered once the answer under way is over
        self._blind = False  # the client was told that nobody sees its pictures
        models = exchange.request.app[Models.KEY]
        self._talk = Conversation(models, setup.model, self._tell, setup.settings, exchange.fails)

    async def open(self) -> None:
        """Go on with the conversation that the handle stands for, if any, and wait for the engines."""
        handles, owner = self._exchange.request.app[Handles.KEY], self._exchange.request[OWNER]
        if self._setup.handle:
            for item in handles.restore(owner, self._setup.model, self._setup.handle):
                self._talk.items.add(item)
        await self._talk.open()
        self._put({"setupComplete": {}})
        self._tell_state()

    async def aclose(self) -> None:
        """Stop everything."""
        await self._talk.aclose()

    async def content(self, value: Any) -> None:
        """clientContent: what is written interrupts an answer that is being made, but not one that only has to be played."""
        self._record({"clientContent": value})
        content = fields(value, "client_content", "turns turnComplete")
        complete = flag(content.get("turnComplete", False), "client_content.turn_complete")
        said = list(gemini_content.turns(content.get("turns"), "client_content.turns", self._talk.transcribe))
        self._owed = False
        if self._talk.active is not None:
            self._talk.interrupt()
        for item in said:
            self._talk.add(item)
        if complete:
            self._forget_calls()
            self._respond()
        else:
            self._tell_state()

    async def input(self, value: Any) -> None:
        """realtimeInput: sound, text, and when the caller speaks."""
        given = fields(value, "realtime_input", _INPUT)
        if unheard := {name: inner for name, inner in given.items() if name not in ("mediaChunks", "audio", "video")}:
            self._record({"realtimeInput": unheard})
        if "activityStart" in given:
            self._start_activity()
        for chunk in [*many(given.get("mediaChunks"), "realtime_input.media_chunks"), *many(given.get("audio"), "")]:
            await self._sound(chunk)
        if "video" in given:
            self._see(given["video"])
        if "text" in given:
            self._write(text(given["text"], "realtime_input.text"))
        if "audioStreamEnd" in given and isinstance(self._setup.settings.turns, ServerVAD):
            pause = self._setup.settings.turns.silence + 0.1  # the microphone is off: that is a silence like any other
            await self._hear(np.zeros(int(pause * _RATE), np.int16), _RATE)
        if "activityEnd" in given:
            self._end_activity()

    async def returned(self, value: Any) -> None:
        """toolResponse: what functions returned."""
        record = self._record({"toolResponse": value})
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
            self._see(chunk)
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
            state["lastConsumedClientMessageIndex"] = str(self.received)
        self._put({"sessionResumptionUpdate": state})

    def _record(self, message: dict[str, Any]) -> Record:
        return self._exchange.record(self._setup.model, message)

    def _see(self, picture: Any) -> None:
        """Nobody sees here; said once, not with each picture of a film."""
        if not self._blind:
            self._record({"realtimeInput": {"video": picture}}).notes.append(only_the_cloud("video"))
        self._blind = True

    def _put(self, *messages: Told) -> None:
        for message in messages:
            self._outbox.put(message)
