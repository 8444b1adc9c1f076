"""What passed between a realtime model and its client, message by message, without contents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lkcook.report.html import columns, table

Who = Literal["client", "server"]

NOTHING = "Nothing is known: only realtime models have a wire to look at, and only the embedded gateway tells of it."
_TITLES = ("s", "who", "message", "times")
_HINTS = ("seconds from the start of the call", "who sent it", "its name in the protocol", "how many in a row")


@dataclass(frozen=True)
class Passed:
    """`times` messages called `name` in a row; at: seconds from the start of the call, of the first."""

    at: float
    who: Who
    name: str
    times: int


class Wire(list[Passed]):
    """What passed, in order; a table in a notebook."""

    def names(self, who: Who) -> list[str]:
        """What one side sent, every name once, in the order in which they first came."""
        return list(dict.fromkeys(passed.name for passed in self if passed.who == who))

    def between(self, start: float, end: float) -> Wire:
        """What began in a window, in seconds from the start of the call."""
        return Wire(passed for passed in self if start <= passed.at <= end)

    def _rows(self) -> list[list[str]]:
        return [[f"{p.at:.2f}", p.who, p.name, "" if p.times == 1 else str(p.times)] for p in self]

    def _repr_html_(self) -> str:
        return table("What passed over the wire", list(zip(_TITLES, _HINTS)), self._rows()) if self else f"<p>{NOTHING}</p>"

    def __repr__(self) -> str:
        return columns(_TITLES, self._rows()) if self else NOTHING
