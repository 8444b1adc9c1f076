"""The page that shows a widget, as the kernel talks to it: asked for, told, and answering.

The messages are written down at the head of browser.js. They may arrive on any thread, since ipykernel has threads
of its own for widgets; here they hop to the event loop on which the page was asked for.
"""

from __future__ import annotations

import asyncio
import contextvars
import secrets
import time
from collections.abc import Callable
from typing import Any, Protocol

from lkcook.audio import browser_failures as failures

_ASK_EVERY = 0.5  # seconds

OnMessage = Callable[[dict[str, Any], list[bytes], float], None]
"""on_message(message, buffers, time.time() when it came), on the event loop"""


class Widget(Protocol):
    """What anywidget gives; one that has other messages, too, keeps them apart by the key "sound"."""

    def send(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None: ...

    def on_msg(self, callback: Callable[[Any, Any, list[Any]], None]) -> None: ...


class BrowserPage:
    """One page at a time: `meet` finds it for a call, `part` lets go of it. origin: its Origin, while it is met."""

    def __init__(self, widget: Widget, on_message: OnMessage) -> None:
        self.origin: str | None = None
        self._widget, self._on_message = widget, on_message
        self._name = self._call = ""
        self._awaited: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._cell = contextvars.copy_context()
        widget.on_msg(self._came)

    async def meet(self, within: float) -> None:
        """Ask until one answers: its script may still be loading. Raises DeviceError after `within` seconds."""
        self._loop, self._cell = asyncio.get_running_loop(), contextvars.copy_context()
        self._call, self._name = secrets.token_hex(8), ""
        deadline = time.monotonic() + within
        while self.origin is None:
            self.tell("ask")
            try:
                here = await self.answer("here", min(_ASK_EVERY, within))
            except TimeoutError:
                if time.monotonic() >= deadline:
                    raise failures.absent(within) from None
            else:
                if not here["secure"]:
                    raise failures.insecure(here["origin"])
                self._name, self.origin = here["page"], here["origin"]

    def part(self) -> None:
        """The call is over: what the page still says is not listened to."""
        self.origin, self._call = None, ""

    def tell(self, kind: str, buffers: list[bytes] | None = None, **more: Any) -> None:
        """Send a message to the page."""
        self._widget.send({"sound": kind, "call": self._call, "page": self._name, **more}, buffers)

    async def answer(self, kind: str, within: float) -> dict[str, Any]:
        """The next "here", "opened SIDE" (or that this failed) or "closed SIDE". Raises TimeoutError."""
        self._awaited[kind] = future = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(within):
                return await future
        finally:
            del self._awaited[kind]

    def hop(self, take: Callable[..., None], *values: Any) -> None:
        """Call on the event loop, from any thread, as the cell that makes the call: what is printed lands there."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(take, *values, context=self._cell)

    def _came(self, _widget: Any, content: Any, buffers: list[Any]) -> None:
        """On any thread."""
        ours = isinstance(content, dict) and bool(content.get("sound"))
        if ours and self._call and content.get("call") == self._call:
            self.hop(self._take, content, [bytes(part) for part in buffers or []], time.time())

    def _take(self, message: dict[str, Any], buffers: list[bytes], at: float) -> None:
        self._on_message(message, buffers, at)
        kind = {"failed": "opened"}.get(message["sound"], message["sound"])
        future = self._awaited.get(f"{kind} {message['side']}" if "side" in message else kind)
        if future is not None and not future.done():
            future.set_result(message)
