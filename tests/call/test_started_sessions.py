"""Sessions that `session.start()` has started: `talk()` takes them over as they are, with a room or without."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from livekit.agents import Agent, JobContext
from livekit.agents.voice import room_io
from livekit.plugins import noise_cancellation

import lkcook
from lkcook.call import talk
from lkcook.errors import CookError
from tests.call.cancellers import NOISY, Gate, notes, wanting
from tests.call.conftest import BeepingCaller
from tests.scripted_models import RATE, ScriptedTTS

GREETING = "Welcome to the old museum of sounds."


class Greeter(Agent):
    """Counts how often it is entered, and greets then."""

    def __init__(self, greeting: str = "") -> None:
        super().__init__(instructions="Be brief.")
        self.entered, self.greeting = 0, greeting

    async def on_enter(self) -> None:
        self.entered += 1
        if self.greeting:
            self.session.say(self.greeting)


@pytest.fixture
async def ctx() -> AsyncIterator[JobContext]:
    async with lkcook.job(turn_detector=False) as context:
        yield context


def sounding(samples: np.ndarray) -> float:
    """Seconds from the first sound to the last."""
    heard = np.flatnonzero(np.abs(samples.astype(int)) > 300)
    return float(heard[-1] - heard[0]) / RATE


async def test_livekits_own_code_runs_in_a_room_that_is_connected_to_nothing(ctx, pipeline, caplog):
    session, agent, events = pipeline(), Greeter(), []
    await session.start(
        room=ctx.room,
        agent=agent,
        room_options=room_io.RoomOptions(
            audio_input=room_io.AudioInputOptions(noise_cancellation=noise_cancellation.BVC())
        ),
    )
    call = await talk(session, caller=BeepingCaller([0.4]), on_event=lambda *event: events.append(event))

    assert call.transcript.by("agent") == ["Good morning to you. "] and call.recording.channel("agent").samples.any()
    assert agent.entered == 1 and ("state", ("agent", "speaking")) in events
    (note,) = notes(events)
    assert note.startswith("BVC is not in force") and "LiveKit Cloud" in note and "lkcook.canceller(" in note
    assert call.canceller == "off" and "session event" not in caplog.text


@pytest.mark.parametrize("make", [noise_cancellation.NC, noise_cancellation.BVCTelephony])
async def test_each_of_the_clouds_cancellers_is_named(pipeline, agent, make):
    events: list[tuple[str, Any]] = []
    follow = lambda *event: events.append(event)  # noqa: E731
    await talk(pipeline(), agent, caller=BeepingCaller([0.4]), room_options=wanting(make()), on_event=follow)
    assert notes(events)[0].startswith(f"{make.__name__} is not in force")


async def test_the_rooms_canceller_is_in_force_and_closed_with_the_room(ctx, pipeline):
    session, gate = pipeline(), Gate()
    await session.start(room=ctx.room, agent=Greeter(), room_options=wanting(gate))
    call = await talk(session, caller=BeepingCaller([0.4]), noise=NOISY)
    assert call.transcript.by("caller") == ["Hello there."] and call.canceller == "Gate" and gate.closed == 1


async def test_a_greeting_waits_in_the_room_for_the_call_and_is_heard_from_its_beginning(ctx, pipeline):
    session = pipeline(text_to_speech=ScriptedTTS())
    await session.start(room=ctx.room, agent=Greeter(GREETING))
    call = await talk(session, caller=BeepingCaller([0.4]))
    assert [said.text.strip() for said in call.transcript] == [GREETING, "Hello there.", "Good morning to you."]
    greeted, _, _ = call.transcript
    end = round((greeted.ended_at + 0.1) * RATE)
    assert sounding(call.recording.samples[:end, 1]) == pytest.approx(7 * 0.12, abs=0.03)


async def test_a_session_started_without_a_room_is_taken_over_too(pipeline):
    session, agent = pipeline(), Greeter()
    await session.start(agent)
    call = await talk(session, agent, caller=BeepingCaller([0.4]))
    assert call.transcript.by("caller") == ["Hello there."] and agent.entered == 1


async def test_a_session_can_be_started_with_the_room_again_after_the_call(ctx, pipeline):
    session = pipeline()
    for gate in (Gate(), Gate()):
        session.stt.calls.clear()
        await session.start(room=ctx.room, agent=Greeter(), room_options=wanting(gate))
        call = await talk(session, caller=BeepingCaller([0.4]))
        assert call.canceller == "Gate" and gate.frames and call.transcript.by("caller") == ["Hello there."]


async def test_without_an_agent_the_session_must_be_started(pipeline):
    with pytest.raises(CookError, match=r"not started(.|\n)*session\.start\(room=ctx\.room, agent=agent\)"):
        await talk(pipeline(), caller=BeepingCaller([0.4]))


async def test_another_agent_or_late_options_are_refused(pipeline, agent):
    session = pipeline()
    await session.start(agent)
    try:
        with pytest.raises(CookError, match="another agent"):
            await talk(session, Greeter(), caller=BeepingCaller([0.4]))
        with pytest.raises(CookError, match="too late"):
            await talk(session, caller=BeepingCaller([0.4]), room_options=wanting(Gate()))
    finally:
        await session.aclose()
