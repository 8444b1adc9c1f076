"""What arrived is told to the one who sent it, without secrets; and models fail for whoever asked for it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import aiohttp
import pytest
from livekit.agents import function_tool, inference
from livekit.agents.inference._utils import QUOTA_HEADER_FIELDS

import lkcook
from lkcook import backend
from lkcook.gateway import process
from lkcook.gateway.address import Address
from tests.gateway.conftest import token
from tests.speech import say

pytestmark = pytest.mark.usefixtures("embedded")
HELLO = "Hello, is there a table for two?"


def _clip() -> lkcook.Clip:
    return lkcook.Clip(say(HELLO), 16_000)


async def test_a_request_arrives_as_it_was_written_and_its_headers_too() -> None:
    model = inference.LLM("openai/gpt-5-mini", provider="openai", extra_kwargs={"reasoning_effort": "low"})
    answer = await lkcook.ask(model, "Say yes.")
    (request,) = answer.requests
    assert request.stage == "language model" and request.model == request.answered_by == "openai/gpt-5-mini"
    assert request.message["reasoning_effort"] == "low" and request.message["messages"][-1]["content"] == "Say yes."
    assert request.headers == {"x-livekit-inference-provider": "openai"}
    assert request.notes == (
        "reasoning_effort: only the cloud honours it",
        "provider: only the cloud honours it",
    )


async def test_what_the_client_drops_does_not_arrive() -> None:
    sampling = {"temperature": 0.2, "top_p": 0.9, "max_completion_tokens": 4}
    arrived = {}
    for model in ("openai/gpt-4.1-mini", "openai/gpt-5"):
        answer = await lkcook.ask(inference.LLM(model, extra_kwargs=sampling), "Say yes.")
        arrived[model] = set(sampling) & set(answer.requests[0].message)
    assert arrived == {"openai/gpt-4.1-mini": set(sampling), "openai/gpt-5": {"max_completion_tokens"}}


async def test_reasoning_effort_is_dropped_by_the_client_when_there_are_tools() -> None:
    @function_tool
    async def nothing() -> None:
        """Do nothing."""

    for tools, kept in (([], True), ([nothing], False)):
        model = inference.LLM("openai/gpt-5.2", extra_kwargs={"reasoning_effort": "low"})
        answer = await lkcook.ask(model, "Say yes.", tools=tools)
        assert ("reasoning_effort" in answer.requests[0].message) is kept


async def test_sound_is_not_kept_and_secrets_are_not_shown(http: aiohttp.ClientSession) -> None:
    await lkcook.hear("deepgram/nova-3:en", _clip())
    body = {"model": "openai/gpt-4.1-mini", "messages": [{"role": "user", "content": "x"}], "max_tokens": 1}
    since = time.time()
    async with http.post("/v1/chat/completions", json={**body, "api_key": "sk-123", "user": "me"}) as response:
        assert response.status == 200
    async with http.get("/requests", params={"since": since}) as response:
        (record,) = (await response.json())["requests"]
    assert record["message"]["api_key"] == "•••" and record["message"]["user"] == "me"
    assert "authorization" not in {name.lower() for name in record["headers"]}


async def test_one_process_does_not_see_what_another_sent(address: Address) -> None:
    since = time.time()
    await lkcook.ask("openai/gpt-4.1-mini", "Say yes.")
    assert len(backend.requests(since)) == 1
    stranger = {"Authorization": f"Bearer {token(address, iss=f'{address.api_key}.stranger')}"}
    async with aiohttp.ClientSession(address.url.removesuffix("/v1"), headers=stranger) as session:
        async with session.get("/requests") as response:
            assert (await response.json()) == {"requests": []}


async def test_a_failing_recogniser_is_replaced_by_its_fallback_and_comes_back() -> None:
    def recogniser() -> inference.STT:
        return inference.STT("deepgram/nova-3", language="en", fallback=["assemblyai/universal-streaming:en"])

    with lkcook.failing("deepgram/nova-3"):
        rescued = await lkcook.hear(recogniser(), _clip())
    assert "table for two" in rescued.text
    assert [text for _, text in rescued.requests.switches] == [
        "deepgram/nova-3 fails; assemblyai/universal-streaming answers"
    ]
    healthy = await lkcook.hear(recogniser(), _clip())
    assert healthy.requests.switches == [] and healthy.requests[0].answered_by == "deepgram/nova-3"


async def test_without_a_fallback_a_failing_model_breaks_the_call_with_what_to_do() -> None:
    with lkcook.failing("deepgram/nova-3", "openai/gpt-4.1-mini", "cartesia/sonic-3"):
        for attempt in (
            lkcook.hear("deepgram/nova-3:en", _clip()),
            lkcook.ask("openai/gpt-4.1-mini", "Hello"),
            lkcook.say("cartesia/sonic-3", "Hello, who is there?"),
        ):
            with pytest.raises(lkcook.CallError, match="fails as it was told to") as broken:
                await attempt
            assert "fallback" in broken.value.remedy
    assert (await lkcook.ask("openai/gpt-4.1-mini", "Say yes.")).text


async def test_when_all_fallbacks_fail_nobody_answers() -> None:
    chain = inference.STT("deepgram/nova-3", fallback=["cartesia/ink-2", "assemblyai/universal-streaming"])
    with lkcook.failing("deepgram/nova-3", "cartesia/ink-2", "assemblyai/universal-streaming"):
        with pytest.raises(lkcook.CallError, match="deepgram/nova-3 fails"):
            await lkcook.hear(chain, _clip())


async def test_a_failing_voice_is_replaced_in_the_middle_of_a_connection() -> None:
    def voice() -> inference.TTS:
        return inference.TTS("cartesia/sonic-3", voice="", fallback=["deepgram/aura-2:apollo"])

    jacqueline = await lkcook.say(voice(), HELLO)
    with lkcook.failing("cartesia/sonic-3"):
        apollo = await lkcook.say(voice(), HELLO)
    assert lkcook.median_pitch(apollo.clip) < 0.75 * lkcook.median_pitch(jacqueline.clip)


async def test_a_fallback_that_does_not_exist_is_refused_before_it_is_needed() -> None:
    with pytest.raises(lkcook.CallError, match="cartesia/ink-whisper"):
        await lkcook.hear(inference.STT("deepgram/nova-3", fallback=["cartesia/ink"]), _clip())


async def test_a_used_up_quota_says_so_and_livekit_logs_how_much_was_used(caplog: pytest.LogCaptureFixture) -> None:
    await lkcook.ask("openai/gpt-4.1-mini", "Say yes.")
    with lkcook.failing("openai/gpt-4.1-mini", status=429):
        with pytest.raises(lkcook.CallError, match="429") as broken:
            await lkcook.ask("openai/gpt-4.1-mini", "Say yes.")
    assert "quota" in broken.value.remedy
    (logged,) = [record for record in caplog.records if "rate limited" in record.message]
    fields = {name: value for name, value in vars(logged).items() if name in QUOTA_HEADER_FIELDS.values()}
    assert len(fields) == 4 and all(int(value) > 0 for value in fields.values()), fields


async def test_the_headers_of_a_429_hold_what_was_really_used(http: aiohttp.ClientSession) -> None:
    body = {"model": "openai/gpt-4.1-nano", "messages": [{"role": "user", "content": "x"}], "max_tokens": 1}
    async with http.post("/v1/chat/completions", json=body) as answer:
        total = (await answer.json())["usage"]["total_tokens"]
    async with http.put("/failing", json={"models": ["openai/gpt-4.1-nano"], "status": 429}) as told:
        assert told.status == 200
    try:
        async with http.post("/v1/chat/completions", json=body) as refused:
            used = {name: int(refused.headers[f"X-LiveKit-Inference-{name}-Used"]) for name in ("RPM", "TPM")}
        assert refused.status == 429 and used["RPM"] >= 2 and used["TPM"] >= total
    finally:
        async with http.put("/failing", json={"models": []}):
            pass


@pytest.mark.parametrize("body", [{}, {"models": "x"}, {"models": [1]}, {"models": [], "status": 200}, [], None])
async def test_a_malformed_wish_to_fail_is_refused(http: aiohttp.ClientSession, body: object) -> None:
    async with http.put("/failing", json=body) as response:
        assert response.status == 400


async def test_lkcook_fail_fails_for_this_process_and_stops_when_it_is_unset(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "ensure", lambda: address)
    monkeypatch.setenv("LKCOOK_FAIL", "openai/gpt-4.1-nano, deepgram/nova-2")
    backend.refresh()
    with pytest.raises(lkcook.CallError, match="fails as it was told to"):
        await lkcook.ask("openai/gpt-4.1-nano", "Hello")
    monkeypatch.delenv("LKCOOK_FAIL")
    backend.refresh()
    assert (await lkcook.ask("openai/gpt-4.1-nano", "Say yes.")).text


def test_on_the_cloud_nothing_can_be_told_to_fail_and_no_request_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "_in_force", backend.Backend("cloud", "wss://x"))
    with pytest.raises(lkcook.CookError, match="Only the embedded gateway"), lkcook.failing("deepgram/nova-3"):
        pass
    assert backend.requests(0) == []


def test_a_gateway_started_by_a_notebook_does_not_inherit_its_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LKCOOK_RUNTIME", str(tmp_path))
    monkeypatch.setenv("LKCOOK_FAIL", "openai/gpt-4.1-nano")
    started = process.ensure()
    try:
        environ = Path(f"/proc/{started.pid}/environ")
        inherited = environ.read_bytes().decode().split("\0") if environ.exists() else []
        assert not any(entry.startswith("LKCOOK_FAIL=") for entry in inherited)
        assert os.environ["LKCOOK_FAIL"] == "openai/gpt-4.1-nano"
    finally:
        process.stop()
