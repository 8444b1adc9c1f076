"""The short way for the browser's sound: a WebSocket server of the call's own, on a thread of its own.

Whoever can talk to it can listen in, so it is bound to 127.0.0.1 and demands two things: a random token, told to
the page over Jupyter's authenticated channel, and that page's Origin. The token keeps other users of the machine
out, the Origin other web pages in the same browser. jupyter-server-proxy hands the browser's Origin on unchanged
(and checks it and the login itself), so the same two checks hold behind it.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

LIMIT = 4096  # bytes a message may have; a frame has 972
_HEARTBEAT = 5.0  # seconds between pings: a laptop that is shut says no goodbye
_STOP_WITHIN = 5.0

OnFrame = Callable[[bytes, float], None]
"""on_frame(a frame of the microphone as browser.js packs it, time.time() when it came)"""


class SoundSocket:
    """One page's connection. `on_frame` and `on_gone` are called on the socket's thread.

    origin: the Origin of the page that may connect, such as "http://localhost:8888".
    """

    def __init__(self, origin: str, on_frame: OnFrame, on_gone: Callable[[], None]) -> None:
        self.port = 0
        self.token = secrets.token_urlsafe(32)
        self._origin = origin
        self._on_frame, self._on_gone = on_frame, on_gone
        self._peer: web.WebSocketResponse | None = None
        self._outbox: asyncio.Queue[bytes | str] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._bound = threading.Event()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="lkcook-browser-sound", daemon=True)

    def start(self) -> None:
        """Listen on a free port; returns when `port` is known. Raises OSError. Blocks briefly."""
        self._thread.start()
        self._bound.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def send(self, message: bytes | str) -> None:
        """Hand samples or a control message (JSON) to the page, from any thread; nothing happens without a page."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, message)

    def stop(self) -> None:
        """Disconnect and end the thread. May be called twice. Blocks briefly."""
        if self._loop is not None and not self._loop.is_closed():
            assert self._stopping is not None
            self._loop.call_soon_threadsafe(self._stopping.set)
        if self._thread.is_alive():
            self._thread.join(_STOP_WITHIN)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application()
        app.router.add_get("/{token}", self._connect)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.port = runner.addresses[0][1]
            self._bound.set()
            await self._stopping.wait()
            if self._peer is not None:
                await self._peer.close()
        except OSError as error:
            self._failure = error
        finally:
            self._bound.set()
            await runner.cleanup()

    async def _connect(self, request: web.Request) -> web.WebSocketResponse:
        if request.headers.get("Origin") != self._origin:
            raise web.HTTPForbidden(text="another page's Origin")
        if not hmac.compare_digest(request.match_info["token"].encode(), self.token.encode()):
            raise web.HTTPNotFound()
        if self._peer is not None:
            raise web.HTTPConflict(text="a page is connected already")
        self._peer = peer = web.WebSocketResponse(max_msg_size=LIMIT, heartbeat=_HEARTBEAT, compress=False)
        self._outbox = asyncio.Queue()
        sending: asyncio.Task[None] | None = None
        try:
            await peer.prepare(request)
            await peer.send_str(json.dumps({"sound": "connected"}))
            sending = asyncio.create_task(self._send_all(peer))
            await self._receive_all(peer)
        finally:
            self._peer = None
            if sending is not None:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
            self._on_gone()
        return peer

    async def _receive_all(self, peer: web.WebSocketResponse) -> None:
        async for message in peer:
            if message.type is WSMsgType.BINARY:
                self._on_frame(message.data, time.time())

    async def _send_all(self, peer: web.WebSocketResponse) -> None:
        while True:
            message: Any = await self._outbox.get()
            try:
                await (peer.send_bytes(message) if isinstance(message, bytes) else peer.send_str(message))
            except ConnectionError:
                return  # _receive_all sees the end, too, and tells of it

    def _put(self, message: bytes | str) -> None:
        if self._peer is not None:
            self._outbox.put_nowait(message)
