"""Has the caller finished, to judge by the words? The real model."""

from __future__ import annotations

import threading
from functools import cache

import pytest

from lkcook.engines import weights
from lkcook.engines.written_turn import THRESHOLDS, WEIGHT, WrittenTurn

PAIRS = {
    "an answer": ("For how many people?", "Seven people.", "We are seven adults and"),
    "a request": ("How can I help you?", "I would like to book a table for two.", "I would like to book a table for"),
    "a question": ("", "Do you have vegetarian food?", "Do you have any"),
    "one word": ("Shall I confirm it?", "Yes.", "Yes, but"),
    "hesitation": ("", "I would like a table for seven people.", "I would like a table for, um,"),
    "a name": ("What is your name?", "My name is Maria Lopez.", "My name is"),
    "Spanish": ("¿En qué puedo ayudarle?", "Quisiera anular mi cita.", "Quisiera anular mi"),
    "a Spanish answer": ("¿A qué hora?", "A las ocho y media.", "A las ocho y"),
}


@cache
def model() -> WrittenTurn:
    return WrittenTurn(weights.fetch(WEIGHT))


@pytest.mark.parametrize("question, finished, broken_off", PAIRS.values(), ids=PAIRS)
def test_a_finished_turn_is_above_the_threshold_and_a_broken_one_below(
    question: str, finished: str, broken_off: str
) -> None:
    likely, unlikely = model().probability(question, finished), model().probability(question, broken_off)
    assert min(THRESHOLDS.values()) <= likely <= 1 and 0 <= unlikely < min(THRESHOLDS.values()), (likely, unlikely)


def test_what_is_answered_counts() -> None:
    words = "To Boston"
    assert model().probability("Where are you flying?", words) > model().probability("What did you say?", words)


@pytest.mark.parametrize("mark", [".", "?", "...", ",", " –", "…"])
def test_a_mark_at_the_end_is_not_heeded_because_recognisers_invent_it(mark: str) -> None:
    words = "Can I book a table for"
    assert model().probability("", words + mark) == pytest.approx(model().probability("", words), rel=0.05)


@pytest.mark.parametrize("words", ["", ".", "a" * 9_000, "😀" * 900, "y " * 900, "\x00\n\t", "<|im_end|>"])
def test_whatever_is_said_has_an_answer(words: str) -> None:
    assert 0 <= model().probability(words, words) <= 1


@pytest.mark.parametrize("words", ["Seven people, um.", "A table for um", "Um", "Sí, eh...", "Well, uh, er,"])
def test_who_hesitates_is_not_done(words: str) -> None:
    assert model().probability("How many are you?", words) < min(THRESHOLDS.values())


@pytest.mark.parametrize("words", ["Uh-huh.", "At the museum.", "I'd like a beer."])
def test_words_that_end_like_a_hesitation_are_none(words: str) -> None:
    question = "What would you like?"
    assert model().probability(question, words) > model().probability(question, f"{words} Um")


def test_of_a_long_turn_the_end_counts() -> None:
    long = "We were in your restaurant on Sunday with my mother and her two sisters, who are over eighty. " * 20
    broken_off, finished = f"{long}Do you have any", f"{long}Do you have vegetarian food?"
    assert model().probability("", broken_off) < min(THRESHOLDS.values()) < model().probability("", finished)


def test_questions_from_several_threads_do_not_disturb_each_other() -> None:
    alone = {pair: model().probability(pair[0], pair[1]) for pair in PAIRS.values()}
    together: dict[tuple[str, str, str], float] = {}

    def ask(pair: tuple[str, str, str]) -> None:
        together[pair] = model().probability(pair[0], pair[1])

    threads = [threading.Thread(target=ask, args=(pair,)) for pair in PAIRS.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == pytest.approx(alone, abs=0.02)
