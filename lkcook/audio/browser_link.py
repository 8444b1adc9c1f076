"""The link between a call and the page that shows a widget: what is open there, how the sound travels.

Control travels as messages of the widget, which Jupyter has authenticated; sound takes a WebSocket of its own
where the page can reach one (see browser_socket.py), else the widget's messages too.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, Literal

from lkcook.audio import browser_failures as failures
from lkcook.audio.browser_page import BrowserPage, Widget
from lkcook.audio.browser_socket import SoundSocket
from lkcook.errors import DeviceError

BUFFER = 0.13  # seconds of sound the page holds back, so that late blocks are not heard as gaps
TRANSPORTS = ("websocket", "proxy", "messages")
Side = Literal["microphone", "speaker"]
ANSWER_WITHIN = 10.0  # seconds for a page that may still load its widgets
OPEN_WITHIN = 60.0  # seconds: the reader has to find and answer the browser's question for permission
_CLOSE_WITHIN = 2.0
_CLICK = "Your browser holds the sound back until you click: click anywhere in this page."


class BrowserLink:
    """Opens and closes the two sides in the page that shows `widget`. One link serves many calls, one at a time.

    transports: the ways the sound may take, tried in this order; messages always remain. notify: told in a sentence
    what the reader should do now. suppresses_noise: whether the browser is asked to, set it before a microphone opens.
    transport, blocked, latency (seconds until sound handed to the browser's audio
    system is heard), underruns, lowest (seconds left in the page's buffer at its emptiest): as the page reports.
    """

    def __init__(
        self,
        widget: Widget,
        *,
        transports: Sequence[str] = TRANSPORTS,
        notify: Callable[[str], None] = print,
        answer_within: float = ANSWER_WITHIN,
        open_within: float = OPEN_WITHIN,
    ) -> None:
        self.on_frame: Callable[[bytes, float], None] | None = None
        self.on_lost: Callable[[DeviceError], None] | None = None
        self.transport: str | None = None
        self.blocked = False
        self.latency = 0.0
        self.underruns = 0
        self.lowest: float | None = None
        self._page = BrowserPage(widget, self._take)
        self._transports, self._notify = list(transports), notify
        self._answer_within, self._open_within = answer_within, open_within
        self.suppresses_noise = True
        self._gone = False
        self._sides: set[Side] = set()
        self._socket: SoundSocket | None = None
        self._turn = asyncio.Lock()

    async def open(self, side: Side) -> None:
        """Returns when the page has opened `side`. Raises DeviceError."""
        async with self._turn:
            if side in self._sides:
                return
            try:
                if not self._sides:
                    await self._meet()
                self._sides.add(side)
                await self._open(side)
            except BaseException:
                await self._close(side)
                raise

    async def close(self, side: Side) -> None:
        """Have the page release `side`; with the last one the connection ends. May be called twice."""
        async with self._turn:
            if side in self._sides:
                await self._close(side)

    def play(self, samples: bytes) -> None:
        """Sound for the page's buffer: int16 mono at 24 kHz."""
        if self.transport == "messages":
            self._page.tell("play", [samples])
        elif self._socket is not None:
            self._socket.send(samples)

    def control(self, kind: Literal["end", "flush"]) -> None:
        """end: nothing follows at once. flush: forget what is unheard. In order with what was played."""
        if self.transport == "messages":
            self._page.tell(kind)
        elif self._socket is not None:
            self._socket.send(json.dumps({"sound": kind}))

    # -- opening and closing --------------------------------------------------------------------

    async def _meet(self) -> None:
        self.transport, self.blocked, self.underruns, self.lowest, self._gone = None, False, 0, None, False
        await self._page.meet(self._answer_within)
        origin = self._page.origin
        if origin not in (None, "null") and set(self._transports) - {"messages"}:  # any sandboxed frame is "null"
            self._socket = SoundSocket(origin, self._frame_came, self._socket_gone)
            await asyncio.to_thread(self._socket.start)

    async def _open(self, side: Side) -> None:
        way = {"port": self._socket.port, "token": self._socket.token} if self._socket else {"port": 0, "token": ""}
        suppress = self.suppresses_noise
        self._page.tell("open", side=side, buffer=BUFFER, suppress=suppress, transports=self._transports, **way)
        try:
            answer = await self._page.answer(f"opened {side}", self._open_within)
        except TimeoutError:
            raise failures.unopened(side, self._open_within, self.blocked) from None
        if answer["sound"] == "failed":
            raise failures.failed(side, answer["error"], answer["message"])
        self.transport = answer["transport"]
        if side == "speaker":
            self.latency = answer["latency"]

    async def _close(self, side: Side) -> None:
        self._sides.discard(side)
        if self._page.origin is not None:
            self._page.tell("close", side=side)
            if not self._gone:
                await self._closed(side)
        if not self._sides:
            socket, self._socket = self._socket, None
            self._page.part()
            if socket is not None:
                await asyncio.to_thread(socket.stop)

    async def _closed(self, side: Side) -> None:
        try:
            await self._page.answer(f"closed {side}", _CLOSE_WITHIN)
        except TimeoutError:
            self._gone = True  # a closed page's browser has released everything

    # -- what the page says ---------------------------------------------------------------------

    def _frame_came(self, frame: bytes, at: float) -> None:
        self._page.hop(self._deliver, frame, at)

    def _socket_gone(self) -> None:
        self._page.hop(self._disconnected)

    def _take(self, message: dict[str, Any], buffers: list[bytes], at: float) -> None:
        kind = message["sound"]
        if kind == "microphone" and buffers:
            self._deliver(buffers[0], at)
        elif kind == "report":
            self.underruns, self.lowest, self.latency = (message[name] for name in ("underruns", "lowest", "latency"))
        elif kind in ("blocked", "resumed"):
            self._block(kind == "blocked")
        elif kind == "lost":
            self._lose(message["message"])
        elif kind == "closed":
            self.underruns = message["underruns"]

    def _block(self, blocked: bool) -> None:
        if blocked and not self.blocked:
            self._notify(_CLICK)
        self.blocked = blocked

    def _deliver(self, frame: bytes, at: float) -> None:
        if self.on_frame is not None:
            self.on_frame(frame, at)

    def _disconnected(self) -> None:
        if self.transport in ("websocket", "proxy"):  # else the page gave up one way to try the next
            self._gone = True
            self._lose("the page was closed or reloaded, or the network failed")

    def _lose(self, why: str) -> None:
        if self.on_lost is not None:
            self.on_lost(failures.lost(why))
