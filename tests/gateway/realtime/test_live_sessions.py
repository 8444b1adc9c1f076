"""A session of GPT-Live: what it takes and refuses, what can be changed in it, and how it ends."""

from __future__ import annotations

import asyncio

import aiohttp
import numpy as np
import pytest

from lkcook.gateway.realtime.live_stream import FRAME
from tests.gateway.realtime.conftest import Gateway, encoded
from tests.gateway.realtime.live_client import ANSWER, BOOK, LONG, PATH, reach, start


async def test_the_backend_can_be_changed_and_nothing_else(gateway: Gateway) -> None:
    client = await start(gateway, delegation={"type": "responses", "responses": {"model": "gpt-5.6-luna", "max_output_tokens": 99}})
    await client.send("session.update", session={"delegation": {"type": "responses", "responses": {"tools": [BOOK]}}})
    await client.next("session.updated")
    for wrong in ({"voice": "cedar"}, {"delegation": {"type": "client"}}, {}):
        await client.send("session.update", session=wrong, event_id="wrong")
        assert (await client.next("error"))["error"]["client_event_id"] == "wrong"
    await client.append("Book.")
    await client.heard(ANSWER)
    assert len(gateway.llm.asked[-1].tools) == 1 and gateway.llm.asked[-1].max_tokens == 99


async def test_a_session_ends_with_what_it_used(gateway: Gateway) -> None:
    client = await start(gateway)
    await client.silence(0.5)
    await client.send("session.close")
    closed = await client.next("session.closed")
    assert closed["reason"] == "close_requested" and closed["usage"]["seconds"] == pytest.approx(len(client.frames) * FRAME, abs=FRAME)
    assert (await client.ws.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_a_session_that_lasts_too_long_expires(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKCOOK_REALTIME_SESSION", "0.5")
    client = await start(gateway)
    assert (await client.next("session.closed"))["reason"] == "expired"


@pytest.mark.parametrize("model", ["gpt-live-1", "openai/gpt-live-1"])
async def test_ids_are_taken_with_and_without_their_provider_in_the_address_or_in_the_session(gateway: Gateway, model: str) -> None:
    for path in (f"/v1/live/sessions?model={model}", "/v1/live/sessions"):
        started = await (await reach(gateway, path)).begin(model=model)
        assert started["session"]["model"] == "openai/gpt-live-1"


async def test_an_unknown_model_or_one_that_fails_is_refused_before_the_socket_opens(gateway: Gateway) -> None:
    assert await _refused(gateway, "/v1/live/sessions?model=openai/gpt-live-9") == (404, "did you mean 'openai/gpt-live-1'?")
    await _fail(gateway, 429)
    status, why = await _refused(gateway, PATH)
    assert status == 429 and "quota" in why
    refused = await (await reach(gateway, "/v1/live/sessions")).begin(model="gpt-live-1")
    assert "quota" in refused["error"]["message"]


async def test_a_model_that_fails_later_says_so_and_the_stream_goes_on(gateway: Gateway) -> None:
    client = await start(gateway)
    await _fail(gateway, 503)
    await client.append("Say hello.")
    assert (await client.next("error"))["error"]["type"] == "server_error"
    await _fail(gateway)
    await client.append("Say hello.")
    await client.heard(ANSWER)


async def test_who_has_no_key_is_refused(gateway: Gateway) -> None:
    async with aiohttp.ClientSession() as nobody, nobody.get(gateway.server.make_url(PATH)) as refused:
        assert refused.status == 401


async def test_a_client_that_does_not_read_loses_sound_and_costs_no_memory(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lkcook.gateway.realtime.live_session._MOST_WAITING", 0)
    client = await start(gateway)
    await asyncio.sleep(0.3)
    await client.send("session.close")
    assert (await client.next("session.closed"))["usage"]["seconds"] > 0.2 and not client.frames


async def test_a_client_that_leaves_in_the_middle_of_an_answer_leaves_nothing_behind(gateway: Gateway) -> None:
    gateway.llm.replies = [LONG]
    client = await start(gateway)
    await client.append("Tell me a story.")
    await client.heard("This")
    await client.send("session.input_audio.append", audio=encoded(np.zeros(240, np.int16)))
    await client.ws.close()
    async with asyncio.timeout(40):
        while gateway.llm.under_way:
            await asyncio.sleep(0.01)


async def _fail(gateway: Gateway, status: int = 0) -> None:
    body = {"models": ["openai/gpt-live-1"], "status": status} if status else {"models": []}
    async with gateway.http().put(gateway.server.make_url("/failing"), json=body) as answer:
        assert answer.status == 200


async def _refused(gateway: Gateway, path: str) -> tuple[int, str]:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await gateway.socket(path)
    return refusal.value.status, refusal.value.headers["x-refused"].partition("; ")[2] or refusal.value.headers["x-refused"]
