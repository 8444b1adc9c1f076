"""LiveKit's turn detector v1 in a call: its answer decides how long the agent waits, and a reader sees when it is away."""

from __future__ import annotations

from livekit.agents import inference

from lkcook import Call, failing, talk
from lkcook.gateway.end_of_turn import THRESHOLD
from lkcook.terminal import ava, new_session


async def _call() -> tuple[Call, list[str]]:
    """And its notes."""
    notes: list[str] = []
    session = new_session(turn_handling={"turn_detection": inference.TurnDetector(version="v1")})
    call = await talk(
        session,
        ava(),
        ["What are your opening hours?"],
        caller="script",
        on_event=lambda kind, payload: notes.append(payload) if kind == "note" else None,
    )
    return call, notes


async def test_the_agent_waits_as_the_detector_says() -> None:
    call, notes = await _call()
    opening, *questions = call.requests.to("turn detector")
    judged = [span.attributes for span in call.trace.spans if span.name == "eou_detection"]
    used = {f"probability {it['lk.eou.probability']:.2f}" for it in judged if "lk.eou.probability" in it}
    assert opening.answered_by == "turn-detector-v1" and notes == []
    assert used and used <= {question.answer for question in questions}
    assert {it["lk.eou.unlikely_threshold"] for it in judged if "lk.eou.probability" in it} == {THRESHOLD}


async def test_without_it_the_local_model_decides_and_a_note_tells() -> None:
    with failing("turn-detector-v1"):
        _, notes = await _call()
    assert any("falling back to local mini model" in note for note in notes)
