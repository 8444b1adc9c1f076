"""What passed over a connection, by name: both directions, what repeats is counted, no contents.

A message is called by its `type` (OpenAI) or by its first key, and the first below it where that says more (Gemini:
"serverContent.modelTurn").
"""

from __future__ import annotations

import json
import time
from typing import Any, ClassVar

from aiohttp import web


_ENVELOPES = {"serverContent", "realtime_input", "realtimeInput"}
_NAMED = 1 << 20  # bytes; what is longer is not read for its name alone
_MOST = 2_000  # runs of a connection


class Wire:
    """One connection's. runs: [time.time() of the first, "client" or "server" who sent it, name, how many in a row].

    In a row means: of that side; the other one's messages in between do not count. kept: a record holds the runs.
    """

    KEY: ClassVar[web.RequestKey[Wire]]

    def __init__(self) -> None:
        self.runs: list[list[Any]] = []
        self.kept = False
        self._latest: dict[str, list[Any]] = {}

    def received(self, raw: str | bytes | None) -> None:
        """A message of the client's."""
        self._note("client", _name(raw))

    def sent(self, message: dict[str, Any]) -> None:
        """A message of the gateway's."""
        self._note("server", _called(message))

    def _note(self, who: str, name: str) -> None:
        run = self._latest.get(who)
        if run is not None and run[2] == name:
            run[3] += 1
        elif len(self.runs) < _MOST:
            self._latest[who] = [time.time(), who, name, 1]
            self.runs.append(self._latest[who])


Wire.KEY = web.RequestKey("wire", Wire)


def _name(raw: str | bytes | None) -> str:
    if raw is None or len(raw) > _NAMED:
        return "(too long to be read)"
    try:
        message = json.loads(raw)
    except (ValueError, RecursionError):
        return "(not JSON)"
    return _called(message) if isinstance(message, dict) and message else "(not an object)"


def _called(message: dict[str, Any]) -> str:
    if isinstance(kind := message.get("type"), str):
        return kind[:100]
    key = next(iter(message))
    inside = message[key]
    if key in _ENVELOPES and isinstance(inside, dict) and inside:
        return f"{key}.{next(iter(inside))}"[:100]
    return str(key)[:100]
