"""What Ollama's API asks, read into the engine's request (github.com/ollama/ollama, docs/api.md)."""

from __future__ import annotations

from typing import Any

from lkcook.engines.completion import Request
from lkcook.gateway.chat import fields
from lkcook.gateway.chat.messages import Messages
from lkcook.gateway.realtime.rejected import Rejected

_HEEDED = set("model messages prompt system tools stream format options".split())
_NAMES = {"max_tokens": "num_predict", "stop": "stop", "seed": "seed", "response_format": "format"}
_ROLES = ("system", "user", "assistant", "tool")


def chat(body: dict[str, Any]) -> Request:
    """Of /api/chat. Raises ProtocolError."""
    messages = Messages()
    for at, message in enumerate(fields.objects(body.get("messages"), "messages")):
        _message(messages, message, f"messages[{at}]")
    if not messages:
        raise Rejected("messages is a list of at least one message", param="messages")
    tools = fields.objects(body.get("tools"), "tools")
    if not all(isinstance(tool.get("function"), dict) for tool in tools):
        raise Rejected('tools is a list of {"type": "function", "function": {...}}', param="tools")
    flat = [{**tool["function"], "type": "function"} for tool in tools]
    return Request(messages=messages, tools=fields.tools(flat), **_sampling(body))


def generate(body: dict[str, Any]) -> Request:
    """Of /api/generate. Raises ProtocolError."""
    _no_images(body, "images")
    messages = Messages()
    if system := fields.content(body.get("system"), (), "system"):
        messages.say("system", system)
    messages.say("user", fields.text(body.get("prompt"), "prompt"))
    return Request(messages=messages, **_sampling(body))


def unheeded(body: dict[str, Any]) -> list[str]:
    """The fields and options that change nothing here."""
    heeded = {*_NAMES.values(), "temperature", "top_p"}
    options = [f"options.{name}" for name in body.get("options") or {} if name not in heeded]
    return [name for name in body if name not in _HEEDED] + options


def _sampling(body: dict[str, Any]) -> dict[str, Any]:
    options = {} if body.get("options") is None else fields.object_(body["options"], "options")
    wanted = {**options, "format": _format(body.get("format"))}
    if wanted.get("num_predict") in (-1, -2):  # without end, or until the context is full
        del wanted["num_predict"]
    return fields.sampling(wanted, **_NAMES)


def _format(value: Any) -> dict[str, Any] | None:
    """"json", or a JSON schema."""
    if value in (None, ""):
        return None
    if value == "json":
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"schema": fields.object_(value, "format")}}


def _message(messages: Messages, message: dict[str, Any], param: str) -> None:
    role, text = message.get("role"), fields.content(message.get("content"), (), f"{param}.content")
    if role not in _ROLES:
        raise Rejected(f"{param}.role {role!r} is none of {', '.join(_ROLES)}", param=f"{param}.role")
    _no_images(message, f"{param}.images")
    if role == "tool":
        messages.result(_answered(messages, message), text, param)
        return
    messages.say(role, text)
    for number, call in enumerate(fields.objects(message.get("tool_calls"), f"{param}.tool_calls")):
        function = fields.object_(call.get("function"), f"{param}.tool_calls.function")
        call_id = call.get("id") or f"call_{len(messages)}_{number}"  # Ollama's calls need none
        messages.call(call_id, function.get("name"), function.get("arguments"), f"{param}.tool_calls")


def _answered(messages: Messages, message: dict[str, Any]) -> Any:
    """Which call a result belongs to: the named one, or else the first without a result."""
    if call_id := message.get("tool_call_id"):
        return call_id
    open_, name = messages.unanswered(), message.get("tool_name") or message.get("name")
    fitting = [call["id"] for call in open_ if call["function"]["name"] == name] or [call["id"] for call in open_]
    return fitting[0] if fitting else None


def _no_images(message: dict[str, Any], param: str) -> None:
    if message.get("images"):
        raise Rejected("images are not seen by the model on this machine", param=param)
