"""What a reader meets when things break in the middle of a call: words, the transcript so far, and a next call that works."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from lkcook import CallError, talk
from lkcook.gateway import process
from lkcook.terminal import ava, new_session

QUESTION = "What are your opening hours?"

CELL = f"""
import lkcook
from lkcook.terminal import ava, new_session
lkcook.setup("embedded")
call = await lkcook.talk(new_session(), ava(), [{QUESTION!r}] * 20, caller="script")
"""
LATER = """
print(len(call.transcript) >= 3, call.recording.samples.any(), call.ended_at is not None)
again = await lkcook.talk(new_session(), ava(), ["Do you serve Italian food?"], caller="script")
print(again.transcript.by("caller"))
"""


async def test_a_gateway_killed_in_mid_call_is_reported_and_the_next_call_works() -> None:
    killed: list[int] = []

    def kill_when_answered(kind: str, payload: Any) -> None:
        if kind == "user" and not killed:
            gateway = process.running()
            assert gateway is not None
            killed.append(gateway.pid)
            os.kill(gateway.pid, signal.SIGKILL)

    with pytest.raises(CallError) as caught:
        await talk(new_session(), ava(), [QUESTION] * 3, caller="script", on_event=kill_when_answered)
    error = caught.value
    assert error.stage in ("speech to text", "language model", "text to speech") and "setup()" in error.remedy
    assert error.call.transcript.by("caller") == [QUESTION]
    assert error.call.transcript.by("agent") and error.call.recording.samples.any(axis=0).all()

    call = await talk(new_session(), ava(), [QUESTION], caller="script")
    assert "10" in call.transcript.by("agent")[-1]
    assert process.running().pid != killed[0]


async def test_a_stopped_cell_keeps_its_call_and_the_next_cell_talks_again() -> None:
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        answered = asyncio.Event()
        loop = asyncio.get_running_loop()

        def look(message: dict[str, Any]) -> None:
            content = message["content"]
            text = content.get("data", {}).get("text/plain", "") + content.get("text", "")
            if text.count("agent ") >= 2:  # the live view: a greeting and an answer
                loop.call_soon_threadsafe(answered.set)

        running = asyncio.create_task(
            asyncio.to_thread(client.execute_interactive, CELL, allow_stdin=False, output_hook=look, timeout=120)
        )
        await asyncio.wait([running, asyncio.create_task(answered.wait())], return_when=asyncio.FIRST_COMPLETED)
        assert answered.is_set(), running.result()
        manager.interrupt_kernel()
        reply = await running
        assert reply["content"]["status"] == "ok", reply["content"]

        said: list[str] = []
        reply = await asyncio.to_thread(
            client.execute_interactive,
            LATER,
            allow_stdin=False,
            timeout=120,
            output_hook=lambda message: said.append(message["content"].get("text", "")),
        )
        assert reply["content"]["status"] == "ok", reply["content"]
        assert "".join(said).splitlines() == ["True True True", "['Do you serve Italian food?']"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("wrong, stage", [("stt", "speech to text"), ("llm", "language model"), ("tts", "text to speech")])
async def test_a_model_that_does_not_exist_is_refused_at_its_stage_with_the_nearest_name(wrong: str, stage: str) -> None:
    names = {"stt": "deepgram/nova-33", "llm": "openai/gpt-4.1-mimi", "tts": "cartesia/sonic-33"}
    nearest = {"stt": "deepgram/nova-3", "llm": "openai/gpt-4.1-mini", "tts": "cartesia/sonic-3"}
    with pytest.raises(CallError) as caught:
        await talk(new_session(**{wrong: names[wrong]}), ava(), [QUESTION], caller="script")
    assert caught.value.stage == stage and nearest[wrong] in str(caught.value)
