"""A realtime conversation on scripted models: whose turn it is, told from sound, silence and the client."""

from __future__ import annotations

import asyncio
import threading
from itertools import pairwise

import numpy as np
import pytest

from lkcook.engines import end_of_turn
from lkcook.errors import WeightsError
from lkcook.gateway.realtime import events
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.realtime.settings import SemanticVAD, ServerVAD
from tests.gateway.realtime.scripted import MORNING, Talk, opened
from tests.scripted_engines import Asked


async def test_a_silence_ends_the_turn_and_it_is_answered_in_order() -> None:
    talk = await opened(Talk("Good morning to you. What can I do?"))
    await talk.hear(MORNING, 1.0)
    done = await talk.until(events.ResponseDone)
    turn = ["SpeechStopped", "Committed", "ItemAdded", "ItemDone", "Understood", "ResponseCreated"]
    answer = ["OutputAdded", "ItemAdded", "PartAdded", *["TextDelta", "AudioDelta"] * 2, "PartDone", "OutputDone"]
    assert talk.kinds() == ["SpeechStarted", "Hearing", *turn, *answer, "ItemDone", "ResponseDone"]
    assert done.response.status == "completed" and done.response.output[0].parts[0].text.startswith("Good morning to")
    assert [m["content"] for m in talk.llm.asked[-1].messages] == ["Good morning."]
    await talk.conversation.aclose()


async def test_the_answer_is_begun_in_the_pause_and_asked_for_only_once() -> None:
    talk = await opened(Talk(turns=ServerVAD(silence=3.0)))
    await talk.hear(MORNING, 1.0)
    assert len(talk.llm.asked) == 1 and not talk.all(events.ResponseCreated)
    await talk.hear(2.5)
    await talk.until(events.ResponseDone)
    assert len(talk.llm.asked) == 1
    await talk.conversation.aclose()


async def test_an_answer_begun_too_early_is_dropped_when_the_caller_goes_on() -> None:
    talk = await opened(Talk(hears=lambda asked: "Good morning." if asked.seconds < 2.6 else "Good morning, again."))
    talk.conversation.configure(talk.conversation.settings.__class__(turns=ServerVAD(silence=1.5)))
    talk.llm.go.clear()
    await talk.hear(MORNING, 0.8)
    assert talk.llm.under_way == 1
    await talk.hear("And once more, can you hear me?")
    assert talk.llm.under_way == 0
    talk.llm.go.set()
    await talk.hear(2.0)
    await talk.until(events.ResponseDone)
    assert len(talk.all(events.ResponseCreated)) == 1
    assert talk.llm.asked[-1].messages[-1]["content"] == "Good morning, again."
    await talk.conversation.aclose()


@pytest.mark.parametrize("likely, waits", [(0.9, (0.1, 0.7)), (0.05, (2.0, 4.2))])
async def test_semantic_turns_end_soon_when_they_sound_finished_and_late_when_not(
    monkeypatch: pytest.MonkeyPatch, likely: float, waits: tuple[float, float]
) -> None:
    monkeypatch.setattr(end_of_turn, "probability", lambda _: likely)
    talk = await opened(Talk(turns=SemanticVAD("medium")))
    await talk.hear(MORNING)
    spoken = talk.conversation._hearing.now
    await talk.hear(5.0)
    [stopped] = talk.all(events.SpeechStopped)
    assert waits[0] <= stopped.at - spoken <= waits[1], stopped.at - spoken
    await talk.conversation.aclose()


async def test_eagerness_is_how_long_an_unfinished_turn_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(end_of_turn, "probability", lambda _: 0.1)
    waits = []
    for eagerness in ("high", "medium", "low"):
        talk = await opened(Talk(turns=SemanticVAD(eagerness)))  # type: ignore[arg-type]
        await talk.hear(MORNING, 8.5)
        waits.append(talk.all(events.SpeechStopped)[0].at)
        await talk.conversation.aclose()
    assert waits[0] + 0.5 < waits[1] < waits[2] - 1.0


async def test_without_the_model_the_longest_wait_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: object) -> float:
        raise WeightsError("it is not here.", "Fetch it.")

    monkeypatch.setattr(end_of_turn, "probability", missing)
    talk = await opened(Talk(turns=SemanticVAD("high")))
    await talk.hear(MORNING)
    spoken = talk.conversation._hearing.now
    await talk.hear(2.5)
    [stopped] = talk.all(events.SpeechStopped)
    assert 1.7 <= stopped.at - spoken <= 2.3
    await talk.conversation.aclose()


async def test_the_answers_of_one_pause_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, heard = iter([0.2, 0.9, 0.9]), []

    def probability(samples: np.ndarray) -> float:
        heard.append(len(samples))
        return next(answers)

    monkeypatch.setattr(end_of_turn, "probability", probability)
    talk = await opened(Talk(turns=SemanticVAD("medium")))
    await talk.hear(MORNING, 1.5)
    [stopped] = talk.all(events.SpeechStopped)
    assert [round((more - fewer) / 16_000, 1) for fewer, more in pairwise(heard)] == [0.2, 0.2]
    assert stopped.at * 16_000 > heard[-1]
    await talk.conversation.aclose()


async def test_without_turn_detection_nothing_happens_before_the_client_says_so() -> None:
    talk = await opened(Talk(turns=None))
    await talk.hear(MORNING, 1.5)
    assert talk.told == []
    talk.conversation.commit()
    await talk.until(events.Understood)
    assert talk.kinds() == ["Committed", "ItemAdded", "ItemDone", "Understood"]
    talk.conversation.respond()
    await talk.until(events.ResponseDone)
    assert len(talk.all(events.ResponseCreated)) == 1
    await talk.conversation.aclose()


async def test_what_was_cut_up_by_pauses_is_committed_whole() -> None:
    counted = iter(range(100))
    talk = await opened(Talk(turns=None, hears=lambda _: f"piece {next(counted)}"))
    await talk.hear(MORNING, 1.0, "And now the second part.", 1.0, "And the third.")
    talk.conversation.commit()
    understood = await talk.until(events.Understood)
    assert understood.text.count("piece") == 3
    await talk.conversation.aclose()


async def test_an_answer_asked_for_at_once_waits_for_what_was_said() -> None:
    talk = await opened(Talk(turns=None))
    await talk.hear(MORNING)
    talk.conversation.commit()
    talk.conversation.respond()
    await talk.until(events.ResponseDone)
    assert talk.kinds()[:6] == ["Committed", "ItemAdded", "ItemDone", "ResponseCreated", "Understood", "OutputAdded"]
    assert talk.llm.asked[-1].messages[-1]["content"] == "Good morning."
    await talk.conversation.aclose()


async def test_a_noise_in_which_nothing_is_understood_is_not_answered() -> None:
    talk = await opened(Talk(hears=""))
    await talk.hear(MORNING, 1.5)
    assert (await talk.until(events.Understood)).text == ""
    await asyncio.sleep(0.1)
    assert not talk.all(events.ResponseCreated) and not talk.llm.asked
    await talk.conversation.aclose()


async def test_silence_and_empty_sound_are_harmless() -> None:
    talk = await opened(Talk())
    await talk.hear(3.0)
    await talk.conversation.hear(talk.conversation._resampler.push(__import__("numpy").zeros(0, "int16")), 24_000)
    assert talk.told == []
    talk.conversation.clear()
    with pytest.raises(Rejected, match="100 ms") as refused:
        talk.conversation.commit()
    assert refused.value.reason == "input_audio_buffer_commit_empty"
    await talk.conversation.aclose()


async def test_after_a_silence_the_model_speaks_up_if_it_shall() -> None:
    talk = await opened(Talk(turns=ServerVAD(idle_timeout=0.3)))
    talk.conversation.say("Hm.")
    await talk.until(events.ResponseDone)
    timed_out = await talk.until(events.TimedOut)
    await talk.until(events.ResponseDone, 2)
    assert talk.all(events.Committed)[0].item_id == timed_out.item_id
    assert [message["role"] for message in talk.llm.asked[-1].messages] == ["assistant", "system"]
    await talk.conversation.aclose()


async def _hear_more_meanwhile(talk: Talk, more: str, understood: threading.Event) -> None:
    """`more` follows the caller's words before they are understood; until they are answered."""
    await talk.hear(MORNING, 0.6)
    await talk.until(events.Committed)
    await talk.hear(more)
    understood.set()
    await talk.hear(0.8)
    await talk.until(events.ResponseDone)


async def test_who_speaks_on_while_the_turn_is_still_being_understood_is_answered_once() -> None:
    understood = threading.Event()
    talk = await opened(Talk(hears=lambda _: "Good morning." if understood.wait(10) else "", turns=ServerVAD(silence=0.3)))
    await _hear_more_meanwhile(talk, "And once more, can you hear me?", understood)
    await talk.until(events.Understood, 2)
    assert len(talk.all(events.ResponseCreated)) == 1 and not talk.all(events.Problem)
    assert [message["role"] for message in talk.llm.asked[-1].messages] == ["user", "user"]
    await talk.conversation.aclose()


async def test_a_noise_after_the_callers_words_does_not_take_their_answer_away() -> None:
    understood = threading.Event()

    def hears(asked: Asked) -> str:
        return "Good morning." if understood.wait(10) and asked.seconds > 1.2 else ""

    talk = await opened(Talk(hears=hears, turns=ServerVAD(silence=0.3)))
    await _hear_more_meanwhile(talk, "Hm.", understood)
    assert len(talk.all(events.ResponseCreated)) == 1
    await talk.conversation.aclose()
