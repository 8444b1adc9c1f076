"""The panel's push-to-talk button."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from livekit.agents import Agent

from lkcook.audio.caller import Conversation
from lkcook.audio.line import Prepared
from lkcook.call import Call, last_call, talk
from lkcook.errors import CallError
from lkcook.panel.panel import Panel
from tests.call.conftest import CALLER_HZ
from tests.call.test_push_to_talk import Radio, radio
from tests.panel.conftest import Deaf, Page, Person
from tests.scripted_models import tone

__all__ = ["radio"]


class Talkative(Person):
    """Talks all the time, whether the button is held or not."""

    async def converse(self, conversation: Conversation) -> None:
        await self.say(Prepared("blah", tone(60, CALLER_HZ)))


@pytest.fixture
def calling(page: Page, monkeypatch: pytest.MonkeyPatch, agent: Agent) -> Callable[[Radio], asyncio.Task[Call]]:
    """Begin a call with a person at the panel."""
    monkeypatch.setattr(Panel, "_sound", (Talkative(), Deaf()))

    def start(set_up: Radio, **options: Any) -> asyncio.Task[Call]:
        options = {"push_to_talk": (set_up.start_turn, set_up.end_turn), "caller": "browser"} | options
        return asyncio.create_task(talk(set_up.session, agent, ["Hello."], **options))

    return start


def presses() -> list[str]:
    return [event for _, event in last_call().journal.presses]


async def test_the_agent_hears_while_the_button_is_held_and_answers_when_it_is_released(page, radio, calling):
    running = calling(radio())
    await page.until(lambda state: state["can"]["hold"])
    assert page.state["button"] == "up" and "Hold the button" in page.state["hint"]
    page.press("hold", True)
    await page.until(lambda state: state["button"] == "held" and state["interim"])
    assert "the agent hears" in page.state["state"]
    page.press("hold", False)
    state = await page.until(lambda state: any(who == "agent" for who, *_ in state["said"]))
    assert [text for _, text, _ in state["said"]] == ["Hello there.", "Good morning to you."]
    assert state["button"] == "up"
    page.press("stop")
    call = await running
    assert len(call.turns) == 1 and presses() == ["pressed", "released"]


async def test_what_is_told_twice_counts_once(page, radio, calling):
    running = calling(radio())
    await page.until(lambda state: state["can"]["hold"])
    for down in (False, True, True, False, False):  # a key that repeats; a pointer that is lost after it was lifted
        page.press("hold", down)
    await page.until(lambda state: len(presses()) == 2)
    page.press("stop")
    await running
    assert presses() == ["pressed", "released"]


async def test_it_does_nothing_before_the_call_runs(page, radio, calling):
    running = calling(radio(), caller=None)
    state = await page.until(lambda state: state["hint"])
    assert state["button"] == "up" and not state["can"]["hold"]
    page.press("hold", True)
    page.press("talk")
    state = await page.until(lambda state: state["can"]["hold"])
    assert state["button"] == "up" and presses() == []
    page.press("stop")
    await running


async def test_stop_lets_go_of_a_button_that_is_held(page, radio, calling):
    set_up = radio()
    running = calling(set_up)
    await page.until(lambda state: state["can"]["hold"])
    page.press("hold", True)
    await page.until(lambda state: state["interim"])
    page.press("stop")
    state = await page.until(lambda state: state["button"] == "up")
    assert not state["can"]["hold"]
    with pytest.raises(CallError, match="never heard") as caught:
        await running
    assert presses() == ["pressed", "released"] and not set_up.session.input.audio_enabled
    assert caught.value.call.transcript.by("caller") == ["Hello there."]


async def test_a_function_that_fails_ends_the_call_in_words(page, radio, calling):
    set_up = radio()
    running = calling(set_up, push_to_talk=(broken, set_up.end_turn))
    await page.until(lambda state: state["can"]["hold"])
    page.press("hold", True)
    with pytest.raises(CallError, match="broken") as caught:
        await running
    assert caught.value.stage == "push-to-talk"


def broken() -> None:
    raise LookupError("no transmitter")


async def test_a_scripted_caller_presses_it_and_nobody_else_can(page, radio, calling):
    seen: list[tuple[str, bool]] = []
    running = calling(radio(), caller="script")
    await page.until(lambda state: seen.append((state["button"], state["can"]["hold"])) or state["said"])
    await running
    assert ("held", False) in seen and all(not possible for _, possible in seen)


async def test_a_call_without_push_to_talk_shows_no_button(page, pipeline, agent):
    states = []
    running = asyncio.create_task(talk(pipeline(), agent, ["Hello."], caller="script"))
    await page.until(lambda state: states.append(state["button"]) or state["said"])
    await running
    assert set(states) == {None}
