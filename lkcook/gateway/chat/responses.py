"""OpenAI's Responses: POST /v1/responses, streamed or whole, and GET, a WebSocket of them (responses_socket.py).

    server  response.created, .in_progress · .output_item.added · .content_part.added · .output_text.delta, .done ·
            .content_part.done · .function_call_arguments.delta, .done · .output_item.done ·
            .completed, or .incomplete when max_output_tokens were not enough · error
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, ClassVar

from aiohttp import web

from lkcook.engines.completion import Done, Text
from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway import options
from lkcook.gateway.auth import OWNER
from lkcook.gateway.chat import fields, ids, responses_items
from lkcook.gateway.chat.bodies import named
from lkcook.gateway.chat.core import Dialect, Piece, Reply
from lkcook.gateway.chat.messages import Messages
from lkcook.gateway.chat.responses_items import call_item, message_item, text_part
from lkcook.gateway.realtime.items import new_id
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.socket import ProtocolError

_KEPT = 200  # conversations of all owners
_ECHOED = ("instructions", "max_output_tokens", "previous_response_id", "temperature", "top_p", "metadata", "text")


class Kept:
    """What each response knew when it ended, for previous_response_id; the oldest go first."""

    KEY: ClassVar[web.AppKey[Kept]]

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Messages] = OrderedDict()

    def keep(self, owner: str, response_id: str, messages: Messages) -> None:
        """It belongs to the one who asked."""
        self._kept[owner, response_id] = messages
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    def of(self, owner: str, response_id: Any) -> Messages:
        """Nothing, when no response comes before. Raises Rejected for one that nobody knows any more."""
        if response_id is None:
            return Messages()
        if not isinstance(response_id, str) or (owner, response_id) not in self._kept:
            told = f"Previous response with id {response_id!r} not found."
            raise Rejected(told, "previous_response_not_found", param="previous_response_id")
        self._kept.move_to_end((owner, response_id))
        return self._kept[owner, response_id]


Kept.KEY = web.AppKey("responses", Kept)


class Response(Dialect):
    """One of them."""

    def __init__(self, body: dict[str, Any], request: web.Request) -> None:
        super().__init__(body, request)
        self._kept, owner = request.app[Kept.KEY], request[OWNER]
        self.asked, self._known = responses_items.read(body, self._kept.of(owner, body.get("previous_response_id")))
        self.streams = fields.flag(body.get("stream"), "stream", False)
        self._stores = fields.flag(body.get("store"), "store", True)
        self.notes += map(options.only_the_cloud, responses_items.unheeded(body))
        self._id, self._began, self._number = new_id("resp"), int(time.time()), 0
        self._output: list[dict[str, Any]] = []
        self._speaking = ""  # the id of the message under way

    def check(self) -> None:
        ids.check_openai(self.request, self.model, responses=True)

    def finished(self, reply: Reply) -> None:
        if self._stores:
            self._known.reply(reply.text, reply.calls)
            self._kept.keep(self.request[OWNER], self._id, self._known)

    def events(self, piece: Piece, reply: Reply) -> Iterator[dict[str, Any]]:
        if not self._number:
            yield self._event("response.created", response=self._shown("in_progress"))
            yield self._event("response.in_progress", response=self._shown("in_progress"))
        if isinstance(piece, Text):
            yield from self._text(piece.text)
            return
        if self._speaking:
            yield from self._text_done(reply)
        yield from self._call(piece) if isinstance(piece, ToolCall) else self._end(piece)

    def _text(self, delta: str) -> Iterator[dict[str, Any]]:
        if not self._speaking:
            self._speaking = new_id("msg")
            yield self._added(message_item(self._speaking, None, "in_progress"))
            yield self._of_text("response.content_part.added", part=text_part(""))
        yield self._of_text("response.output_text.delta", delta=delta, logprobs=[])

    def _text_done(self, reply: Reply) -> Iterator[dict[str, Any]]:
        yield self._of_text("response.output_text.done", text=reply.text, logprobs=[])
        yield self._of_text("response.content_part.done", part=text_part(reply.text))
        yield self._done(message_item(self._speaking, reply.text, "completed"))
        self._speaking = ""

    def _call(self, call: ToolCall) -> Iterator[dict[str, Any]]:
        item = call_item(new_id("fc"), call, "completed")
        at = {"item_id": item["id"], "output_index": len(self._output)}
        yield self._added(call_item(item["id"], call, "in_progress"))
        yield self._event("response.function_call_arguments.delta", **at, delta=call.arguments)
        yield self._event("response.function_call_arguments.done", **at, name=call.name, arguments=call.arguments)
        yield self._done(item)

    def _end(self, done: Done) -> Iterator[dict[str, Any]]:
        status = _status(done)
        yield self._event(f"response.{status}", response=self._shown(status, done))

    def _added(self, item: dict[str, Any]) -> dict[str, Any]:
        return self._event("response.output_item.added", output_index=len(self._output), item=item)

    def _done(self, item: dict[str, Any]) -> dict[str, Any]:
        self._output.append(item)
        return self._event("response.output_item.done", output_index=len(self._output) - 1, item=item)

    def _of_text(self, kind: str, **more: Any) -> dict[str, Any]:
        at = {"item_id": self._speaking, "output_index": len(self._output), "content_index": 0}
        return self._event(kind, **at, **more)

    def _event(self, kind: str, **more: Any) -> dict[str, Any]:
        self._number += 1
        return {"type": kind, "sequence_number": self._number - 1, **more}

    def whole(self, reply: Reply) -> dict[str, Any]:
        if reply.text:
            self._output.append(message_item(new_id("msg"), reply.text, "completed"))
        self._output += [call_item(new_id("fc"), call, "completed") for call in reply.calls]
        return self._shown(_status(reply.done), reply.done)

    def _shown(self, status: str, done: Done | None = None) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._began,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "model": self.model,
            "output": list(self._output),
            "parallel_tool_calls": True,
            "tool_choice": self.body.get("tool_choice") or "auto",
            "tools": [{"type": "function", "strict": None, **tool["function"]} for tool in self.asked.tools],
            "store": self._stores,
            "usage": responses_items.usage(done) if done is not None else None,
            **{name: self.body.get(name) for name in _ECHOED},
        }

    def broken(self, error: ProtocolError) -> dict[str, Any]:
        return self._event("error", message=str(error), **{"code": None, "param": None, **named(error)})

    def encode(self, event: dict[str, Any]) -> bytes:
        return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _status(done: Done) -> str:
    return "incomplete" if done.reason == "length" else "completed"
