"""What an echo canceller does to both ends of a conversation, measured in a simulated room."""

from __future__ import annotations

import numpy as np
import pytest

from lkcook import Acoustics, Clip, CookError, EchoStudy, TurnRecording, compare_echo, turn_recordings
from lkcook.noise.echo_trials import ALONE
from tests.scripted_models import ScriptedSTT

RECORDINGS = {each.name: each for each in turn_recordings()}
NEAR, FAR = RECORDINGS["cancel-my-table"], RECORDINGS["human-in-one-go"]


@pytest.fixture(params=[Acoustics.laptop(), Acoustics.loudspeaker()], ids=lambda room: room.name)
async def study(request) -> EchoStudy:
    return await compare_echo(NEAR, FAR, acoustics=request.param)


def row(study: EchoStudy, microphone: str) -> dict:
    (found,) = [each for each in study.rows if each["microphone"] == microphone]
    return found


async def test_the_canceller_removes_the_echo_and_leaves_the_caller(study):
    before, after = row(study, "no canceller"), row(study, "canceller")
    assert after["erle"] >= 15 and before["echo"] - after["echo"] >= 15
    assert 0 <= after["converged"] < ALONE
    assert after["near"] > -6, "double-talk costs the caller some of his level, but not his words"
    assert before["near"] == pytest.approx(0, abs=1) and before["erle"] is None


async def test_headphones_need_no_canceller(study):
    beside = row(study, "headphones")
    assert beside["echo"] < row(study, "no canceller")["echo"] - 30
    assert beside["near"] == pytest.approx(0, abs=0.2)


async def test_the_erle_is_told_only_where_the_far_end_is_alone(study):
    at, gained = study.erle
    assert len(at) == len(gained) > 50
    assert not ((at + 0.25 > study.begin) & (at < study.end)).any()


async def test_everything_can_be_heard_and_seen(study):
    assert list(study.clips) == ["no canceller", "canceller", "headphones"]
    assert {clip.duration for clip in study.clips.values()} == {study.far.duration} == {study.near.duration}
    assert study.double_talk("canceller").duration == pytest.approx(study.end - study.begin + 0.4, abs=0.01)
    assert study.plot().png.startswith(b"\x89PNG")
    for shown in (repr(study), study._repr_html_()):
        assert all(label in shown for label in study.clips) and "ERLE" in shown


async def test_a_recogniser_tells_whether_the_caller_is_understood_while_both_speak():
    hearing = ScriptedSTT(["not a single word of it is his", NEAR.text, NEAR.text], silence=0.8)
    study = await compare_echo(NEAR, FAR, recogniser=hearing)

    rates = [each["wer"] for each in study.rows]
    assert rates[0] >= 1 and rates[1:] == [0, 0]
    assert row(study, "canceller")["understood"] == NEAR.text


@pytest.mark.parametrize("end", ["near", "far"])
async def test_silence_at_either_end_is_refused(end):
    ends = {"near": NEAR, "far": FAR, end: Clip(np.zeros(48_000, np.int16), 48_000)}
    with pytest.raises(CookError, match=f"no sound at the {end} end"):
        await compare_echo(**ends)


async def test_without_words_there_is_nothing_to_compare_a_transcript_with():
    nameless = TurnRecording.of(NEAR.clip, pauses=[], end=NEAR.end)
    with pytest.raises(CookError, match="not known what the near end says"):
        await compare_echo(nameless, FAR, recogniser=ScriptedSTT([]))


async def test_an_unknown_microphone_is_refused_by_name(study):
    with pytest.raises(CookError, match="no canceller, canceller, headphones"):
        study.double_talk("telephone")
