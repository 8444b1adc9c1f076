"""When the recognizer decodes, how thoroughly, and what becomes of decodes that are late, empty or broken."""

from __future__ import annotations

import asyncio

import pytest

from lkcook import pcm
from lkcook.engines.recognizer import Heard
from tests.scripted_engines import Asked, Listener, ScriptedEngine
from tests.speech import say

BEFORE, AFTER = 0.6, 1.0  # seconds of silence
BOOKING = say(BEFORE, "I would like to book a table for four people tomorrow evening.", AFTER)
BOOKING_ENDS = len(BOOKING) / 16_000 - AFTER
MIDDLE = round((BEFORE + 1.5) * 16_000)
YES = say(BEFORE, "Yes, please do.", AFTER)


def only_thoroughly(asked: Asked) -> str:
    """A decode that runs away unless it takes its time."""
    return "at last" if asked.thorough else ""


async def test_the_language_is_handed_on_and_can_change() -> None:
    listener = Listener(language="de")
    await listener.hear(YES)
    listener.recognizer.language = None
    await listener.hear(YES)
    assert [asked.language for asked in (listener.behind(told) for told in listener.all("final"))] == ["de", None]


async def test_one_decode_at_a_time_while_the_caller_speaks() -> None:
    listener = Listener(ScriptedEngine(hold=True, in_turn=False))
    await listener.hear(BOOKING[:MIDDLE])
    assert len(listener.engine.asked) == 1
    await listener.release()
    assert len(listener.engine.asked) == 2 and listener.all("interim")


async def test_no_guess_is_asked_of_an_engine_that_works_for_somebody_else() -> None:
    listener = Listener()
    listener.engine.occupied = True
    await listener.hear(BOOKING)
    (final,) = listener.all("final")
    assert listener.engine.asked == [listener.behind(final)] and listener.behind(final).thorough
    assert listener.kinds() == ["speech_started", "final"]


async def test_audio_that_arrives_in_one_burst_is_not_decoded_again_and_again() -> None:
    listener = Listener()
    await listener.hear(BOOKING, step=len(BOOKING))
    (final,) = listener.all("final")
    assert final.heard.start + listener.behind(final).seconds > BOOKING_ENDS
    assert len(listener.engine.asked) <= 2


async def test_finals_come_in_spoken_order_even_if_their_decodes_end_in_another() -> None:
    engine = ScriptedEngine(hold=True, in_turn=False)
    listener = Listener(engine)
    for _ in range(3):
        await listener.hear(YES)
    await listener.until(lambda: [asked.thorough for asked in engine.held].count(True) == 3)

    lasts = [asked for asked in engine.held if asked.thorough]
    for asked in reversed(lasts):
        assert not listener.all("final")
        await listener.release(asked)
    await listener.recognizer.finalize()
    finals = listener.all("final")
    assert [listener.behind(told) for told in finals] == lasts
    assert [told.heard.start for told in finals] == [told.heard.start for told in listener.all("speech_started")]
    await listener.release()


async def test_a_decode_that_ran_away_is_repeated_thoroughly_in_the_pause_and_only_once() -> None:
    listener = Listener(ScriptedEngine(only_thoroughly))
    await listener.hear(BOOKING)
    *guesses, last = listener.engine.asked
    assert last.thorough and not any(asked.thorough for asked in guesses)
    assert listener.kinds() == ["speech_started", "preflight", "final"]
    assert listener.told[1].at > BOOKING_ENDS and listener.told[-1].text == "at last"


@pytest.mark.parametrize("latency", [0, 3, 6, 12, 25])
async def test_no_decode_is_thorough_while_the_caller_still_speaks(latency: int) -> None:
    listener = Listener(ScriptedEngine(only_thoroughly, hold=True), latency=latency)
    await listener.hear(BOOKING)
    await listener.release()
    await listener.recognizer.finalize()
    thorough = [asked.seconds for asked in listener.engine.asked if asked.thorough]
    assert thorough and all(listener.told[0].heard.start + seconds > BOOKING_ENDS for seconds in thorough)
    assert listener.all("final")[-1].text == "at last"


async def test_what_was_understood_is_never_decoded_thoroughly_again() -> None:
    listener = Listener(latency=3)
    await listener.hear(BOOKING)
    assert not any(asked.thorough for asked in listener.engine.asked)


async def test_a_thorough_decode_that_finds_nothing_is_final() -> None:
    listener = Listener(ScriptedEngine(lambda asked: ""))
    await listener.hear(BOOKING)
    assert listener.kinds() == ["speech_started", "final"] and listener.told[-1].text == ""
    assert [asked.thorough for asked in listener.engine.asked].count(True) == 1


@pytest.mark.parametrize("ended_by", ["silence", "finalize"])
async def test_a_decode_that_runs_away_after_the_utterance_has_ended_is_repeated_too(ended_by: str) -> None:
    engine = ScriptedEngine(only_thoroughly)
    listener = Listener(engine)
    dip = len(BOOKING) - 16_000 + 1600  # the decode at the dip after the last word is under way
    engine.occupied = True
    await listener.hear(BOOKING[: dip - 1600])
    engine.occupied, engine.hold = False, True
    await listener.hear(BOOKING[dip - 1600 : dip])
    (guess,) = engine.held
    assert not guess.thorough

    if ended_by == "silence":
        await listener.hear(BOOKING[dip:])
        await listener.release()
    else:
        ending = asyncio.create_task(listener.recognizer.finalize())
        await listener.release()
        await ending
    assert [told.text for told in listener.all("final")] == ["at last"]
    assert [asked.thorough for asked in engine.asked] == [False, True]


async def test_closing_in_mid_decode_leaves_no_task_and_tells_nothing_more() -> None:
    before = asyncio.all_tasks()
    engine = ScriptedEngine(hold=True)
    listener = Listener(engine)
    await listener.hear(YES)  # its final is being decoded
    await listener.hear(BOOKING[:MIDDLE])
    assert engine.held and listener.tasks()
    told = list(listener.told)

    await listener.recognizer.aclose()
    assert asyncio.all_tasks() == before
    await listener.release()
    assert listener.told == told and asyncio.all_tasks() == before


async def test_closing_twice_or_before_anything_was_said_is_fine() -> None:
    listener = Listener()
    await listener.recognizer.aclose()
    await listener.hear(YES)
    await listener.recognizer.aclose()
    await listener.recognizer.aclose()
    assert listener.kinds()[-1] == "final"


async def test_a_final_decode_that_fails_is_reported_with_the_next_audio() -> None:
    def broken(asked: Asked) -> str:
        raise RuntimeError("out of memory")

    listener = Listener(ScriptedEngine(broken))
    listener.engine.occupied = True
    await listener.hear(YES[:-12_000])  # before the endpointing is over
    with pytest.raises(RuntimeError, match="out of memory"):
        await listener.hear(YES[-12_000:])
    with pytest.raises(RuntimeError, match="out of memory"):
        await listener.recognizer.finalize()


class SlowReader(Listener):
    """Takes in an interim transcript only when it is allowed to."""

    def __init__(self) -> None:
        super().__init__(ScriptedEngine(hold=True))
        self.reading, self.may_go_on = asyncio.Event(), asyncio.Event()

    async def _tell(self, heard: Heard) -> None:
        await super()._tell(heard)
        if heard.kind == "interim":
            self.reading.set()
            await self.may_go_on.wait()


async def test_a_slow_reader_is_told_nothing_of_an_utterance_after_its_final() -> None:
    listener = SlowReader()
    await listener.hear(BOOKING[:MIDDLE])
    (guess,) = listener.engine.held
    listener.engine.hold = False
    guess.released.set()
    await listener.reading.wait()
    await listener.recognizer.push(pcm.to_float(BOOKING[MIDDLE:]))
    await listener.recognizer.finalize()
    asked = len(listener.engine.asked)

    listener.may_go_on.set()
    await listener.settled()
    assert listener.kinds() == ["speech_started", "interim", "final"] and len(listener.engine.asked) == asked
