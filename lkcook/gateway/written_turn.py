"""LiveKit's turn detector that reads: POST /eot/multi, the protocol of the plugin's MultilingualModel.

With LIVEKIT_REMOTE_EOT_URL set, livekit-plugins-turn-detector 1.8.9 (multilingual.py) asks two things of that address:
{"language": "en"} → {"threshold": 0.5}, null for a language the model was not measured in, which the plugin then leaves
alone; and {"items": [chat items, the newest last], "jobId": …} → {"probability": how likely the user has finished}.
It gives up after 2 s.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from aiohttp import web

from lkcook.engines.written_turn import THRESHOLDS, WEIGHT as WEIGHT
from lkcook.gateway.auth import error_response, provider_key
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.requests import Record
from lkcook.gateway.socket import ProtocolError

if TYPE_CHECKING:
    from lkcook.gateway.address import Address

MODEL = "livekit/turn-detector"  # what the plugin calls it, on the hub


def address_for(gateway: Address) -> str:
    """What LIVEKIT_REMOTE_EOT_URL has to be for the plugin to ask `gateway`, in this process's name.

    The plugin sends no key, so the address holds one. It is no part of variables.environment(): LiveKit takes that
    variable for a sign of being hosted, and changes its defaults.
    """
    key = provider_key(gateway.api_secret, str(os.getpid()))
    return f"http://lkcook:{key}@{gateway.url.removeprefix('http://').removesuffix('/v1')}"


async def handle_written_turn(request: web.Request) -> web.Response:
    """The route."""
    exchange = Exchange(request, "turn detector")
    try:
        body = await _object(request)
        with exchange.recorded(MODEL, body) as record:
            exchange.refuse_if_failing(MODEL)
            if "language" in body:
                return web.json_response({"threshold": _threshold(body["language"], record)})
            question, words = last_turn(body.get("items"))
            engine = await request.app[Models.KEY].written_turn()
            probability = await asyncio.to_thread(engine.probability, question, words)
            record.answer = f"probability {probability:.2f}"
            return web.json_response({"probability": float(probability)})
    except ProtocolError as error:
        kind = "invalid_request_error" if error.code < 429 else "server_error"
        return error_response(error.code, str(error), kind)


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ProtocolError("the body is a JSON object")
    return body


def _threshold(language: Any, record: Record) -> float | None:
    """Of a language tag, "en" or "en-US"."""
    if not isinstance(language, str) or not language:
        raise ProtocolError('"language" is a language tag: "en", "es-MX"')
    threshold = THRESHOLDS.get(language.lower().partition("-")[0])
    if threshold is None:
        record.notes.append(f"turn detection: not measured in {language}, so silence alone ends a turn")
    return threshold


def last_turn(items: Any) -> tuple[str, str]:
    """(what the agent said last, what the user has said since) of chat items; raises ProtocolError for anything else.

    Messages in a row of one speaker are one turn; items that are no messages, and the instructions, are passed over.
    """
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ProtocolError('send {"language": "en"}, or {"items": [{"role": "user", "content": ["…"]}]}')
    said = [(item["role"], _text(item.get("content"))) for item in items if item.get("role") in ("user", "assistant")]
    said = [(role, text) for role, text in said if text]
    words, question = _taken(said, "user"), _taken(said, "assistant")
    if not words:
        raise ProtocolError('the last of the "items" is what the user said')
    return question, words


def _taken(said: list[tuple[str, str]], role: str) -> str:
    """The last messages, as far as they are of this speaker, taken from the list."""
    texts: list[str] = []
    while said and said[-1][0] == role:
        texts.insert(0, said.pop()[1])
    return " ".join(texts)


def _text(content: Any) -> str:
    """Of a string, or a list whose strings count: pictures and sounds are objects in it."""
    parts = content if isinstance(content, list) else [content]
    return " ".join(part.strip() for part in parts if isinstance(part, str)).strip()
