"""Functions that were called over Gemini Live and have not returned yet."""

from __future__ import annotations

from collections.abc import Iterable

from lkcook.gateway.realtime.gemini_content import Response
from lkcook.gateway.realtime.gemini_fields import Refused
from lkcook.gateway.realtime.items import Call


class Calls:
    """Those the model waits for, and those it does not (NON_BLOCKING), which no interruption cancels."""

    def __init__(self) -> None:
        self._under_way: dict[str, Call] = {}
        self._awaited: set[str] = set()
        self._cancelled: set[str] = set()

    @property
    def awaited(self) -> bool:
        """The turn goes on when they have returned."""
        return bool(self._awaited)

    def add(self, calls: Iterable[Call], awaited: Iterable[Call]) -> None:
        """The client was told."""
        self._under_way |= {call.call_id: call for call in calls}
        self._awaited |= {call.call_id for call in awaited}

    def take(self, response: Response) -> str | None:
        """The id of the call that has returned, None when it was cancelled meanwhile. Raises Refused.

        Clients of Vertex send no ids: their responses are taken in order, by name.
        """
        call_id = response.id or next((id for id, call in self._under_way.items() if call.name == response.name), "")
        if call_id in self._cancelled:
            return None
        if call_id not in self._under_way:
            raise Refused(f"No function {response.name!r} was called with the id {response.id!r}, or it has returned already.")
        if not response.continues:
            del self._under_way[call_id]
        self._awaited.discard(call_id)
        return call_id

    def cancel(self) -> list[Call]:
        """Forget those the model waits for."""
        calls = [self._under_way.pop(call_id) for call_id in self._under_way.keys() & self._awaited]
        self._cancelled |= self._awaited
        self._awaited.clear()
        return calls
