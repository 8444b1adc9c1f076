"""A page without a browser: does what browser.js does, as far as Python can tell, and calls back on another thread."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import numpy as np

ORIGIN = "http://localhost:8888"


def frame(samples: np.ndarray, number: int, at: float | None = None) -> bytes:
    """480 samples as the page packs them, the last of them captured at `at` (time.time(), None is now)."""
    return struct.pack("<dI", 1000 * (time.time() if at is None else at), number) + samples.astype("<i2").tobytes()


class Page:
    """A widget and the page that shows it.

    transport: how its sound travels. refuses: {side: name of a DOMException}. deaf: it answers nothing.
    played: what came for the speaker, in order: samples, "end", "flush". told: the control messages it was sent.
    """

    def __init__(
        self,
        transport: str = "messages",
        *,
        origin: str = ORIGIN,
        secure: bool = True,
        refuses: dict[str, str] | None = None,
        deaf: bool = False,
        latency: float = 0.0,
    ) -> None:
        self.transport, self.origin, self.secure, self.deaf, self.latency = transport, origin, secure, deaf, latency
        self.refuses = refuses or {}
        self.told: list[dict[str, Any]] = []
        self.open: set[str] = set()
        self.played: list[bytes | str] = []
        self.socket: aiohttp.ClientWebSocketResponse | None = None
        self._call, self._number = "", 0
        self._callbacks: list[Callable[[Any, Any, list[Any]], None]] = []
        self._moved = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "subshell")
        self._tasks: set[asyncio.Future[Any]] = set()
        self._client: aiohttp.ClientSession | None = None

    # -- what the kernel sees: a widget ---------------------------------------------------------

    def on_msg(self, callback: Callable[[Any, Any, list[Any]], None]) -> None:
        self._callbacks.append(callback)

    def send(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        self.told.append(content)
        if not self.deaf:
            self._start(self._answer(content, buffers or []))

    # -- what a test does with it ---------------------------------------------------------------

    def tell(self, sound: str, buffers: tuple[bytes, ...] = (), **more: Any) -> None:
        """A message of the page's."""
        self.say({"sound": sound, "call": self._call, "page": "p1", **more}, buffers)

    def say(self, content: Any, buffers: tuple[bytes, ...] = ()) -> None:
        """Any message of the widget's."""
        for callback in self._callbacks:
            self._start(
                asyncio.get_running_loop().run_in_executor(
                    self._thread, callback, self, content, [memoryview(part) for part in buffers]
                )
            )

    def speak(self, samples: np.ndarray, at: float | None = None, *, skip: int = 0) -> None:
        """480 samples into the microphone; `skip` frames before them get lost."""
        packed = frame(samples, self._number + skip, at)
        self._number += skip + 1
        if self.socket is None:
            self.tell("microphone", (packed,))
        else:
            self._start(self.socket.send_bytes(packed))

    @property
    def sound(self) -> np.ndarray:
        """Everything that came for the speaker."""
        return np.frombuffer(b"".join(part for part in self.played if isinstance(part, bytes)), np.int16)

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(40):
            while not condition():
                self._moved.clear()
                await self._moved.wait()

    async def vanish(self) -> None:
        """The tab is closed: its connection ends, and it answers no more."""
        self.deaf = True
        if self.socket is not None:
            await self.socket.close()

    async def aclose(self) -> None:
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()
        self._thread.shutdown()

    # -- how it works ---------------------------------------------------------------------------

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        kind, side = content["sound"], content.get("side", "")
        if kind == "ask":
            self._call = content["call"]
            self.tell("here", origin=self.origin, secure=self.secure)
        elif kind == "open" and side in self.refuses:
            self.tell("failed", side=side, error=self.refuses[side], message="the browser said so")
        elif kind == "open":
            if self.transport != "messages" and self.socket is None:
                await self._connect(content)
            self.open.add(side)
            self.tell("opened", side=side, transport=self.transport, rate=24_000, latency=self.latency)
        elif kind == "close":
            self.open.discard(side)
            if not self.open and self.socket is not None:
                await self.socket.close()
                self.socket = None
            self.tell("closed", side=side, underruns=0)
        else:
            self._play(buffers[0] if kind == "play" else kind)
        self._moved.set()

    async def _connect(self, content: dict[str, Any]) -> None:
        self._client = self._client or aiohttp.ClientSession()
        address = f"http://127.0.0.1:{content['port']}/{content['token']}"
        self.socket = await self._client.ws_connect(address, headers={"Origin": self.origin})
        assert json.loads(await self.socket.receive_str()) == {"sound": "connected"}
        self._start(self._listen(self.socket))

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        with contextlib.suppress(ConnectionError):
            async for message in socket:
                self._play(message.data if isinstance(message.data, bytes) else json.loads(message.data)["sound"])

    def _play(self, part: bytes | str) -> None:
        self.played.append(part)
        self._moved.set()
