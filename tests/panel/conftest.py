"""A notebook with a person in front of it, and sessions on scripted models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from lkcook import notebook, parties
from lkcook.audio import devices
from lkcook.panel import panel as room
from lkcook.panel.panel import Panel
from lkcook.panel.widget import PanelWidget
from tests.call.conftest import BeepingCaller, agent, no_task_is_left_behind, pipeline

__all__ = ["agent", "no_task_is_left_behind", "pipeline"]


class Page:
    """What the cell shows: IPython's display, and the buttons of the panel in it."""

    def __init__(self) -> None:
        self.shown: list[Any] = []
        self.sent: list[dict[str, Any]] = []
        self._changed = asyncio.Event()

    def __call__(self, thing: Any, display_id: bool) -> Page:
        self.update(thing)
        if isinstance(thing, PanelWidget):
            thing.observe(lambda change: self._changed.set(), names="state")
            thing.send = self._receive  # there is no kernel to carry it
        return self

    def update(self, thing: Any) -> None:
        self.shown.append(thing)
        self._changed.set()

    def press(self, what: str, value: Any = None) -> None:
        """As the page's script tells it."""
        widgets = [thing for thing in self.shown if isinstance(thing, PanelWidget)]
        widgets[-1]._handle_custom_msg({"do": what, "value": value}, [])

    @property
    def state(self) -> dict[str, Any]:
        """What the newest panel was given to draw."""
        return [thing for thing in self.shown if isinstance(thing, PanelWidget)][-1].state

    async def until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until the newest panel draws something that fits."""
        async with asyncio.timeout(40):
            while not self.shown or not condition(self.state):
                self._changed.clear()
                await self._changed.wait()
        return self.state

    def _receive(self, content: dict[str, Any], buffers: Any = None) -> None:
        self.sent.append(content)
        self._changed.set()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    """A person's notebook on a machine without sound devices; the script is spoken in beeps."""
    shown = Page()
    monkeypatch.delenv("LKCOOK_CALLER", raising=False)
    monkeypatch.setattr(notebook, "kernel", lambda: object())
    monkeypatch.setattr(parties, "somebody_at_the_keyboard", lambda: True)
    monkeypatch.setattr("IPython.display.display", shown)
    monkeypatch.setattr(devices, "names", lambda side: [])
    monkeypatch.setattr(devices, "have_output", lambda: False)
    monkeypatch.setattr(parties, "_scripted", lambda script: BeepingCaller([0.4] * len(script)))
    monkeypatch.setattr(Panel, "_sound", (Person(), Deaf()))
    monkeypatch.setattr(room, "_current", None)
    return shown


class Person(BeepingCaller):
    """Says one beep into the browser's microphone and stays on the line."""

    person = True

    def __init__(self) -> None:
        super().__init__([0.4], hang_up=False)


def Deaf() -> Any:
    """The browser's speaker, without a browser."""
    from lkcook.audio.listener import RecordedListener

    return RecordedListener()
