"""Adaptive interruption: LiveKit's own detector hears from the gateway who interrupts, and is always answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from aiohttp import WSMsgType
from aiohttp.test_utils import TestClient
from livekit import rtc
from livekit.agents import inference
from livekit.agents.inference import interruption as sdk

from bench.noises import cough
from lkcook import pcm
from lkcook.engines.interruption import THRESHOLD, Judged
from lkcook.gateway.bargein import MODEL
from tests.gateway.scripted_interruption import CREATE, RATE, Scripted, gateway, opened, window
from tests.speech import say


async def overlap(sound: np.ndarray, **options: Any) -> sdk.OverlappingSpeechEvent:
    """What LiveKit's detector makes of int16 16 kHz `sound` over an agent's speech, as its session would ask it."""
    detector = inference.AdaptiveInterruptionDetector(**options)
    stream = detector.stream()
    room = np.random.default_rng(0).normal(0, 10, RATE).astype(np.int16)
    stream.push_frame(sdk._AgentSpeechStartedSentinel())
    for at in range(0, RATE, 800):
        stream.push_frame(frame(room[at : at + 800]))
    stream.push_frame(sdk._OverlapSpeechStartedSentinel(0.0, time.time()))
    first = asyncio.create_task(anext(stream))
    for at in range(0, len(sound) - 799, 800):
        stream.push_frame(frame(sound[at : at + 800]))
        await asyncio.wait([first], timeout=0.05)  # a microphone's pace
        if first.done():
            break
    stream.push_frame(sdk._OverlapSpeechEndedSentinel(time.time()))
    event = await first
    await stream.aclose()
    return event


def frame(samples: np.ndarray) -> rtc.AudioFrame:
    return rtc.AudioFrame(samples.tobytes(), RATE, 1, len(samples))


@pytest.mark.parametrize("words", ["Stop, wait a moment.", "No, I meant Tuesday.", "Excuse me, how much is it?"])
async def test_a_caller_who_wants_the_floor_interrupts(livekit_http: None, words: str) -> None:
    event = await overlap(say(words))
    assert event.is_interruption and event.probability >= THRESHOLD and event.num_requests >= 1


async def test_a_backchannel_does_not(livekit_http: None) -> None:
    assert not (await overlap(say("Mm-hmm.", 0.3))).is_interruption


async def test_a_cough_does_not(livekit_http: None) -> None:
    sound = cough(np.random.default_rng(7))
    assert not (await overlap(pcm.to_int16(0.3 * sound / np.abs(sound).max()))).is_interruption


async def test_a_threshold_of_the_clients_own_counts(livekit_http: None) -> None:
    assert (await overlap(say("Mm-hmm.", 0.3), threshold=0.0)).is_interruption


@pytest.fixture
def engine() -> Scripted:
    return Scripted()


@pytest.fixture
async def client(engine: Scripted) -> AsyncIterator[TestClient]:
    async with gateway(engine) as client:
        yield client


async def test_what_is_likely_and_long_enough_is_detected_and_told_for_each_frame(client: TestClient) -> None:
    ws = await opened(client)
    await ws.send_bytes(window(2**63 + 5))
    answer = await ws.receive_json()
    assert answer.pop("prediction_duration") > 0
    probabilities = [0.0] * 40 + [0.99] * 20
    assert answer == {"type": "bargein_detected", "created_at": 2**63 + 5, "probabilities": probabilities}


@pytest.mark.parametrize(
    "settings, judged",
    [
        ({}, Judged(THRESHOLD - 0.01, 0.5)),
        ({}, Judged(0.99, 0.025)),
        ({"min_frames": 30}, Judged(0.99, 0.5)),
        ({"threshold": 0.995}, Judged(0.99, 0.5)),
        ({}, Judged()),
    ],
    ids=["unlikely", "too short", "too short for this client", "unlikely for this client", "nothing heard"],
)
async def test_what_is_not_is_answered_all_the_same(
    client: TestClient, engine: Scripted, settings: dict[str, Any], judged: Judged
) -> None:
    engine.judged = judged
    ws = await opened(client, **settings)
    await ws.send_bytes(window(7))
    answer = await ws.receive_json()
    assert (answer["type"], answer["created_at"], len(answer["probabilities"])) == ("inference_done", 7, 60)
    sdk.InterruptionWSMessage.validate_python(answer)


async def test_of_windows_that_come_too_fast_the_newest_is_judged_and_each_is_answered(
    client: TestClient, engine: Scripted
) -> None:
    engine.go_on.clear()
    ws = await opened(client)
    await ws.send_bytes(window(1))
    await asyncio.to_thread(engine.begun.wait, 30)
    for number in (2, 3, 4):
        await ws.send_bytes(window(number))
    await ws.send_str("[]")  # its answer says that all four have arrived
    assert (await ws.receive_json())["type"] == "error"
    engine.go_on.set()
    answers = {answer["created_at"]: answer for answer in [await ws.receive_json() for _ in range(4)]}
    assert set(answers) == {1, 2, 3, 4} and len(engine.asked) == 2
    assert [answers[number]["type"] for number in (2, 3, 4)] == ["inference_done"] * 2 + ["bargein_detected"]
    assert answers[2]["probabilities"] == answers[3]["probabilities"] == []


async def test_while_the_engine_is_busy_elsewhere_the_answer_comes_before_the_client_gives_up(
    client: TestClient, engine: Scripted
) -> None:
    engine.go_on.clear()
    ws = await opened(client)
    await ws.send_bytes(window(1))
    answer = await ws.receive_json(timeout=30)  # the engine still holds it
    assert (answer["type"], answer["probabilities"]) == ("inference_done", [])


async def test_a_session_that_is_closed_has_answered_everything(client: TestClient) -> None:
    ws = await opened(client)
    await ws.send_bytes(window(1))
    await ws.send_json({"type": "session.close"})
    assert [(await ws.receive_json())["type"] for _ in range(2)] == ["bargein_detected", "session.closed"]
    assert (await ws.receive()).type is WSMsgType.CLOSE


async def test_the_session_is_in_the_request_log_and_fails_when_told_to(client: TestClient) -> None:
    await opened(client)
    (record,) = (await (await client.get("/requests")).json())["requests"]
    assert (record["stage"], record["model"], record["answered_by"]) == ("interruption", MODEL, MODEL)
    assert inference.AdaptiveInterruptionDetector(api_key="key", api_secret="x" * 32).model == MODEL
    await client.put("/failing", json={"models": [MODEL], "status": 503})
    async with client.ws_connect("/v1/bargein") as ws:
        await ws.send_json(CREATE)
        error = await ws.receive_json()
        assert error["code"] == 503 and MODEL in error["message"]
