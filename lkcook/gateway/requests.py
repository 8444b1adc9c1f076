"""What really arrived, kept for the one who sent it: each request or message, without sound and without secrets.

GET /requests?since=<time.time()> returns the caller's own ones as JSON, oldest first.
"""

from __future__ import annotations

import re
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from aiohttp import web

from lkcook.gateway.auth import OWNER
from lkcook.gateway.wire import Wire

_KEPT = 2_000  # messages of all owners
_SECRET = re.compile(r"authorization|api[-_]?key|secret|token$|password", re.IGNORECASE)
_SOUND = {"audio", "data"}
_HEADERS = "x-livekit-"  # LiveKit's own are part of the request; the others are plumbing


@dataclass
class Record:
    """One request.

    at: time.time(). stage: "speech to text", "language model", "text to speech", "realtime model", "turn detector" or
    "interruption". model: the id asked for. message: the JSON that came, or what a binary message held. answer: what
    went back, where that is a word or two. answered_by: the id that answered, another one after a fallback. notes: what
    the gateway did not do as asked, or did otherwise. switches: (time.time(), what happened) of each fallback. tokens: read
    and written, of a language model. wire: what passed over its connection, if the record is its first (`Wire.runs`).
    """

    owner: str
    stage: str
    path: str
    model: str
    message: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    answered_by: str = ""
    answer: str = ""
    notes: list[str] = field(default_factory=list)
    switches: list[tuple[float, str]] = field(default_factory=list)
    tokens: int = 0
    wire: list[list[Any]] = field(default_factory=list)
    at: float = field(default_factory=time.time)


class RequestLog:
    """The newest requests."""

    KEY: ClassVar[web.AppKey[RequestLog]]

    def __init__(self) -> None:
        self._records: deque[Record] = deque(maxlen=_KEPT)

    def add(self, request: web.Request, stage: str, model: str, message: dict[str, Any]) -> Record:
        """Keep one; the record returned can still be completed."""
        headers = _without_secrets({k.lower(): v for k, v in request.headers.items() if k.lower().startswith(_HEADERS)})
        shown = _without_secrets(message)
        record = Record(request.get(OWNER, ""), stage, request.path, model, shown, headers)
        if (wire := request.get(Wire.KEY)) is not None and not wire.kept:
            record.wire, wire.kept = wire.runs, True  # it goes on growing
        self._records.append(record)
        return record

    def of(self, owner: str, since: float = 0.0) -> list[Record]:
        """The requests of one owner from `since` (time.time()) on."""
        return [record for record in self._records if record.owner == owner and record.at >= since]


RequestLog.KEY = web.AppKey("requests", RequestLog)


async def handle_requests(request: web.Request) -> web.Response:
    """The route."""
    try:
        since = float(request.query.get("since", 0))
    except ValueError:
        since = 0.0
    records = request.app[RequestLog.KEY].of(request[OWNER], since)
    return web.json_response({"requests": [asdict(record) for record in records]})


def _without_secrets(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_secrets(inner, name) for inner in value]
    if isinstance(value, str) and _SECRET.search(name):
        return "•••"
    if isinstance(value, str) and name in _SOUND and len(value) > 200:
        return f"… {len(value) * 3 // 4} bytes of sound"
    return value
