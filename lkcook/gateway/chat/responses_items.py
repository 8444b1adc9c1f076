"""Items of OpenAI's Responses: what is asked → the engine's request, and what was answered → items.

(openai 3.57, types/responses/response_input_item_param.py and response_output_item.py.)
"""

from __future__ import annotations

from typing import Any

from lkcook.engines.completion import Done, Request
from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway.chat import fields
from lkcook.gateway.chat.messages import Messages
from lkcook.gateway.realtime.rejected import Rejected

_HEEDED = set(
    "type model input instructions tools tool_choice stream temperature top_p max_output_tokens text "
    "previous_response_id store".split()
)
_ROLES = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}
_TEXT = ("input_text", "output_text", "text")


def read(body: dict[str, Any], before: Messages) -> tuple[Request, Messages]:
    """before: what the previous response knew. The engine's request, and the conversation without its instructions.

    Raises ProtocolError.
    """
    fields.only(body, conversation=None)  # nothing would be remembered of it: previous_response_id is
    messages = Messages(before)
    given = body.get("input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else fields.objects(given, "input")
    for at, item in enumerate(items):
        if at or not _repeated(messages, item):
            _item(messages, item, f"input[{at}]")
    if not messages:
        raise Rejected("input is text, or a list of at least one item", "missing_required_parameter", param="input")
    told = fields.content(body.get("instructions"), (), "instructions")
    tools = fields.tools(fields.objects(body.get("tools"), "tools"))
    request = Request(
        messages=[*([{"role": "system", "content": told}] if told else ()), *messages],
        tools=tools,
        tool_choice=fields.tool_choice(body.get("tool_choice"), tools),
        **fields.sampling({**body, "text.format": _format(body.get("text"))}, **_NAMES),
    )
    return request, messages


_NAMES = {"max_tokens": "max_output_tokens", "response_format": "text.format"}


def unheeded(body: dict[str, Any]) -> list[str]:
    """The fields, and the tools that OpenAI runs by itself, which change nothing here."""
    names = [name for name in body if name not in _HEEDED and body[name] is not None]
    return names + fields.foreign_tools(body.get("tools"))


def _format(text: Any) -> dict[str, Any] | None:
    """As chat completions have it; plain text is the default."""
    wanted = fields.object_(text, "text").get("format") if text is not None else None
    kind = fields.object_(wanted, "text.format").get("type") if wanted is not None else "text"
    if kind in ("text", "json_object"):
        return None if kind == "text" else {"type": kind}
    if kind != "json_schema":
        told = f"text.format.type {kind!r} is none of text, json_object and json_schema"
        raise Rejected(told, param="text.format.type")
    schema = fields.object_(wanted.get("schema"), "text.format.schema")
    return {"type": kind, "json_schema": {"schema": schema}}


def _repeated(messages: Messages, item: dict[str, Any]) -> bool:
    """LiveKit's plugin sends the previous answer again, as far as it was heard: that takes its place."""
    if not messages or messages[-1]["role"] != "assistant" or item.get("role") != "assistant":
        return False
    heard = fields.content(item.get("content"), _TEXT, "input[0].content")
    if not messages[-1]["content"].strip().startswith(heard.strip()):
        return False
    messages[-1] = {**messages[-1], "content": heard}
    return True


def _item(messages: Messages, item: dict[str, Any], param: str) -> None:
    kind = item.get("type", "message")
    if kind == "function_call":
        if item.get("call_id") in messages.called():
            return  # of the previous response, sent again
        messages.call(item.get("call_id"), item.get("name"), item.get("arguments"), param)
    elif kind == "function_call_output":
        output = fields.content(item.get("output"), _TEXT, f"{param}.output")
        messages.result(item.get("call_id"), output, f"{param}.call_id")
    elif kind == "message":
        role = item.get("role")
        if not isinstance(role, str) or role not in _ROLES:
            raise Rejected(f"role {role!r} is none of {', '.join(_ROLES)}", param=f"{param}.role")
        messages.say(_ROLES[role], fields.content(item.get("content"), _TEXT, f"{param}.content"))
    elif kind != "reasoning":  # another model's thoughts
        known = "message, function_call and function_call_output"
        raise Rejected(f"an item of type {kind!r} is not taken; known are {known}", param=f"{param}.type")


def message_item(item_id: str, text: str | None, status: str) -> dict[str, Any]:
    """text: None before it begins."""
    content = [] if text is None else [text_part(text)]
    return {"type": "message", "id": item_id, "status": status, "role": "assistant", "content": content}


def text_part(text: str) -> dict[str, Any]:
    """Of a message."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def call_item(item_id: str, call: ToolCall, status: str) -> dict[str, Any]:
    """Its arguments come with the end of it."""
    arguments = call.arguments if status == "completed" else ""
    head = {"type": "function_call", "id": item_id, "status": status}
    return {**head, "call_id": call.id, "name": call.name, "arguments": arguments}


def usage(done: Done) -> dict[str, Any]:
    """Of a response."""
    return {
        "input_tokens": done.prompt_tokens,
        "input_tokens_details": {"cached_tokens": done.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": done.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": done.prompt_tokens + done.completion_tokens,
    }
