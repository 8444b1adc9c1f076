"""How far something slow has come: a line in a notebook that is drawn anew, nothing in a terminal."""

from __future__ import annotations

import time
from html import escape

from lkcook import notebook


class Progress:
    """`advance()` after each of `total` parts; what stays in the notebook is how many there were and how long it took.

    what: the parts in words, "sounds heard".
    """

    def __init__(self, total: int, what: str) -> None:
        self._done, self._total, self._what = 0, total, what
        self._began = time.monotonic()
        self._handle = None
        if notebook.kernel() is not None:
            from IPython.display import display

            self._handle = display(self, display_id=True)

    def advance(self) -> None:
        """One more is done."""
        self._done += 1
        if self._handle is not None:
            self._handle.update(self)

    def _repr_html_(self) -> str:
        bar = f'<progress max="{self._total}" value="{self._done}"></progress> ' if self._done < self._total else ""
        return f"<small>{bar}{escape(repr(self))}</small>"

    def __repr__(self) -> str:
        return f"{self._done} of {self._total} {self._what}, {time.monotonic() - self._began:.0f} s"
