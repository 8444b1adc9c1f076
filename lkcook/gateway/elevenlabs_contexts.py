"""ElevenLabs' multi-context WebSocket (livekit-plugins-elevenlabs 1.8.9, tts.py: _Connection).

    client  {context_id, text: " ", voice_settings} · {context_id, text, flush} · {context_id, close_context}
            · {close_socket}
    server  {contextId, audio} · {contextId, alignment, normalizedAlignment} · {contextId, isFinal}
            · {contextId, error, code}

A connection is pooled; a context is one reply. Several may speak at once: they take turns, sentence by sentence, so
that what an interrupted reply still has to say never stands before all of the next one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from aiohttp import WSMsgType, web

from lkcook.engines.text_to_speech import TextToSpeech
from lkcook.gateway.elevenlabs_reply import Reply
from lkcook.gateway.elevenlabs_speech import Manner, Refusal, notes_on, prosody_of, text_of
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.socket import PATIENCE, ProtocolError, parse_untyped

_MOST_CONTEXTS = 16  # ElevenLabs has five, and faster machines


class Connection:
    """One client's socket: `converse`, and `aclose` in any case."""

    def __init__(self, ws: web.WebSocketResponse, exchange: Exchange, manner: Manner, engine: TextToSpeech) -> None:
        self.manner, self.engine, self.turn = manner, engine, asyncio.Lock()
        self.models = exchange.request.app[Models.KEY]
        self._ws, self._exchange = ws, exchange
        self._options = {**exchange.request.query, "voice_id": exchange.request.match_info["voice"]}
        self.aligned = self._options.get("sync_alignment") == "true"
        self._contexts: dict[str, Reply] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused: deque[str] = deque(maxlen=64)

    async def converse(self, patience: float) -> None:
        """Until the client leaves, errs too often, or neither says nor hears anything for `patience` seconds."""
        complaints = 0
        while complaints < PATIENCE:
            try:
                frame = await asyncio.wait_for(self._ws.receive(), patience)
            except TimeoutError:
                if self.turn.locked():
                    continue
                return
            if frame.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                return
            name = None
            try:
                message = parse_untyped(frame.type, frame.data)
                if message.get("close_socket"):
                    await asyncio.gather(*[context.close() for context in self._contexts.values()])
                    return
                name = _name(message)
                self._receive(name, message)
            except ProtocolError as refusal:
                complaints += 1
                await self.refuse(name, str(refusal))

    async def aclose(self) -> None:
        """Stops after the sentence at hand."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _receive(self, name: str, message: dict[str, Any]) -> None:
        context = self._contexts.get(name)
        if message.get("close_context"):
            if context is not None:
                context.end()
            return
        text = text_of(message)
        begins = "voice_settings" in message
        if name in self._refused and not begins:  # what was on its way when it was refused
            if text.strip():
                raise Refusal("context_closed", f"context {name!r} was refused; begin it anew, with voice_settings")
        elif context is not None or begins or text.strip():
            if context is None or text.strip():
                self._check(message, begins=context is None)
            context = context or self._open(name, message)
            context.push(text, flush=bool(message.get("flush")))

    def _check(self, message: dict[str, Any], *, begins: bool) -> None:
        """Keep the message, and refuse it when the model shall fail."""
        model = self.manner.model
        asked = {**self._options, **message} if begins else message
        record = self._exchange.record(model, asked)
        if begins:
            record.notes += notes_on(asked)
        self._exchange.refuse_if_failing(model)
        record.answered_by = model

    def _open(self, name: str, message: dict[str, Any]) -> Reply:
        if len(self._contexts) >= _MOST_CONTEXTS:
            raise Refusal("max_active_conversations", f"{_MOST_CONTEXTS} contexts are open; close one first")
        context = self._contexts[name] = Reply(self, name, prosody_of(message.get("voice_settings")))
        self._tasks.add(context.task)
        context.task.add_done_callback(self._tasks.discard)
        if name in self._refused:
            self._refused.remove(name)
        return context

    async def send(self, name: str, message: dict[str, Any]) -> None:
        await self._ws.send_json({"contextId": name, **message})

    async def refuse(self, name: str | None, sentence: str) -> None:
        """The plugin reads "error" as what happened to the context, and forgets the context."""
        if name is not None:
            if name not in self._refused:
                self._refused.append(name)
            context = self._contexts.pop(name, None)
            if context is not None and context.task is not asyncio.current_task():
                context.task.cancel()
        await self._ws.send_json({"error": sentence, "code": 1008, **({} if name is None else {"contextId": name})})

    def release(self, name: str, context: Reply) -> None:
        """It has ended; its name may be given again."""
        if self._contexts.get(name) is context:
            del self._contexts[name]


def _name(message: dict[str, Any]) -> str:
    name = message.get("context_id", "default")
    if not isinstance(name, str) or len(name) > 200:
        raise Refusal("invalid_message", '"context_id" is text of at most 200 characters')
    return name
