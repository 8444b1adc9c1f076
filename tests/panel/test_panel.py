"""What the panel's buttons do to a call."""

from __future__ import annotations

import asyncio

import pytest

from lkcook.call import last_call, talk
from lkcook.errors import CookError, DeviceError
from lkcook.panel import menus
from lkcook.panel.picture import Picture


def calling(state):
    return state["can"]["stop"] and not state["can"]["talk"]


def said(state):
    return [(who, text) for who, text, _ in state["said"]]


async def test_nobody_calls_until_a_button_is_pressed(page, pipeline, agent):
    running = asyncio.create_task(talk(pipeline(), agent, ["Hello."]))
    state = await page.until(lambda state: state["hint"])
    assert state["can"]["talk"] and state["can"]["script"] and not state["can"]["mute"]
    page.press("script")
    call = await running
    assert [text.strip() for text in call.transcript.by("agent")] == ["Good morning to you."]


async def test_without_a_script_there_is_none_to_play(page, pipeline, agent):
    running = asyncio.create_task(talk(pipeline(), agent))
    state = await page.until(lambda state: state["hint"])
    assert state["can"]["talk"] and not state["can"]["script"]
    page.press("stop")
    with pytest.raises(CookError, match="Nobody called the agent"):
        await running


async def test_a_cell_stopped_before_anybody_called_says_so(page, pipeline, agent):
    running = asyncio.create_task(talk(pipeline(), agent, ["Hello."]))
    await page.until(lambda state: state["hint"])
    running.cancel()
    with pytest.raises(CookError, match="press Talk or Play the script"):
        await running
    assert isinstance(page.shown[-1], Picture)


async def test_a_person_talks_and_stop_hangs_up_and_keeps_the_call(page, pipeline, agent):
    running = asyncio.create_task(talk(pipeline(), agent))
    await page.until(lambda state: state["hint"])
    page.press("talk")
    await page.until(lambda state: ("agent", "Good morning to you.") in said(state))
    page.press("stop")
    page.press("stop")  # an impatient reader presses twice
    call = await running
    assert call is last_call() and call.transcript.by("caller") == ["Hello there."]
    assert call.caller.person and call.recording.duration > 0


async def test_mute_silences_the_person_and_can_be_undone(page, pipeline, agent):
    running = asyncio.create_task(talk(pipeline(), agent))
    await page.until(lambda state: state["hint"])
    page.press("talk")
    await page.until(lambda state: state["can"]["mute"])
    for value in (True, False):
        page.press("mute", value)
        await page.until(lambda state: state["muted"] is value)
        assert last_call().caller.muted is value
    page.press("stop")
    await running


async def test_a_script_cannot_be_muted(page, pipeline, agent):
    running = asyncio.create_task(talk(pipeline(), agent, ["Hello."]))
    await page.until(lambda state: state["hint"])
    page.press("script")
    state = await page.until(calling)
    assert not state["can"]["mute"] and not state["can"]["check"]
    await running


async def test_the_caller_named_in_the_cell_calls_at_once(page, pipeline, agent):
    call = await talk(pipeline(), agent, ["Hello."], caller="script")
    assert call.transcript.by("caller") == ["Hello there."]


async def test_transcript_states_and_the_last_turns_latency_are_drawn(page, pipeline, agent):
    states = []
    running = asyncio.create_task(talk(pipeline(), agent, ["Hello."], caller="script"))
    await page.until(lambda state: states.append(state["state"]) or state["bar"])
    assert {"the caller speaks", "the agent speaks"} & set(states)
    call = await running
    total = sum(ms for _, ms, _ in page.shown[0].state["bar"])
    assert total == pytest.approx(call.turns[-1].first_sample, abs=1)


async def test_the_meters_move_with_both_voices(page, pipeline, agent):
    await talk(pipeline(), agent, ["Hello."], caller="script")
    levels = [message["levels"] for message in page.sent if "levels" in message]
    assert max(caller for caller, _, _ in levels) > 0.2 and max(heard for _, _, heard in levels) > 0.2
    assert all(caller == cleaned for caller, cleaned, _ in levels), "nothing cleans"
    assert (0.0, 0.0, 0.0) in levels, "and they fall"


async def test_when_the_call_is_over_a_picture_stays_in_place_of_the_widget(page, pipeline, agent):
    await talk(pipeline(), agent, ["Hello."], caller="script")
    assert isinstance(page.shown[-1], Picture)
    html = page.shown[-1]._repr_html_()
    assert "Good morning to you." in html and "last turn" in html and "Stop" not in html


async def test_a_second_call_hangs_up_the_first_and_says_so(page, pipeline, agent):
    first = asyncio.create_task(talk(pipeline(), agent))
    await page.until(lambda state: state["hint"])
    page.press("talk")
    await page.until(lambda state: ("agent", "Good morning to you.") in said(state))
    second = await talk(pipeline(), agent, ["Hello."], caller="script")
    assert first.done(), "the devices of the first were free before the second began"
    assert (await first).transcript.by("caller") == ["Hello there."]
    pictures = [thing for thing in page.shown if isinstance(thing, Picture)]
    assert "Another call was started" in repr(pictures[0]) and "Another" not in repr(pictures[1])
    assert second.transcript.by("agent")


async def test_a_second_call_takes_over_from_one_that_waits_for_a_caller(page, pipeline, agent):
    first = asyncio.create_task(talk(pipeline(), agent))
    await page.until(lambda state: state["hint"])
    await talk(pipeline(), agent, ["Hello."], caller="script")
    with pytest.raises(CookError, match="Nobody called"):
        await first


async def test_a_device_that_refuses_the_test_is_told_of_and_the_panel_waits_on(page, pipeline, agent, monkeypatch):
    async def refuse(device):
        raise DeviceError("The speaker 'beamer' could not be opened", "choose another")

    monkeypatch.setattr(menus.devices, "names", lambda side: ["beamer"])
    monkeypatch.setattr(menus.device_check, "test_tone", refuse)
    running = asyncio.create_task(talk(pipeline(), agent, ["Hello."]))
    await page.until(lambda state: state["hint"])
    page.press("tone")
    state = await page.until(lambda state: state["notes"])
    assert "'beamer'" in state["notes"][0] and "choose another" in state["notes"][0] and state["can"]["talk"]
    page.press("stop")
    with pytest.raises(CookError):
        await running


async def test_a_level_check_says_how_loud_it_was(page, pipeline, agent, monkeypatch):
    async def level(device, seconds):
        return -92.4

    monkeypatch.setattr(menus.devices, "names", lambda side: ["headset"])
    monkeypatch.setattr(menus.device_check, "level", level)
    running = asyncio.create_task(talk(pipeline(), agent, ["Hello."]))
    await page.until(lambda state: state["hint"])
    page.press("check")
    await page.until(lambda state: "-92 dBFS — nothing was heard" in state["state"])
    page.press("heard", -12.0)  # the browser's own check
    await page.until(lambda state: "-12 dBFS — speech" in state["state"])
    page.press("stop")
    with pytest.raises(CookError):
        await running


async def test_devices_plugged_in_later_appear_and_the_choice_stays(page, pipeline, agent, monkeypatch):
    running = asyncio.create_task(talk(pipeline(), agent, ["Hello."]))
    state = await page.until(lambda state: state["hint"])
    assert state["menus"]["input"] == ["browser", [("browser", "this browser's microphone")]]
    page.press("input", "browser")
    monkeypatch.setattr(menus.devices, "names", lambda side: ["headset", "camera"])
    page.press("refresh")
    state = await page.until(lambda state: len(state["menus"]["input"][1]) == 3)
    assert state["menus"]["input"][0] == "browser"
    page.press("input", "camera")
    await page.until(lambda state: state["menus"]["input"][0] == "camera")
    page.press("stop")
    with pytest.raises(CookError):
        await running
