"""Turn detectors hear recordings: scripted ones are asked when and what a session would ask, LiveKit's own decide."""

from __future__ import annotations

import pytest
from livekit.agents import APIStatusError, inference, stt
from livekit.plugins import silero

import lkcook
from tests.scripted_models import ScriptedSTT
from tests.scripted_turns import ScriptedListener, ScriptedReader

RECORDINGS = {each.name: each for each in lkcook.turn_recordings()}
CAR_PARK = RECORDINGS["car-park"]  # "Is there a car park", a second of silence, "near the clinic?"


def words(*texts: str | Exception) -> ScriptedSTT:
    """What is understood of each burst of sound, 0.3 s after it."""
    return ScriptedSTT(texts, silence=0.3)


async def test_each_kind_of_detector_is_asked_where_a_session_asks_it() -> None:
    patient, hasty = ScriptedReader([0.1, 0.9]), ScriptedReader([0.9])
    listener, flux = ScriptedListener([0.9, 0.1]), words("Is there a car park", "near the clinic?")
    study = await lkcook.compare_turns(
        [CAR_PARK],
        {"patient": patient, "hasty": hasty, "listener": listener, "flux": flux, "VAD": inference.VAD()},
        stt=words("Is there a car park", "near the clinic?"),
    )
    assert patient.asked == ["Is there a car park", "Is there a car park near the clinic?"]
    assert hasty.asked == ["Is there a car park", "near the clinic?"]  # a turn that is committed is forgotten
    cut = {row["detector"]: len(row["cut_offs"]) for row in study.rows}
    assert cut == {"patient": 0, "hasty": 1, "listener": 1, "flux": 1, "VAD": 1}
    waits = {row["detector"]: row["wait"] for row in study.rows}
    assert 0.3 < waits["patient"] < 1.5 < 2.3 < waits["listener"] < 2.9  # min_delay; a streaming detector's max_delay
    assert listener.heard == pytest.approx(CAR_PARK.clip.duration, abs=0.1) and "turn committed" in listener.flushed
    assert "–" in repr(study.of("flux")) and study.of("patient").rows[0]["asked"][1]["finished"]


async def test_a_prediction_that_never_comes_counts_as_finished_once_the_session_gives_it_up() -> None:
    silent = ScriptedListener([None])
    study = await lkcook.compare_turns([RECORDINGS["yes"]], {"silent": silent})
    [row] = study.rows
    assert silent.cancelled == 1 and row["asked"][0]["probability"] is None and row["wait"] >= 0.3


async def test_the_readers_own_delays_count_for_every_detector() -> None:
    study = await lkcook.compare_turns(
        [RECORDINGS["yes"]],
        {"VAD": inference.VAD(), "listener": ScriptedListener([0.1])},
        endpointing={"min_delay": 1.0, "max_delay": 2.0},
    )
    waits = {row["detector"]: row["wait"] for row in study.rows}
    assert waits["VAD"] == pytest.approx(1.0, abs=0.2) and waits["listener"] == pytest.approx(2.0, abs=0.2)


async def test_livekits_own_detectors_decide_each_in_its_way() -> None:
    some = [RECORDINGS[name] for name in ("car-park", "two-pauses", "una-mesa", "um-hum")]
    mini = inference.TurnDetector(version="v1-mini")
    detectors = {"VAD": inference.VAD(), "silero": silero.VAD.load(), "v1-mini": mini}
    study = await lkcook.compare_turns(some, detectors)
    asked = {label: [each for row in study.of(label).rows for each in row["asked"]] for label in detectors}
    assert all(each["probability"] is None for label in ("VAD", "silero") for each in asked[label])
    assert all(0 <= each["probability"] <= 1 for each in asked["v1-mini"])
    thresholds = [{each["threshold"] for each in row["asked"]} for row in study.of("v1-mini").rows]
    assert thresholds[0] != thresholds[2]  # each language has its own
    assert study.score("v1-mini").cut_offs < study.score("VAD").cut_offs == 4
    assert study.score("VAD").needless == 1 and study.score("VAD").turns == 3
    assert all(row["wait"] > 0 for row in study.rows) and not study.notes


async def test_what_detects_no_turns_is_refused_by_name() -> None:
    with pytest.raises(lkcook.CookError, match="'mine' is a str"):
        await lkcook.compare_turns([CAR_PARK], {"mine": "vad"})
    whole = ScriptedSTT([])
    whole._capabilities = stt.STTCapabilities(streaming=False, interim_results=False)
    with pytest.raises(lkcook.CookError, match="does not stream"):
        await lkcook.compare_turns([CAR_PARK], {"whole": whole})
    with pytest.raises(lkcook.CookError, match="no use for alpha, mode"):
        await lkcook.compare_turns([CAR_PARK], {"VAD": inference.VAD()}, endpointing={"mode": "dynamic", "alpha": 0.5})
    with pytest.raises(lkcook.CookError, match="nothing to compare"):
        await lkcook.compare_turns([], {"VAD": inference.VAD()})


async def test_an_stt_that_is_refused_says_so() -> None:
    refusal = APIStatusError("no such model", status_code=404, retryable=False)
    with pytest.raises(lkcook.CallError, match="speech to text stage: no such model"):
        await lkcook.compare_turns([RECORDINGS["yes"]], {"reader": ScriptedReader([0.9])}, stt=words(refusal))


async def test_an_error_of_a_detector_is_the_readers_to_see() -> None:
    class Broken(ScriptedReader):
        async def predict_end_of_turn(self, *args: object, **options: object) -> float:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        await lkcook.compare_turns([RECORDINGS["yes"]], {"reader": Broken([])}, stt=words("Yes."))
