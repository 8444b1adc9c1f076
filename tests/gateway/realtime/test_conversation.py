"""A realtime conversation on scripted models: what is answered, and what is remembered."""

from __future__ import annotations

import asyncio

import pytest

from lkcook.engines.tool_calls import ToolCall
from lkcook.gateway.realtime import events
from lkcook.gateway.realtime.items import CallOutput, Message, Part
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.realtime.settings import Ask, ServerVAD
from tests.gateway.realtime.scripted import LONG, MORNING, TOOL, Talk, opened


async def test_a_caller_who_barges_in_cancels_the_answer_at_once() -> None:
    talk = await opened(Talk(LONG, LONG))
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
    talk = await opened(Talk(LONG, turns=ServerVAD(interrupt_response=False)))
    talk.llm.go.clear()
    talk.conversation.respond()
    await talk.hear(MORNING, 1.0)
    assert talk.conversation.active is not None
    problem = await talk.until(events.Problem)
    assert problem.reason == "conversation_already_has_active_response"
    await talk.conversation.aclose()


async def test_only_what_was_heard_is_remembered() -> None:
    talk = await opened(Talk("One two three. Four five six seven.", "Yes."))
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
    talk = await opened(Talk(LONG, truncates=True))
    talk.conversation.respond()
    done = await talk.until(events.ResponseDone)
    assert talk.conversation.playing > 2.0
    await talk.hear(MORNING)
    [truncated] = talk.all(events.ItemTruncated)
    assert truncated.seconds < 1.5 and len(done.response.output[0].parts[0].text) < 40
    await talk.conversation.aclose()


async def test_a_cancelled_answer_ends_at_once_and_the_next_may_begin() -> None:
    talk = await opened(Talk(LONG))
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
    talk = await opened(Talk())
    talk.conversation.respond()
    with pytest.raises(Rejected) as refused:
        talk.conversation.respond()
    assert refused.value.reason == "conversation_already_has_active_response"
    await talk.conversation.aclose()


async def test_a_function_is_called_and_its_result_answered() -> None:
    talk = await opened(Talk(ToolCall("book", '{"people": 2}', "call_1"), "Booked.", tools=(TOOL,)))
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
    talk = await opened(Talk("In writing.", modality="text"))
    talk.conversation.respond()
    await talk.until(events.ResponseDone)
    assert "".join(delta.text for delta in talk.all(events.TextDelta)) == "In writing."
    assert not talk.all(events.AudioDelta) and not talk.models.voice.said
    await talk.conversation.aclose()


async def test_an_answer_apart_leaves_the_conversation_as_it_was() -> None:
    talk = await opened(Talk("Apart."))
    talk.conversation.add(Message("user", [Part("text", "Hello.")]))
    other = Message("user", [Part("text", "Classify this.")])
    talk.conversation.respond(Ask(items=(other,), apart=True, instructions="Be brief.", metadata={"topic": "x"}))
    done = await talk.until(events.ResponseDone)
    assert done.response.metadata == {"topic": "x"} and len(list(talk.conversation.items)) == 1
    assert [m["content"] for m in talk.llm.asked[-1].messages] == ["Be brief.", "Classify this."]
    await talk.conversation.aclose()


async def test_a_given_text_is_said_as_it_is() -> None:
    talk = await opened(Talk())
    talk.conversation.say("Welcome to Ava's.")
    await talk.until(events.ResponseDone)
    assert talk.models.voice.said == [("Welcome to Ava's.", "heart", 1.0)] and not talk.llm.asked
    await talk.conversation.aclose()


async def test_items_are_put_where_they_belong() -> None:
    talk = await opened(Talk())
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
    talk = await opened(Talk(RuntimeError("out of memory"), "Here again."))
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

    talk = await opened(Talk(hears=hears, turns=None))
    await talk.hear(MORNING)
    talk.conversation.commit()
    assert "no memory" in (await talk.until(events.NotUnderstood)).why
    out_of_memory = False
    await talk.hear(1.0, MORNING, 1.0, MORNING, 1.0)
    talk.conversation.commit()
    assert "Good morning." in (await talk.until(events.Understood)).text
    await talk.conversation.aclose()


async def test_who_is_told_to_speak_again_is_told_so_after_the_last_words() -> None:
    talk = await opened(Talk(instructions="You are Ava."))
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
    talk = await opened(Talk())
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

    talk = await opened(Talk(ModelRefused("too long"), "Still here.", instructions="Be brief."))
    for number in range(6):
        talk.conversation.add(Message("user", [Part("text", f"message {number}")]))
    talk.conversation.respond()
    assert (await talk.until(events.ResponseDone)).response.status == "completed"
    kept = [message["content"] for message in talk.llm.asked[-1].messages]
    assert kept == ["Be brief.", "message 3", "message 4", "message 5"]
    await talk.conversation.aclose()
