"""Server-sent events with JSON in them, as OpenAI's audio endpoints stream, and Mistral's, whose events have names."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web


async def respond(
    request: web.Request, events: AsyncIterator[dict[str, Any]], *, named: bool = False
) -> web.StreamResponse:
    """Send each event as soon as it is there. What fails before the first one can still be refused by its status.

    named: the type of each is also its name.
    """
    first = await anext(events, None)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    if first is not None:
        await _send(response, first, named)
    async for event in events:
        await _send(response, event, named)
    return response


async def _send(response: web.StreamResponse, event: dict[str, Any], named: bool) -> None:
    name = f"event: {event['type']}\n" if named else ""
    await response.write(f"{name}data: {json.dumps(event)}\n\n".encode())
