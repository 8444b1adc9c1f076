"""/v1/eot, message by message: what the model is asked, and who is answered."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from livekit.protocol.agent_pb import agent_inference as wire

from lkcook.gateway.end_of_turn_heard import without_silence
from tests.gateway.end_of_turn.conftest import RATE, Dial, Judge, no_task_is_left


def sound(seconds: float) -> np.ndarray:
    return np.full(int(seconds * RATE), 1000, np.int16)


async def until_asked(judge: Judge, times: int) -> None:
    async with asyncio.timeout(40):
        while len(judge.asked) < times:
            await asyncio.sleep(0.005)


async def test_the_answer_names_the_question_and_when_its_sound_was_made(dial: Dial, judge: Judge) -> None:
    client, first, last = await dial(), Timestamp(seconds=1_000), Timestamp(seconds=1_001)
    await client.hear(sound(0.5), created_at=first)
    await client.hear(sound(0.5), created_at=last)
    await client.ask("mine")
    answer = await client.next("eot_prediction")
    stats = answer.eot_prediction.inference_stats
    assert answer.request_id == "mine" and answer.eot_prediction.probability == pytest.approx(0.7)
    assert (stats.earliest_client_created_at, stats.latest_client_created_at) == (first, last)
    assert stats.client_e2e_latency.seconds > 1_000_000  # since the year 1970, so to speak
    server, model = stats.server_e2e_latency.ToMicroseconds(), stats.inference_duration.ToMicroseconds()
    assert stats.preprocessing_duration.ToMicroseconds() + model <= server + 2
    assert len(judge.asked[0]) == RATE and judge.asked[0].dtype == np.float32


async def test_a_question_before_any_sound_is_answered(dial: Dial, judge: Judge) -> None:
    client = await dial()
    await client.ask("early")
    answer = await client.next("eot_prediction")
    assert len(judge.asked[0]) == 0 and not answer.eot_prediction.inference_stats.HasField("latest_client_created_at")


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
async def test_the_last_eight_seconds_are_heard_at_16_khz(dial: Dial, judge: Judge, rate: int) -> None:
    client = await dial(rate=rate)
    for _ in range(20):
        await client.hear(np.full(rate // 2, 1000, np.int16))
    await client.ask("long")
    await client.next("eot_prediction")
    assert len(judge.asked[0]) == 8 * RATE


async def test_a_flush_forgets_what_was_heard(dial: Dial, judge: Judge) -> None:
    client = await dial()
    await client.hear(sound(2.0))
    await client.send(session_flush=wire.SessionFlush())
    await client.hear(sound(0.3))
    await client.ask("next turn")
    await client.next("eot_prediction")
    assert len(judge.asked[0]) == int(0.3 * RATE)


async def test_the_newest_question_takes_the_place_of_one_that_waits(dial: Dial, judge: Judge) -> None:
    client = await dial()
    judge.go.clear()
    await client.ask("first")
    await until_asked(judge, 1)
    await client.ask("superseded")
    await client.hear(sound(0.2))
    await client.ask("newest")
    await client.hear(sound(0.2))
    await client.send(inference_stop=wire.InferenceStop(request_id="another"))
    await client.next("inference_stopped")  # all of it has arrived
    judge.go.set()
    assert [(await client.next("eot_prediction")).request_id for _ in range(2)] == ["first", "newest"]
    assert [len(heard) for heard in judge.asked] == [0, int(0.2 * RATE)]


async def test_a_waiting_question_can_be_withdrawn(dial: Dial, judge: Judge) -> None:
    client = await dial()
    judge.go.clear()
    await client.ask("first")
    await until_asked(judge, 1)
    await client.ask("withdrawn")
    await client.send(inference_stop=wire.InferenceStop(request_id="withdrawn"))
    assert (await client.next("inference_stopped")).request_id == "withdrawn"
    judge.go.set()
    await client.next("eot_prediction")
    await client.ask("last")
    assert (await client.next("eot_prediction")).request_id == "last"


async def test_a_model_that_fails_is_told_and_asked_again(dial: Dial, judge: Judge) -> None:
    client = await dial()
    judge.answer = lambda _: 1 / 0
    await client.ask("unlucky")
    failed = await client.next("error")
    assert (failed.request_id, failed.error.code) == ("unlucky", 500) and "division" in failed.error.message
    judge.answer = lambda _: 0.2
    await client.ask("again")
    assert (await client.next("eot_prediction")).request_id == "again"


async def test_two_callers_do_not_hear_each_other(dial: Dial, judge: Judge) -> None:
    one, other = await dial(), await dial()
    await one.hear(sound(1.0))
    await other.ask("silent")
    await other.next("eot_prediction")
    assert len(judge.asked[0]) == 0


async def test_a_session_ends_when_the_client_says_so(dial: Dial) -> None:
    client = await dial()
    await client.send(session_close=wire.SessionClose())
    await client.next("session_closed")
    await client.closed()


async def test_a_client_that_vanishes_leaves_nothing_behind(dial: Dial, judge: Judge) -> None:
    client = await dial()
    judge.go.clear()
    await client.ask("never heard")
    await until_asked(judge, 1)
    client.ws._response.connection.transport.abort()
    await no_task_is_left()
    judge.go.set()
    other = await dial()
    await other.ask("fine")
    await other.next("eot_prediction")


@pytest.mark.parametrize("silence, heard", [(0.0, 0.0), (0.05, 0.05), (0.33, 0.1), (0.5, 0.1), (2.0, 1.6)])
def test_of_the_silence_after_the_last_sound_a_tenth_of_a_second_is_heard(silence: float, heard: float) -> None:
    samples = np.concatenate([np.full(RATE, 0.2, np.float32), np.zeros(round(silence * RATE), np.float32)])
    assert len(without_silence(samples)) / RATE - 1 == pytest.approx(heard, abs=0.033)


def test_where_nothing_is_silent_nothing_is_cut() -> None:
    for samples in (np.zeros(RATE, np.float32), np.zeros(0, np.float32), np.full(1000, 0.1, np.float32)):
        assert len(without_silence(samples)) == len(samples)
