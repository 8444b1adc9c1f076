"""The real language model: one engine, loaded once, for all tests of this file."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from lkcook.engines import weights
from lkcook.engines.completion import ModelRefused, Request, Text
from lkcook.engines.language_model import LanguageModel
from lkcook.engines.llama import BATCH
from tests.engines.replies import answer, asked, tool

# One loop for all of them, since the engine's lock belongs to the loop in which somebody first waited for it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

FRANCE = "What is the capital of France?"
STORY = "Tell me a very long story about the sea, at least 400 words."


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return LanguageModel(weights.language_model_path())


TOOLS = [tool("book_table", "Book a table.", people="integer", hour="string"), tool("opening_hours", "When we are open.")]
ORDER = "Book a table for four people at eight."
BOOKING = {"people": 4, "hour": "eight"}


def after_a_call(arguments: str, result: str) -> Request:
    call = {"id": "c1", "type": "function", "function": {"name": "book_table", "arguments": arguments}}
    calling = {"role": "assistant", "content": "", "tool_calls": [call]}
    told = {"role": "tool", "tool_call_id": "c1", "content": result}
    return Request([{"role": "user", "content": ORDER}, calling, told], tools=TOOLS)


async def test_a_reply_streams_in_pieces_and_ends_with_its_counts(model: LanguageModel) -> None:
    first, again = [await answer(model, asked(FRANCE)) for _ in range(2)]
    assert "Paris" in first.text and len(first.pieces) > 4 and first.done.reason == "stop"
    assert len(first.text.split()) <= first.done.completion_tokens <= len(first.text)
    assert len(FRANCE.split()) < first.done.prompt_tokens == again.done.prompt_tokens < 60
    assert again.done.cached_tokens >= again.done.prompt_tokens - BATCH, "the same prompt is warm"


async def test_its_most_likely_words_are_the_same_every_time(model: LanguageModel) -> None:
    request = asked("Invent a strange name for a pizza.", max_tokens=12)
    assert (await answer(model, request)).text == (await answer(model, request)).text


async def test_the_same_seed_gives_the_same_words_and_another_seed_others(model: LanguageModel) -> None:
    def sampled(seed: int) -> Request:
        return asked("Invent a strange name for a pizza.", temperature=1.5, seed=seed, max_tokens=12)

    first, again, *others = [(await answer(model, sampled(seed))).text for seed in (7, 7, 8, 9)]
    assert first == again and any(other != first for other in others)


async def test_a_stop_string_ends_the_reply_and_is_not_said(model: LanguageModel) -> None:
    reply = await answer(model, asked("Count from one to nine in English words.", stop=["four", "Four"]))
    assert "three" in reply.text.lower() and "four" not in reply.text.lower() and reply.done.reason == "stop"


async def test_max_tokens_cuts_the_reply(model: LanguageModel) -> None:
    reply = await answer(model, asked(STORY, max_tokens=5))
    assert reply.done.reason == "length" and reply.done.completion_tokens == 5 and reply.text


async def test_a_json_schema_is_obeyed(model: LanguageModel) -> None:
    properties = {"name": {"type": "string", "maxLength": 10}, "age": {"type": "integer"}, "is_a_cat": {"type": "boolean"}}
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    format = {"type": "json_schema", "json_schema": {"schema": schema}}
    reply = await answer(model, asked("Who is Ada? She is 36.", response_format=format))
    found = json.loads(reply.text)
    assert found["age"] == 36 and {key: type(value) for key, value in found.items()} == {
        "name": str, "age": int, "is_a_cat": bool
    }  # fmt: skip


@pytest.mark.parametrize("choice", [None, "auto", "required", {"type": "function", "function": {"name": "book_table"}}])
async def test_a_tool_is_called_with_arguments_that_fit(model: LanguageModel, choice: Any) -> None:
    reply = await answer(model, asked(ORDER, tools=TOOLS, tool_choice=choice))
    ((name, arguments),) = reply.calls
    assert name == "book_table" and arguments["people"] == 4 and "8" in arguments["hour"].replace("eight", "8")
    assert reply.text == "" and reply.done.reason == "tool_calls"


async def test_a_named_tool_is_called_even_if_another_fits_better(model: LanguageModel) -> None:
    choice = {"type": "function", "function": {"name": "opening_hours"}}
    reply = await answer(model, asked(ORDER, tools=TOOLS, tool_choice=choice))
    assert reply.calls == [("opening_hours", {})] and reply.text == ""


async def test_tool_choice_none_gives_words(model: LanguageModel) -> None:
    reply = await answer(model, asked(ORDER, tools=TOOLS, tool_choice="none", max_tokens=24))
    assert reply.calls == [] and reply.text.strip() and "{" not in reply.text[:2]


async def test_a_tools_result_is_told_in_words(model: LanguageModel) -> None:
    reply = await answer(model, after_a_call(json.dumps(BOOKING), "booked"))
    assert reply.calls == [] and "book" in reply.text.lower() and not reply.text.startswith("{")


async def test_an_argument_may_be_an_enum(model: LanguageModel) -> None:
    """LiveKit describes it under $defs; two tools may call different things by the same name."""
    tools = [tool("order_pizza", "Order a pizza."), tool("order_wine", "Order a wine.")]
    for each, sizes in zip(tools, (["small", "large"], ["glass", "bottle"])):
        each["function"]["parameters"] |= {
            "properties": {"size": {"$ref": "#/$defs/Size"}},
            "required": ["size"],
            "$defs": {"Size": {"type": "string", "enum": sizes}},
        }
    reply = await answer(model, asked("I want a large pizza.", tools=tools, tool_choice="required"))
    assert reply.calls == [("order_pizza", {"size": "large"})]
    choice = {"type": "function", "function": {"name": "order_wine"}}
    ((_, wine),) = (await answer(model, asked("I want a large pizza.", tools=tools, tool_choice=choice))).calls
    assert wine["size"] in ("glass", "bottle")


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (asked("word " * 6000), "context"),
        (Request([]), "messages"),
        (asked("Hi.", response_format={"type": "json_schema", "json_schema": {"schema": {"type": "no"}}}), "schema"),
        (after_a_call('{"people": 4', "booked"), "arguments"),
        (asked(ORDER, tools=TOOLS, tool_choice="required", max_tokens=4), "max_tokens"),
    ],
)
async def test_what_cannot_be_answered_is_refused_and_the_next_request_is_not(
    model: LanguageModel, request_: Request, why: str
) -> None:
    with pytest.raises(ModelRefused, match=why):
        await answer(model, request_)
    assert (await answer(model, asked(FRANCE, max_tokens=2))).text


async def test_closing_the_iterator_stops_the_model(model: LanguageModel) -> None:
    short = await answer(model, asked(STORY, max_tokens=40))
    pieces = model.chat(asked(STORY, max_tokens=400))
    await anext(pieces)
    began = time.perf_counter()
    await pieces.aclose()
    assert (await answer(model, asked(FRANCE, max_tokens=2))).text
    assert time.perf_counter() - began < short.took, "a tenth of what the closed reply would have taken"


async def test_cancelling_who_waits_leaves_the_model_free(model: LanguageModel) -> None:
    tasks = [asyncio.create_task(answer(model, asked(STORY, max_tokens=400))) for _ in range(2)]
    await asyncio.wait(tasks, timeout=0.2)
    for task in reversed(tasks):
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    assert (await answer(model, asked(FRANCE, max_tokens=2))).text


async def test_two_requests_at_the_same_time_get_whole_answers(model: LanguageModel) -> None:
    countries = ("France", "Germany", "Italy")
    questions = [asked(f"What is the capital of {country}? One word.") for country in countries]
    replies = await asyncio.gather(*[answer(model, question) for question in questions])
    assert [city in reply.text for city, reply in zip(("Paris", "Berlin", "Rome"), replies)] == [True] * 3
    assert [reply.done.reason for reply in replies] == ["stop"] * 3


class Primed:
    """How often a prime asked whether to give way; it does after `patience` batches."""

    def __init__(self, patience: int = 10**6) -> None:
        self.asked, self.patience, self.begun = 0, patience, asyncio.Event()

    def give_way(self) -> bool:
        self.asked += 1
        self.begun.set()
        return self.asked >= self.patience


FACTS = "Remember: " + " ".join(f"The table number {i} is for {i + 2} guests." for i in range(20))
LATER = "Remember: " + " ".join(f"On day {i} the cook is away for {i} hours." for i in range(80))


async def test_a_prime_leaves_only_the_new_words_to_be_read(model: LanguageModel) -> None:
    conversation = (FACTS, "I will.")
    await model.prime(asked(*conversation, "I would like to"))
    reply = await answer(model, asked(*conversation, "I would like to book a table", max_tokens=1))
    assert reply.done.prompt_tokens > 200
    # "book a table", the end of the message, the beginning of the reply, and the batch in which they differ
    assert reply.done.prompt_tokens - reply.done.cached_tokens <= 3 + 5 + BATCH


async def test_a_prime_gives_way_with_what_it_has(model: LanguageModel) -> None:
    primed, whole = Primed(patience=20), asked(f"Forget: {FACTS}", max_tokens=1)
    await model.prime(whole, primed.give_way)
    assert primed.asked == 20
    done = (await answer(model, whole)).done
    assert 10 * BATCH <= done.cached_tokens <= 30 * BATCH < done.prompt_tokens


async def test_a_prime_gives_way_to_a_request(model: LanguageModel) -> None:
    primed = Primed()
    priming = asyncio.create_task(model.prime(asked(LATER), primed.give_way))
    await primed.begun.wait()
    reply = await answer(model, asked(FRANCE))
    assert "Paris" in reply.text and priming.done()
    assert primed.asked < len(LATER.split()) / BATCH / 4, "it was far from its end"


async def test_a_prime_does_not_wait_for_a_request(model: LanguageModel) -> None:
    pieces, primed = model.chat(asked(FRANCE)), Primed()
    first = await anext(pieces)
    await model.prime(asked(LATER), primed.give_way)
    rest = [piece async for piece in pieces]
    assert primed.asked == 0 and "Paris" in "".join(p.text for p in (first, *rest) if isinstance(p, Text))
