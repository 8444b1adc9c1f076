"""What talk() shows while it runs: a panel to a person, a picture to a machine, nothing in a terminal."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lkcook import notebook, parties
from lkcook.audio.caller import Caller
from lkcook.audio.clip import Clip
from lkcook.audio.listener import Listener
from lkcook.panel.picture import Picture
from lkcook.push_to_talk import Button, nobody_presses
from lkcook.treatment import Treatment

if TYPE_CHECKING:
    from lkcook.call import Call

Wish = Caller | Clip | Path | str | None


class View:
    """Shows nothing: a terminal prints what it likes through on_event. button: that of push-to-talk."""

    button: Button | None = None

    async def parties(
        self, script: parties.Script | None, caller: Wish, listener: Listener | None
    ) -> tuple[Caller, Listener]:
        """Who takes part; a panel asks. Raises CookError when nobody can."""
        who = parties.choose_caller(script, caller)
        if self.button is not None and who.person:
            raise nobody_presses()
        return who, parties.choose_listener(listener)

    def follow(self, call: Call) -> None:
        """From now on `call` is the one that is shown."""

    def show(self, kind: str, payload: Any) -> None:
        """Take one event of the call (see `talk`'s on_event)."""

    async def close(self) -> None:
        """The call is over: leave what should stay in the notebook."""


class Watching(View):
    """A picture, redrawn with each event. `display` is IPython's."""

    _HINT = "🎧 A synthetic caller speaks its lines in real time; you will hear the recording."

    def __init__(self, display: Callable[..., Any]) -> None:
        self.picture = Picture(self._HINT)
        self._handle = display(self.picture, display_id=True)

    def show(self, kind: str, payload: Any) -> None:
        self.picture.take(kind, payload)
        self._handle.update(self.picture)

    async def close(self) -> None:
        self.picture.finish()
        self._handle.update(self.picture)


@contextlib.asynccontextmanager
async def shown(button: Button | None = None, treatment: Treatment | None = None) -> AsyncIterator[View]:
    """The view that fits where this runs, for as long as the block runs. button: that of push-to-talk.

    treatment: of the caller's sound, which a panel lets the reader change.
    """
    view = _fitting(button, treatment or Treatment())
    view.button = button
    try:
        yield view
    finally:
        await view.close()


def _fitting(button: Button | None, treatment: Treatment) -> View:
    if notebook.kernel() is None:
        return View()
    from IPython.display import display

    if not parties.somebody_at_the_keyboard():
        return Watching(display)
    from lkcook.panel.panel import Panel

    return Panel(display, button, treatment)
