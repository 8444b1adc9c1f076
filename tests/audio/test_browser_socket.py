"""The browser's sound arrives over the socket, from the one page that may, and nothing is left of it afterwards."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator

import aiohttp
import pytest

from lkcook.audio.browser_socket import LIMIT, SoundSocket

ORIGIN = "http://localhost:8888"


class Served:
    """A running SoundSocket, what it heard, and a page that connects to it."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[bytes] = asyncio.Queue()
        self.gone = asyncio.Event()
        loop = asyncio.get_running_loop()
        self.socket = SoundSocket(
            ORIGIN,
            lambda frame, at: loop.call_soon_threadsafe(self.frames.put_nowait, frame) and None,
            lambda: loop.call_soon_threadsafe(self.gone.set) and None,
        )
        self.socket.start()
        self.client = aiohttp.ClientSession()

    async def page(self, token: str | None = None, origin: str | None = ORIGIN) -> aiohttp.ClientWebSocketResponse:
        address = f"http://127.0.0.1:{self.socket.port}/{self.socket.token if token is None else token}"
        headers = {} if origin is None else {"Origin": origin}
        return await self.client.ws_connect(address, headers=headers)

    async def status(self, **wrong: str | None) -> int:
        """The status with which a page is refused."""
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await self.page(**wrong)
        return refused.value.status


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    served = Served()
    async with asyncio.timeout(20):
        yield served
    await served.client.close()
    await asyncio.to_thread(served.socket.stop)


async def test_sound_flows_both_ways_in_order(served):
    page = await served.page()
    assert json.loads(await page.receive_str()) == {"sound": "connected"}
    sent = [bytes([number]) * 972 for number in range(50)]
    for frame in sent:
        await page.send_bytes(frame)
        served.socket.send(frame)
    served.socket.send('{"sound": "flush"}')
    assert [await served.frames.get() for _ in sent] == sent
    assert [await page.receive_bytes() for _ in sent] == sent
    assert await page.receive_str() == '{"sound": "flush"}'


@pytest.mark.parametrize(
    "origin",
    [None, "", "null", "https://evil.example", "http://localhost:8889", "https://localhost:8888", f"{ORIGIN}.evil.example"],
)
async def test_other_pages_are_refused_although_they_know_the_token(served, origin):
    assert await served.status(origin=origin) == 403
    await served.page()  # and the right one is not kept out by them


@pytest.mark.parametrize("token", ["wrong", "é", "x" * 43])
async def test_a_wrong_token_is_refused(served, token):
    assert await served.status(token=token) == 404


async def test_no_token_is_refused(served):
    assert await served.status(token="") == 404


async def test_a_second_page_is_refused_while_the_first_is_there(served):
    first = await served.page()
    assert await served.status() == 409
    await first.close()
    await served.gone.wait()
    assert json.loads(await (await served.page()).receive_str()) == {"sound": "connected"}


async def test_a_page_that_sends_too_much_at_once_is_disconnected(served):
    page = await served.page()
    await page.receive_str()
    await page.send_bytes(bytes(LIMIT + 1))
    assert (await page.receive()).type is aiohttp.WSMsgType.CLOSE and page.close_code == 1009
    assert served.frames.empty()


async def test_a_page_that_goes_is_noticed(served):
    page = await served.page()
    await page.receive_str()
    page._response.connection.transport.abort()  # no goodbye, as when a tab crashes
    await served.gone.wait()


async def test_it_is_bound_to_this_machine_alone_and_its_tokens_differ(served):
    other = SoundSocket(ORIGIN, lambda frame, at: None, lambda: None)
    assert other.token != served.socket.token and len(other.token) >= 43
    with socket.socket() as probe, pytest.raises(OSError):
        probe.settimeout(2)
        probe.connect(("127.0.0.2", served.socket.port))  # any address of this machine but the one


async def test_stopping_disconnects_the_page_and_ends_the_thread(served):
    page = await served.page()
    await page.receive_str()
    for _ in range(2):
        await asyncio.to_thread(served.socket.stop)
    assert (await page.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    assert not [thread for thread in threading.enumerate() if thread.name == "lkcook-browser-sound"]
    served.socket.send(b"late")  # nobody is there, and nothing happens
    with pytest.raises(OSError):
        await served.page()
