"""Noise cancellation in a call: between caller and session, in the recording, and changed in mid-call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from livekit import rtc

import lkcook
from lkcook.call import talk
from lkcook.errors import CookError
from lkcook.treatment import background
from tests.call.cancellers import BLOCK, HUM, NOISY, Gate, Late, Slow, db, notes, rms, wanting
from tests.call.conftest import BeepingCaller
from tests.scripted_models import RATE


async def test_the_session_hears_the_cleaned_sound_and_the_recording_keeps_the_noise(pipeline, agent):
    gate, caller = Gate(), BeepingCaller([0.4])
    call = await talk(pipeline(), agent, caller=caller, noise=NOISY, room_options=wanting(gate))

    assert call.transcript.by("caller") == ["Hello there."], "in the noise the recogniser would never hear an end"
    (line,) = caller.spoken
    before, after = (round((at - call.started_at) * RATE) for at in (line.started_at, line.ended_at))
    left, cleaned = call.recording.samples[:, 0], call.cleaned.samples
    began, margin = int(np.flatnonzero(left)[0]), 4 * BLOCK
    assert db(left[began : before - margin]) == pytest.approx(-25 - 2, abs=0.1)
    assert not cleaned[: before - margin].any()
    line = slice(before + margin, after - margin)
    assert rms(cleaned[line]) == pytest.approx(rms(left[line]), rel=0.05)
    assert call.canceller == "Gate" and gate.closed == 1


async def test_without_a_canceller_the_agent_hears_what_the_microphone_had(pipeline, agent):
    call = await talk(pipeline(), agent, caller=BeepingCaller([0.4]))
    left = call.recording.samples[:, 0]
    assert call.canceller == "off" and np.array_equal(call.cleaned.samples, left[: len(call.cleaned.samples)])
    assert call.cleaned.samples.any() and call.cleaned.channels == 1


async def test_a_canceller_that_raises_lets_the_sound_pass_and_is_told_of_once(pipeline, agent):
    events: list[tuple[str, Any]] = []
    options = wanting(Gate(RuntimeError("no model")))
    caller, follow = BeepingCaller([0.4]), lambda *event: events.append(event)
    call = await talk(pipeline(), agent, caller=caller, room_options=options, on_event=follow)
    assert call.transcript.by("caller") == ["Hello there."] and call.cleaned.samples.any()
    (note,) = notes(events)
    assert "Gate raised RuntimeError: no model" in note


async def test_a_canceller_that_is_not_enabled_is_not_asked(pipeline, agent):
    gate = Gate(RuntimeError("never"))
    gate.enabled = False
    await talk(pipeline(), agent, caller=BeepingCaller([0.4]), room_options=wanting(gate))
    assert gate.frames == 0


async def test_a_call_tells_how_long_its_canceller_took_for_a_second_of_sound(pipeline, agent):
    slow = Slow(BLOCK / RATE / 5)
    call = await talk(pipeline(), agent, caller=BeepingCaller([0.4]), room_options=wanting(slow))
    assert call.canceller_load >= 0.2, "a fifth of each frame, or more on a busy machine"
    assert call.canceller_load == pytest.approx(slow.took / slow.heard, rel=0.1)


async def test_without_a_canceller_none_took_any_time(pipeline, agent):
    assert (await talk(pipeline(), agent, caller=BeepingCaller([0.4]))).canceller_load == 0.0


async def test_cancellers_that_follow_each_other_are_added_up_and_the_sound_before_them_is_not(pipeline, agent):
    cancellers = [Slow(0.002), Slow(0.006)]
    left = iter(cancellers)

    def change(kind: str, payload: Any) -> None:
        if kind == "agent" and (following := next(left, None)) is not None:
            lkcook.last_call().canceller = following

    session = pipeline(["One.", "Two.", "Three."], ["Yes.", "Well.", "No."])
    call = await talk(session, agent, caller=BeepingCaller([0.4] * 3), on_event=change)
    took, heard = (sum(getattr(each, name) for each in cancellers) for name in ("took", "heard"))
    assert all(each.heard > 0.4 for each in cancellers) and heard < call.duration - 0.4
    assert call.canceller_load == pytest.approx(took / heard, rel=0.1)


async def test_a_canceller_chosen_in_mid_call_takes_over_without_a_gap_and_off_is_off(pipeline, agent):
    late = Late()

    def change(kind: str, payload: Any) -> None:
        if kind == "agent":
            lkcook.last_call().canceller = late if not late.frames else "off"

    session = pipeline(["One.", "Two.", "Three."], ["Yes.", "Well.", "No."])
    call = await talk(session, agent, caller=BeepingCaller([0.4] * 3), noise=(HUM, 20), on_event=change)
    cleaned = call.cleaned.samples[BLOCK : len(call.cleaned.samples) // BLOCK * BLOCK].reshape(-1, BLOCK)
    assert late.frames > 10 and cleaned.any(axis=1).all(), "there is noise all the time, and so the agent hears it"
    assert call.canceller == "off" and late.closed == 1


async def test_the_noise_can_be_changed_in_mid_call(pipeline, agent):
    def change(kind: str, payload: Any) -> None:
        if kind == "agent":
            call = lkcook.last_call()
            call.noise = ("hiss", 30) if call.noise == ("recording", 20.0) else None

    session = pipeline(["One.", "Two."], ["Yes, of course, my dear.", "No."])
    call = await talk(session, agent, caller=BeepingCaller([0.4] * 2), noise=(HUM, 20), on_event=change)
    left = call.recording.samples[:, 0]
    began = int(np.flatnonzero(left)[0])
    assert db(left[began : began + 10 * BLOCK]) == pytest.approx(-45, abs=0.1)
    assert not left[-5 * BLOCK :].any() and call.noise is None


async def test_a_muted_caller_has_no_noise_around_it():
    caller = BeepingCaller([0.4])
    caller.background = background(NOISY)
    assert np.frombuffer((await anext(caller)).data, np.int16).any()
    caller.muted = True
    assert not np.frombuffer((await anext(caller)).data, np.int16).any()


async def test_a_caller_has_its_usual_canceller_unless_another_is_asked_for(pipeline, agent):
    for options, in_force in ((None, "webrtc"), (wanting(Gate()), "Gate")):
        caller = BeepingCaller([0.4])
        caller.usual_canceller = "webrtc"
        call = await talk(pipeline(), agent, caller=caller, room_options=options)
        assert call.canceller == in_force


async def test_a_selector_chooses_for_a_standard_participant(pipeline, agent):
    gate, asked = Gate(), []

    def select(params: Any) -> rtc.FrameProcessor[rtc.AudioFrame] | None:
        asked.append((params.participant.kind, params.track.kind))
        return gate

    call = await talk(pipeline(), agent, caller=BeepingCaller([0.4]), noise=NOISY, room_options=wanting(select))
    assert asked == [(rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD, rtc.TrackKind.KIND_AUDIO)]
    assert call.canceller == "Gate" and call.transcript.by("caller") == ["Hello there."] and gate.closed == 1


async def test_what_a_selector_raises_is_told_of_and_the_call_goes_on(pipeline, agent):
    events: list[tuple[str, Any]] = []
    call = await talk(
        pipeline(),
        agent,
        caller=BeepingCaller([0.4]),
        room_options=wanting(lambda params: params.room),
        on_event=lambda *event: events.append(event),
    )
    (note,) = notes(events)
    assert "AttributeError" in note and call.canceller == "off"


async def test_what_room_options_mean_only_in_a_room_is_told(pipeline, agent):
    events: list[tuple[str, Any]] = []
    options = wanting(Gate(), sample_rate=16_000)
    options.text_output = False
    caller, follow = BeepingCaller([0.4]), lambda *event: events.append(event)
    await talk(pipeline(), agent, caller=caller, room_options=options, on_event=follow)
    (note,) = notes(events)
    assert "text_output, audio_input.sample_rate" in note


@pytest.mark.parametrize("noise", ["rain of frogs", ("hiss",), ("hiss", "loud"), 5])
async def test_a_noise_that_is_none_is_refused_before_the_call(pipeline, agent, noise):
    with pytest.raises(CookError, match="noise"):
        await talk(pipeline(), agent, caller=BeepingCaller([0.4]), noise=noise)
