"""A realtime conversation on scripted models: whose turn it is, what is answered, and what is remembered."""

from __future__ import annotations

import asyncio
import threading
from itertools import pairwise

import numpy as np
import pytest

from lkcook.engines import end_of_turn
from lkcook.engines.tool_calls import ToolCall
from lkcook.errors import WeightsError
from lkcook.gateway.realtime import events
from lkcook.gateway.realtime.items import CallOutput, Message, Part
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.realtime.settings import Ask, SemanticVAD, ServerVAD
from tests.gateway.realtime.scripted import Talk
from tests.scripted_engines import Asked

MORNING = "Good morning, can you hear me?"
LONG = "One two three four five. Six seven eight nine ten. Eleven twelve."
TOOL = {"type": "function", "function": {"name": "book", "parameters": {"type": "object"}}}


async def _open(talk: Talk) -> Talk:
    await talk.conversation.open()
    return talk


async def test_a_silence_ends_the_turn_and_it_is_answered_in_order() -> None:
    talk = await _open(Talk("Good morning to you. What can I do?"))
    await talk.hear(MORNING, 1.0)
    done = await talk.until(events.ResponseDone)
    turn = ["SpeechStopped", "Committed", "ItemAdded", "ItemDone", "Understood", "ResponseCreated"]
    answer = ["OutputAdded", "ItemAdded", "PartAdded", *["TextDelta", "AudioDelta"] * 2, "PartDone", "OutputDone"]
    assert talk.kinds() == ["SpeechStarted", "Hearing", *turn, *answer, "ItemDone", "ResponseDone"]
    assert done.response.status == "completed" and done.response.output[0].parts[0].text.startswith("Good morning to")
    assert [m["content"] for m in talk.llm.asked[-1].messages] == ["Good morning."]
    await talk.conversation.aclose()


async def test_the_answer_is_begun_in_the_pause_and_asked_for_only_once() -> None:
    talk = await _open(Talk(turns=ServerVAD(silence=3.0)))
    await talk.hear(MORNING, 1.0)
    assert len(talk.llm.asked) == 1 and not talk.all(events.ResponseCreated)
    await talk.hear(2.5)
    await talk.until(events.ResponseDone)
    assert len(talk.llm.asked) == 1
    await talk.conversation.aclose()


async def test_an_answer_begun_too_early_is_dropped_when_the_caller_goes_on() -> None:
    talk = await _open(Talk(hears=lambda asked: "Good morning." if asked.seconds < 2.6 else "Good morning, again."))
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
    talk = await _open(Talk(turns=SemanticVAD("medium")))
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
        talk = await _open(Talk(turns=SemanticVAD(eagerness)))  # type: ignore[arg-type]
        await talk.hear(MORNING, 8.5)
        waits.append(talk.all(events.SpeechStopped)[0].at)
        await talk.conversation.aclose()
    assert waits[0] + 0.5 < waits[1] < waits[2] - 1.0


async def test_without_the_model_the_longest_wait_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: object) -> float:
        raise WeightsError("it is not here.", "Fetch it.")

    monkeypatch.setattr(end_of_turn, "probability", missing)
    talk = await _open(Talk(turns=SemanticVAD("high")))
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
    talk = await _open(Talk(turns=SemanticVAD("medium")))
    await talk.hear(MORNING, 1.5)
    [stopped] = talk.all(events.SpeechStopped)
    assert [round((more - fewer) / 16_000, 1) for fewer, more in pairwise(heard)] == [0.2, 0.2]
    assert stopped.at * 16_000 > heard[-1]
    await talk.conversation.aclose()


async def test_without_turn_detection_nothing_happens_before_the_client_says_so() -> None:
    talk = await _open(Talk(turns=None))
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
    talk = await _open(Talk(turns=None, hears=lambda _: f"piece {next(counted)}"))
    await talk.hear(MORNING, 1.0, "And now the second part.", 1.0, "And the third.")
    talk.conversation.commit()
    understood = await talk.until(events.Understood)
    assert understood.text.count("piece") == 3
    await talk.conversation.aclose()


async def test_an_answer_asked_for_at_once_waits_for_what_was_said() -> None:
    talk = await _open(Talk(turns=None))
    await talk.hear(MORNING)
    talk.conversation.commit()
    talk.conversation.respond()
    await talk.until(events.ResponseDone)
    assert talk.kinds()[:6] == ["Committed", "ItemAdded", "ItemDone", "ResponseCreated", "Understood", "OutputAdded"]
    assert talk.llm.asked[-1].messages[-1]["content"] == "Good morning."
    await talk.conversation.aclose()


async def test_a_noise_in_which_nothing_is_understood_is_not_answered() -> None:
    talk = await _open(Talk(hears=""))
    await talk.hear(MORNING, 1.5)
    assert (await talk.until(events.Understood)).text == ""
    await asyncio.sleep(0.1)
    assert not talk.all(events.ResponseCreated) and not talk.llm.asked
    await talk.conversation.aclose()


async def test_silence_and_empty_sound_are_harmless() -> None:
    talk = await _open(Talk())
    await talk.hear(3.0)
    await talk.conversation.hear(talk.conversation._resampler.push(__import__("numpy").zeros(0, "int16")), 24_000)
    assert talk.told == []
    talk.conversation.clear()
    with pytest.raises(Rejected, match="100 ms") as refused:
        talk.conversation.commit()
    assert refused.value.reason == "input_audio_buffer_commit_empty"
    await talk.conversation.aclose()


async def test_a_caller_who_barges_in_cancels_the_answer_at_once() -> None:
    talk = await _open(Talk(LONG, LONG))
    talk.llm.go.clear()
    talk.conversation.respond()
    await talk.hear(0.1)
    assert talk.llm.under_way == 1
    await talk.hear(MORNING)
    done = await talk.until(events.ResponseDone)
    assert (done.response.status, done.response.reason) == ("cancelled", "turn_detected")
    assert talk.told.index(talk.all(events.SpeechStarted)[0]) == talk.told.index(done) - 1
    await asyncio.sleep(0.05)
    assert talk.llm.under_way == 0
    await talk.conversation.aclose()


async def test_a_caller_may_be_kept_from_interrupting() -> None:
    talk = await _open(Talk(LONG, turns=ServerVAD(interrupt_response=False)))
    talk.llm.go.clear()
    talk.conversation.respond()
    await talk.hear(MORNING, 1.0)
    assert talk.conversation.active is not None
    problem = await talk.until(events.Problem)
    assert problem.reason == "conversation_already_has_active_response"
    await talk.conversation.aclose()


async def test_only_what_was_heard_is_remembered() -> None:
    talk = await _open(Talk("One two three. Four five six seven.", "Yes."))
    talk.conversation.add(Message("user", [Part("text", "Count.")]))
    talk.conversation.respond()
    item = (await talk.until(events.ResponseDone)).response.output[0]
    talk.conversation.truncate(item.id, 14 * 0.05 + 0.5)  # the first sentence, and half a second of the other
    assert item.parts[0].text == "One two three. Four five"
    talk.conversation.respond()
    await talk.until(events.ResponseDone, 2)
    assert {"role": "assistant", "content": "One two three. Four five"} in talk.llm.asked[-1].messages
    with pytest.raises(Rejected, match="shorter"):
        talk.conversation.truncate(item.id, 60.0)
    await talk.conversation.aclose()


async def test_the_clock_tells_what_was_heard_where_no_client_does() -> None:
    talk = await _open(Talk(LONG, truncates=True))
    talk.conversation.respond()
    done = await talk.until(events.ResponseDone)
    assert talk.conversation.playing > 2.0
    await talk.hear(MORNING)
    [truncated] = talk.all(events.ItemTruncated)
    assert truncated.seconds < 1.5 and len(done.response.output[0].parts[0].text) < 40
    await talk.conversation.aclose()


async def test_a_cancelled_answer_ends_at_once_and_the_next_may_begin() -> None:
    talk = await _open(Talk(LONG))
    talk.llm.go.clear()
    response = talk.conversation.respond()
    talk.conversation.cancel()
    assert isinstance(talk.told[-1], events.ResponseDone) and response.status == "cancelled"
    with pytest.raises(Rejected, match="^Cancellation failed"):
        talk.conversation.cancel()
    talk.llm.go.set()
    talk.conversation.respond()
    assert (await talk.until(events.ResponseDone, 2)).response.status == "completed"
    await talk.conversation.aclose()


async def test_a_second_answer_is_refused_while_one_is_under_way() -> None:
    talk = await _open(Talk())
    talk.conversation.respond()
    with pytest.raises(Rejected) as refused:
        talk.conversation.respond()
    assert refused.value.reason == "conversation_already_has_active_response"
    await talk.conversation.aclose()


async def test_a_function_is_called_and_its_result_answered() -> None:
    talk = await _open(Talk(ToolCall("book", '{"people": 2}', "call_1"), "Booked.", tools=(TOOL,)))
    await talk.hear(MORNING, 1.0)
    call = (await talk.until(events.ResponseDone)).response.output[0]
    assert (call.name, call.arguments, call.call_id) == ("book", '{"people": 2}', "call_1")
    talk.conversation.add(CallOutput("call_1", "done"))
    talk.conversation.respond()
    await talk.until(events.ResponseDone, 2)
    roles = [message["role"] for message in talk.llm.asked[-1].messages]
    assert roles == ["user", "assistant", "tool"] and talk.llm.asked[-1].tools == [TOOL]
    with pytest.raises(Rejected, match="call_7"):
        talk.conversation.add(CallOutput("call_7", "done"))
    await talk.conversation.aclose()


async def test_a_written_answer_is_not_spoken() -> None:
    talk = await _open(Talk("In writing.", modality="text"))
    talk.conversation.respond()
    await talk.until(events.ResponseDone)
    assert "".join(delta.text for delta in talk.all(events.TextDelta)) == "In writing."
    assert not talk.all(events.AudioDelta) and not talk.models.voice.said
    await talk.conversation.aclose()


async def test_an_answer_apart_leaves_the_conversation_as_it_was() -> None:
    talk = await _open(Talk("Apart."))
    talk.conversation.add(Message("user", [Part("text", "Hello.")]))
    other = Message("user", [Part("text", "Classify this.")])
    talk.conversation.respond(Ask(items=(other,), apart=True, instructions="Be brief.", metadata={"topic": "x"}))
    done = await talk.until(events.ResponseDone)
    assert done.response.metadata == {"topic": "x"} and len(list(talk.conversation.items)) == 1
    assert [m["content"] for m in talk.llm.asked[-1].messages] == ["Be brief.", "Classify this."]
    await talk.conversation.aclose()


async def test_a_given_text_is_said_as_it_is() -> None:
    talk = await _open(Talk())
    talk.conversation.say("Welcome to Ava's.")
    await talk.until(events.ResponseDone)
    assert talk.models.voice.said == [("Welcome to Ava's.", "heart", 1.0)] and not talk.llm.asked
    await talk.conversation.aclose()


async def test_items_are_put_where_they_belong() -> None:
    talk = await _open(Talk())
    first, second, third = [Message("user", [Part("text", word)], id=word) for word in ("one", "two", "three")]
    talk.conversation.add(second)
    talk.conversation.add(first, "root")
    talk.conversation.add(third, "two")
    assert [added.previous_id for added in talk.all(events.ItemAdded)] == [None, None, "two"]
    assert [item.id for item in talk.conversation.items] == ["one", "two", "three"]
    talk.conversation.delete("two")
    assert [item.id for item in talk.conversation.items] == ["one", "three"]
    for wrong in (lambda: talk.conversation.delete("two"), lambda: talk.conversation.add(third), lambda: talk.conversation.find("x")):
        with pytest.raises(Rejected):
            wrong()
    await talk.conversation.aclose()


async def test_a_model_that_fails_fails_the_answer_and_not_the_conversation() -> None:
    talk = await _open(Talk(RuntimeError("out of memory"), "Here again."))
    talk.conversation.respond()
    failed = (await talk.until(events.ResponseDone)).response
    assert failed.status == "failed" and "out of memory" in failed.error
    talk.conversation.respond()
    assert (await talk.until(events.ResponseDone, 2)).response.status == "completed"
    await talk.conversation.aclose()


async def test_a_recogniser_that_fails_loses_the_turn_and_not_the_next() -> None:
    out_of_memory = True  # how often a turn is decoded depends on the machine: the turn decides, not a count

    def hears(_: object) -> str:
        if out_of_memory:
            raise RuntimeError("no memory")
        return "Good morning."

    talk = await _open(Talk(hears=hears, turns=None))
    await talk.hear(MORNING)
    talk.conversation.commit()
    assert "no memory" in (await talk.until(events.NotUnderstood)).why
    out_of_memory = False
    await talk.hear(1.0, MORNING, 1.0, MORNING, 1.0)
    talk.conversation.commit()
    assert "Good morning." in (await talk.until(events.Understood)).text
    await talk.conversation.aclose()


async def test_after_a_silence_the_model_speaks_up_if_it_shall() -> None:
    talk = await _open(Talk(turns=ServerVAD(idle_timeout=0.3)))
    talk.conversation.say("Hm.")
    await talk.until(events.ResponseDone)
    timed_out = await talk.until(events.TimedOut)
    await talk.until(events.ResponseDone, 2)
    assert talk.all(events.Committed)[0].item_id == timed_out.item_id
    assert [message["role"] for message in talk.llm.asked[-1].messages] == ["assistant", "system"]
    await talk.conversation.aclose()


async def test_who_is_told_to_speak_again_is_told_so_after_the_last_words() -> None:
    talk = await _open(Talk(instructions="You are Ava."))
    talk.conversation.say("Hello.")
    await talk.until(events.ResponseDone)
    talk.conversation.respond(Ask(instructions="Tell a joke."))
    await talk.until(events.ResponseDone, 2)
    assert talk.llm.asked[-1].messages == [
        {"role": "system", "content": "Tell a joke."},
        {"role": "assistant", "content": "Hello."},
        {"role": "system", "content": "Tell a joke."},
    ]
    await talk.conversation.aclose()


async def test_speed_voice_and_instructions_may_change_between_answers() -> None:
    talk = await _open(Talk())
    settings = talk.conversation.settings.__class__(instructions="Be brief.", voice="cedar", speed=1.25)
    talk.conversation.configure(settings)
    talk.conversation.respond()
    await talk.until(events.ResponseDone)
    assert talk.models.voice.said == [("Of course.", "fenrir", 1.25)]
    assert talk.llm.asked[-1].messages == [{"role": "system", "content": "Be brief."}]
    with pytest.raises(Rejected, match="marin.*cedar"):
        talk.conversation.configure(settings.__class__(voice="nobody"))
    assert talk.conversation.settings is settings
    await talk.conversation.aclose()


async def test_a_conversation_that_outgrew_the_model_forgets_its_older_half() -> None:
    from lkcook.engines.completion import ModelRefused

    talk = await _open(Talk(ModelRefused("too long"), "Still here.", instructions="Be brief."))
    for number in range(6):
        talk.conversation.add(Message("user", [Part("text", f"message {number}")]))
    talk.conversation.respond()
    assert (await talk.until(events.ResponseDone)).response.status == "completed"
    kept = [message["content"] for message in talk.llm.asked[-1].messages]
    assert kept == ["Be brief.", "message 3", "message 4", "message 5"]
    await talk.conversation.aclose()


async def test_who_speaks_on_while_the_turn_is_still_being_understood_is_answered_once() -> None:
    understood = threading.Event()
    talk = await _open(Talk(hears=lambda _: "Good morning." if understood.wait(10) else "", turns=ServerVAD(silence=0.3)))
    await talk.hear(MORNING, 0.6)
    await talk.until(events.Committed)
    await talk.hear("And once more, can you hear me?")
    understood.set()
    await talk.hear(0.8)
    await talk.until(events.ResponseDone)
    await talk.until(events.Understood, 2)
    assert len(talk.all(events.ResponseCreated)) == 1 and not talk.all(events.Problem)
    assert [message["role"] for message in talk.llm.asked[-1].messages] == ["user", "user"]
    await talk.conversation.aclose()


async def test_a_noise_after_the_callers_words_does_not_take_their_answer_away() -> None:
    understood = threading.Event()

    def hears(asked: Asked) -> str:
        return "Good morning." if understood.wait(10) and asked.seconds > 1.2 else ""

    talk = await _open(Talk(hears=hears, turns=ServerVAD(silence=0.3)))
    await talk.hear(MORNING, 0.6)
    await talk.until(events.Committed)
    await talk.hear("Hm.")
    understood.set()
    await talk.hear(0.8)
    await talk.until(events.ResponseDone)
    assert len(talk.all(events.ResponseCreated)) == 1
    await talk.conversation.aclose()
