"""The panel's noise cancellation and background noise."""

from __future__ import annotations

import asyncio

import pytest

from lkcook.call import last_call, talk
from lkcook.errors import CookError
from lkcook.treatment import catalogue
from tests.call.cancellers import Gate, wanting


def chosen(state):
    return state["sound"]["canceller"][0]


async def test_before_a_call_everything_can_be_chosen_and_the_call_has_it(page, pipeline, agent):
    running = asyncio.create_task(talk(pipeline(), agent, ["Hello."]))
    state = await page.until(lambda state: state["hint"])
    values = [value for value, _ in state["sound"]["canceller"][1]]
    assert state["can"]["sound"] and values == ["usual", "off", *catalogue.NAMES]
    assert state["sound"]["amount"] == 0 and state["sound"]["loudness"] == "off"
    page.press("canceller", "webrtc")
    page.press("amount", 10)
    await page.until(lambda state: chosen(state) == "webrtc" and state["sound"]["loudness"] == "20 dB below speech")
    page.press("script")
    call = await running
    assert call.canceller == "webrtc" and call.noise[1] == 20 and call.recording.samples[:2000, 0].any()


async def test_both_change_in_mid_call(page, pipeline, agent):
    running = asyncio.create_task(talk(pipeline(), agent))
    await page.until(lambda state: state["hint"])
    page.press("talk")
    await page.until(lambda state: ("agent", "Good morning to you.", False) in map(tuple, state["said"]))
    assert (last_call().canceller, last_call().noise) == ("off", None)
    page.press("canceller", "webrtc")
    page.press("amount", 30)
    state = await page.until(lambda state: chosen(state) == "webrtc" and state["sound"]["amount"] == 30)
    assert "usual" not in dict(state["sound"]["canceller"][1]) and state["sound"]["loudness"] == "as loud as speech"
    assert last_call().canceller == "webrtc" and last_call().noise[1] == 0
    page.press("canceller", "off")
    page.press("amount", 0)
    await page.until(lambda state: chosen(state) == "off" and state["sound"]["amount"] == 0)
    assert (last_call().canceller, last_call().noise) == ("off", None)
    page.press("stop")
    await running


async def test_what_the_code_asks_for_is_chosen_and_can_be_returned_to(page, pipeline, agent):
    running = asyncio.create_task(talk(pipeline(), agent, room_options=wanting(gate := Gate()), noise=("hiss", 15)))
    state = await page.until(lambda state: state["hint"])
    assert chosen(state) == "code" and dict(state["sound"]["canceller"][1])["code"] == "Gate: as in the code"
    assert state["sound"]["noise"][0] == "hiss" and state["sound"]["amount"] == 15
    page.press("talk")
    await page.until(lambda state: state["can"]["mute"])
    for choice, in_force in (("off", "off"), ("code", "Gate")):
        page.press("canceller", choice)
        await page.until(lambda state: chosen(state) == choice)
        assert last_call().canceller == in_force and gate.closed == 0
    page.press("stop")
    await running
    assert gate.closed == 1


async def test_the_panel_says_that_bvc_is_not_in_force(page, pipeline, agent):
    from livekit.plugins import noise_cancellation

    options = wanting(noise_cancellation.BVC())
    call = await talk(pipeline(), agent, ["Hello."], caller="script", room_options=options)
    state = page.shown[0].state
    assert dict(state["sound"]["canceller"][1])["code"] == "BVC: not in force here"
    assert any(note.startswith("BVC is not in force") for note in state["notes"]) and call.canceller == "off"
    assert "BVC is not in force" in page.shown[-1]._repr_html_(), "it stays in the notebook"


async def test_a_canceller_that_cannot_be_had_is_told_of_and_the_call_goes_on(page, pipeline, agent, monkeypatch):
    def refuse(name):
        raise CookError(f"The model of {name!r} could not be fetched", "check the network")

    running = asyncio.create_task(talk(pipeline(), agent))
    await page.until(lambda state: state["hint"])
    page.press("talk")
    await page.until(lambda state: state["can"]["mute"])
    monkeypatch.setattr(catalogue, "canceller", refuse)
    page.press("canceller", "webrtc")
    state = await page.until(lambda state: state["notes"])
    assert "could not be fetched" in state["notes"][0] and chosen(state) == "off" and state["can"]["stop"]
    page.press("stop")
    await running


async def test_the_slider_stays_within_its_ends(page, pipeline, agent):
    running = asyncio.create_task(talk(pipeline(), agent))
    await page.until(lambda state: state["hint"])
    page.press("amount", 99)
    state = await page.until(lambda state: state["sound"]["amount"])
    assert state["sound"]["amount"] == state["sound"]["loudest"] and state["sound"]["loudness"] == "10 dB above speech"
    page.press("stop")
    with pytest.raises(CookError):
        await running
