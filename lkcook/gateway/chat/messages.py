"""A conversation in the engine's shape, which is that of OpenAI's chat completions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway.chat import fields
from lkcook.gateway.realtime.rejected import Rejected


def shown(call: ToolCall) -> dict[str, Any]:
    """A call as it stands in a message."""
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


class Messages(list[dict[str, Any]]):
    """One after the other. Calls of a turn are gathered in one message, as chat templates want them."""

    def say(self, role: str, text: str) -> None:
        """role: "system", "user" or "assistant"."""
        self.append({"role": role, "content": text})

    def call(self, call_id: Any, name: Any, arguments: Any, param: str) -> None:
        """A function was called. arguments: a JSON object, or its text."""
        read = fields.text(name, f"{param}.name"), fields.arguments(arguments, f"{param}.arguments")
        made = shown(ToolCall(*read, fields.text(call_id, f"{param}.id")))
        if not self or self[-1]["role"] != "assistant":
            self.say("assistant", "")
        self[-1] = {**self[-1], "tool_calls": [*self[-1].get("tool_calls", ()), made]}

    def result(self, call_id: Any, text: str, param: str) -> None:
        """What a call gave."""
        if call_id not in self.called():
            raise Rejected(f"no call {call_id!r} was made that this could be the result of", param=param)
        self.append({"role": "tool", "tool_call_id": call_id, "content": text})

    def called(self) -> list[str]:
        """The ids of all calls."""
        return [call["id"] for message in self for call in message.get("tool_calls") or ()]

    def unanswered(self) -> list[dict[str, Any]]:
        """The calls without a result."""
        answered = {message.get("tool_call_id") for message in self}
        calls = [call for message in self for call in message.get("tool_calls") or ()]
        return [call for call in calls if call["id"] not in answered]

    def reply(self, text: str, calls: Iterable[ToolCall]) -> None:
        """What the model answered."""
        made = [shown(call) for call in calls]
        self.append({"role": "assistant", "content": text, **({"tool_calls": made} if made else {})})
