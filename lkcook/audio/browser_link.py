"""The link to the page that shows a widget: which page it is, how its sound travels, what it reports.

Control travels as messages of the widget, which Jupyter has authenticated; sound takes a WebSocket of its own
where the page can reach one (see browser_socket.py), else the widget's messages too. The protocol is written
down at the head of browser.js. Messages may arrive on any thread: ipykernel has threads for widgets.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

from lkcook.audio import browser_failures as failures
from lkcook.audio.browser_socket import SoundSocket
from lkcook.errors import DeviceError

BUFFER = 0.13  # seconds of sound the page holds back, so that late blocks are not heard as gaps
TRANSPORTS = ("websocket", "proxy", "messages")
Side = Literal["microphone", "speaker"]
ANSWER_WITHIN = 10.0  # seconds for a page that may still load its widgets
OPEN_WITHIN = 60.0  # seconds: the reader has to find and answer the browser's question for permission
_CLOSE_WITHIN = 2.0
_ASK_EVERY = 0.5
_CLICK = "Your browser holds the sound back until you click: click anywhere in this page."


class Widget(Protocol):
    """What anywidget gives; one that has other messages, too, keeps them apart by the key "sound"."""

    def send(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None: ...

    def on_msg(self, callback: Callable[[Any, Any, list[Any]], None]) -> None: ...


class BrowserLink:
    """Opens and closes the two sides in the page that shows `widget`. One link serves many calls, one at a time.

    transports: the ways the sound may take, tried in this order; messages always remain. notify: told in a sentence
    what the reader should do now. transport, blocked, latency (seconds until sound handed to the browser's audio
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
        self._widget, self._notify = widget, notify
        self._transports = list(transports)
        self._answer_within, self._open_within = answer_within, open_within
        self._call = ""
        self._page: dict[str, Any] | None = None
        self._gone = False
        self._sides: set[Side] = set()
        self._socket: SoundSocket | None = None
        self._awaited: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._turn = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        widget.on_msg(self._on_message)

    async def open(self, side: Side) -> None:
        """Returns when the page has opened `side`. Raises DeviceError."""
        async with self._turn:
            if side in self._sides:
                return
            try:
                if self._page is None:
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
            self._tell("play", buffers=[samples])
        elif self._socket is not None:
            self._socket.send(samples)

    def control(self, kind: Literal["end", "flush"]) -> None:
        """end: nothing follows at once. flush: forget what is unheard. In order with what was played."""
        if self.transport == "messages":
            self._tell(kind)
        elif self._socket is not None:
            self._socket.send(json.dumps({"sound": kind}))

    # -- opening and closing --------------------------------------------------------------------

    async def _meet(self) -> None:
        """Find the page, by asking until one answers: its script may still be loading."""
        self._loop, self._call = asyncio.get_running_loop(), secrets.token_hex(8)
        self.transport, self.blocked, self.underruns, self.lowest, self._gone = None, False, 0, None, False
        deadline = time.monotonic() + self._answer_within
        while self._page is None:
            self._widget.send({"sound": "ask", "call": self._call})
            try:
                self._page = await self._answer("here", min(_ASK_EVERY, self._answer_within))
            except TimeoutError:
                if time.monotonic() >= deadline:
                    raise failures.absent(self._answer_within) from None
        if not self._page["secure"]:
            raise failures.insecure(self._page["origin"])
        if self._page["origin"] != "null" and set(self._transports) - {"messages"}:  # any sandboxed frame is "null"
            self._socket = SoundSocket(self._page["origin"], self._frame_came, self._socket_gone)
            await asyncio.to_thread(self._socket.start)

    async def _open(self, side: Side) -> None:
        way = {"port": self._socket.port, "token": self._socket.token} if self._socket else {"port": 0, "token": ""}
        self._tell("open", side=side, buffer=BUFFER, transports=self._transports, **way)
        try:
            answer = await self._answer(f"opened {side}", self._open_within)
        except TimeoutError:
            raise failures.unopened(side, self._open_within, self.blocked) from None
        if answer["sound"] == "failed":
            raise failures.failed(side, answer["error"], answer["message"])
        self.transport = answer["transport"]
        self.latency = max(self.latency, answer["latency"])

    async def _close(self, side: Side) -> None:
        self._sides.discard(side)
        if self._page is not None:
            self._tell("close", side=side)
            if not self._gone:
                await self._closed(side)
        if not self._sides:
            socket, self._socket, self._page = self._socket, None, None
            if socket is not None:
                await asyncio.to_thread(socket.stop)

    async def _closed(self, side: Side) -> None:
        try:
            await self._answer(f"closed {side}", _CLOSE_WITHIN)
        except TimeoutError:
            self._gone = True  # a closed page's browser has released everything

    async def _answer(self, kind: str, within: float) -> dict[str, Any]:
        self._awaited[kind] = future = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(within):
                return await future
        finally:
            del self._awaited[kind]

    def _tell(self, kind: str, buffers: list[bytes] | None = None, **more: Any) -> None:
        page = self._page["page"] if self._page else None
        self._widget.send({"sound": kind, "call": self._call, "page": page, **more}, buffers)

    # -- what the page says ---------------------------------------------------------------------

    def _on_message(self, _widget: Any, content: Any, buffers: list[Any]) -> None:
        """On any thread."""
        if isinstance(content, dict) and content.get("sound") and content.get("call") == self._call:
            self._hop(self._take, content, [bytes(part) for part in buffers or []], time.time())

    def _frame_came(self, frame: bytes, at: float) -> None:
        self._hop(self._deliver, frame, at)

    def _socket_gone(self) -> None:
        self._hop(self._disconnected)

    def _hop(self, take: Callable[..., None], *values: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(take, *values)

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
        elif kind == "here":
            self._settle(kind, message)
        elif kind in ("opened", "failed"):
            self._settle(f"opened {message['side']}", message)
        elif kind == "closed":
            self.underruns = message["underruns"]
            self._settle(f"closed {message['side']}", message)

    def _settle(self, kind: str, message: dict[str, Any]) -> None:
        if (future := self._awaited.get(kind)) is not None and not future.done():
            future.set_result(message)

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
