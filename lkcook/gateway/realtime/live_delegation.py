"""Work that GPT-Live delegates, and the events that tell of it.

    "responses"  session.delegation.created, then in response.event: response.created, response.output_item.done for each
                 function call, response.completed; response.item.create brings the outputs, response.create goes on
    "client"     session.delegation.created alone; session.commentary.append with its id is the answer

The one model of this machine is the voice and the backend in one: an answer that calls a function is a delegation, an
answer that does not is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lkcook.gateway.realtime import events
from lkcook.gateway.realtime.items import Call, CallOutput, Item, new_id
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.realtime.response import Response

Told = dict[str, Any]
HAND_OVER: Told = {
    "type": "function",
    "function": {
        "name": "delegate",
        "description": "Hand over what the caller asks for when it takes looking up or doing something; the answer follows.",
        "parameters": {"type": "object", "properties": {}},
    },
}


@dataclass(eq=False)
class _Run:
    """A response of the backend: which delegation it belongs to (None: the application started it), what it called."""

    delegation: str | None
    calls: list[Call] = field(default_factory=list)


class Delegations:
    """target: "responses" or "client". model: what the client calls the backend."""

    def __init__(self, target: str, model: str) -> None:
        self.target, self.model = target, model
        self._runs: dict[str, _Run] = {}  # response id -> what is under way
        self._open: dict[str, tuple[Call, str | None]] = {}  # call id -> a call without output, and its delegation
        self._asked: dict[str, Call | None] = {}  # delegation id -> the call that the application has to answer
        self._queued: list[Item] = []

    def begun(self, response: Response, delegation: str | None) -> Iterator[Told]:
        """The events of a response that the client asked for with response.create."""
        self._runs[response.id] = _Run(delegation)
        yield self._event(delegation, "response.created", response=self._snapshot(response))

    def of(self, event: events.Event) -> Iterator[Told]:
        """The events that follow from one of the conversation."""
        if isinstance(event, events.OutputDone) and isinstance(event.item, Call):
            yield from self._called(event.response, event.index, event.item)
        elif isinstance(event, events.ResponseDone) and (run := self._runs.pop(event.response.id, None)):
            yield from self._done(event.response, run)

    def queue(self, item: Item) -> None:
        """For the next response. Raises Rejected."""
        if isinstance(item, CallOutput):
            if item.call_id not in self._open:
                raise Rejected(f"no function call {item.call_id!r} waits for its output", "invalid_call_id", param="item.call_id")
            if any(isinstance(other, CallOutput) and other.call_id == item.call_id for other in self._queued):
                raise Rejected(f"{item.call_id!r} has its output already", "invalid_call_id", param="item.call_id")
        self._queued.append(item)

    def take(self) -> tuple[str | None, list[tuple[Item, str | None]]]:
        """The delegation that response.create continues; what was queued for it, each with the id of the item before it.

        Raises Rejected while a call has no output.
        """
        answered = {item.call_id for item in self._queued if isinstance(item, CallOutput)}
        if missing := [call_id for call_id in self._open if call_id not in answered]:
            raise Rejected(f"these function calls have no output yet: {', '.join(missing)}", "missing_tool_output")
        queued, self._queued, delegation = self._queued, [], None
        placed: list[tuple[Item, str | None]] = []
        for item in queued:
            call = None
            if isinstance(item, CallOutput):
                call, delegation = self._open.pop(item.call_id)
            placed.append((item, call.id if call else None))
        return delegation, placed

    def answer(self, delegation: Any, content: str) -> CallOutput | None:
        """What the application says about a delegation, if that is its first word. Raises Rejected for an unknown one."""
        if delegation is None:
            return None
        if not isinstance(delegation, str) or delegation not in self._asked:
            raise Rejected(f"there is no delegation {delegation!r}", "invalid_delegation_id", param="delegation_id")
        call, self._asked[delegation] = self._asked[delegation], None
        return CallOutput(call.call_id, content) if call is not None else None

    def abandoned(self, response: Response) -> list[Call]:
        """The calls of a response that came to nothing: nobody will answer them."""
        if response.status == "completed":
            return []
        calls = [item for item in response.output if isinstance(item, Call)]
        self._asked = {key: None if call in calls else call for key, call in self._asked.items()}
        return calls

    def _called(self, response: Response, index: int, call: Call) -> Iterator[Told]:
        if self.target == "client":
            yield self._created(call)
            return
        run = self._runs.get(response.id)
        if run is None:
            created = self._created(None)
            yield created
            yield from self.begun(response, created["delegation"]["id"])
            run = self._runs[response.id]
        run.calls.append(call)
        item = {
            "id": call.id,
            "type": "function_call",
            "status": "completed",
            "call_id": call.call_id,
            "name": call.name,
            "arguments": call.arguments,
        }
        yield self._event(run.delegation, "response.output_item.done", output_index=index, item=item)

    def _done(self, response: Response, run: _Run) -> Iterator[Told]:
        if response.status == "completed":
            self._open |= {call.call_id: (call, run.delegation) for call in run.calls}
        kind = {"completed": "completed", "failed": "failed"}.get(response.status, "incomplete")
        yield self._event(run.delegation, f"response.{kind}", response=self._snapshot(response))

    def _created(self, call: Call | None) -> Told:
        made = new_id("deleg")
        self._asked[made] = call
        return {"type": "session.delegation.created", "delegation": {"id": made, "target": self.target}}

    @staticmethod
    def _event(delegation: str | None, kind: str, **fields: Any) -> Told:
        return {"type": "response.event", "delegation_id": delegation, "event": {"type": kind, **fields}}

    def _snapshot(self, response: Response) -> Told:
        """A response without its output, as the protocol has it here."""
        shown: Told = {"id": response.id, "object": "response", "model": self.model, "status": response.status, "output": []}
        shown |= {"error": None, "incomplete_details": None, "usage": None}
        if response.status == "in_progress":
            return shown
        if response.status == "failed":
            shown["error"] = {"code": "server_error", "message": response.error}
        elif response.status != "completed":
            shown["status"], shown["incomplete_details"] = "incomplete", {"reason": response.reason}
        usage = response.usage
        shown["usage"] = {
            "input_tokens": usage.read,
            "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": 0},
            "output_tokens": usage.written,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": usage.read + usage.written,
        }
        return shown
