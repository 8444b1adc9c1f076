"""The recordings of turns: their marks agree with their sound, and the words can be understood."""

from __future__ import annotations

import numpy as np
import pytest

import lkcook
from lkcook.audio.clip import Clip
from lkcook.engines import weights
from lkcook.engines.speech_to_text import SpeechToText
from lkcook.pcm import to_float
from lkcook.turns.recordings import FOLDER, RATE

RECORDINGS = {each.name: each for each in lkcook.turn_recordings()}
KINDS = {
    "pause in mid-sentence",
    "trailing um",
    "spelled number",
    "short answer",
    "complete sentence",
    "back-channel",
    "cough",
    "Spanish",
    "noise",
    "human",
}
UNDERSTOOD = ["two-pauses", "cancel-my-table", "una-mesa", "vegetarian-pink", "human-respectable"]


def level(recording: lkcook.TurnRecording, start: float, end: float) -> float:
    """RMS."""
    samples = to_float(recording.clip.samples)[int(start * RATE) : int(end * RATE)]
    return float(np.sqrt(np.mean(samples**2)))


def test_there_are_enough_of_every_kind_and_they_are_small() -> None:
    assert len(RECORDINGS) >= 26 and {each.kind for each in RECORDINGS.values()} == KINDS
    assert {each.language for each in RECORDINGS.values()} == {"en", "es"}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 2.5e6


@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=RECORDINGS)
def test_marks_agree_with_the_sound(recording) -> None:
    assert recording.clip.sample_rate == RATE and recording.clip.channels == 1
    assert recording.clip.duration - recording.end >= 3.2
    assert bool(recording.words) == bool(recording.text) and all(word.start >= 0.49 for word in recording.words)
    speech = level(recording, 0.5, recording.end)
    for start, end in recording.pauses:
        assert 0.49 <= end - start <= 1.51 and 0.5 < start < end < recording.end
        assert recording.kind == "noise" or level(recording, start, end) < 0.1 * speech
        assert not any(start + 0.01 < (word.start + word.end) / 2 < end - 0.01 for word in recording.words)
    if recording.kind != "noise":
        assert level(recording, 0, 0.45) < 0.1 * speech and level(recording, recording.end + 0.05, 9e9) < 0.1 * speech
        assert level(recording, recording.end - 0.2, recording.end) > 3 * level(recording, recording.end + 0.05, 9e9)


def test_the_turn_alone_has_no_silence_around_it() -> None:
    recording = RECORDINGS["yes"]
    assert recording.spoken.duration == pytest.approx(recording.end - 0.5, abs=0.05)


def test_what_is_said_can_be_understood() -> None:
    ear = SpeechToText(weights.fetch("whisper-base"))
    said = [RECORDINGS[name] for name in UNDERSTOOD]
    heard = [
        ear.transcribe(to_float(each.clip.samples[: int((each.end + 0.3) * RATE)]), language=each.language).text
        for each in said
    ]
    assert lkcook.word_error_rate([each.text for each in said], heard) < 0.2, heard


def test_a_recording_of_ones_own_gets_its_marks_from_its_sound() -> None:
    known = RECORDINGS["car-park"]
    bare = Clip(known.clip.samples[int(0.4 * RATE) : int((known.end + 0.1) * RATE)], RATE)
    own = lkcook.TurnRecording.of(bare, text=known.text, name="parking")
    assert own.clip.duration - own.end >= 3.19 and own.kind == "my own" and own.answerable
    [(start, end)] = own.pauses
    assert end - start == pytest.approx(1.0, abs=0.25)
    assert own.end - start == pytest.approx(known.end - known.pauses[0][0], abs=0.2)


def test_marks_that_are_given_are_kept_and_move_with_the_silence_that_is_added() -> None:
    clip = Clip(np.zeros(2 * RATE, np.int16), RATE)
    own = lkcook.TurnRecording.of(clip, pauses=[(0.4, 1.0)], end=1.5)
    assert own.pauses == ((pytest.approx(0.5), pytest.approx(1.1)),) and own.end == pytest.approx(1.6)
    assert own.clip.duration == pytest.approx(1.6 + 3.2, abs=0.001)


def test_of_a_call_the_callers_side_is_taken_and_of_that_the_turn_that_is_meant() -> None:
    turn = RECORDINGS["yes"]
    caller = np.concatenate([turn.clip.samples, turn.clip.samples])
    both = Clip(np.stack([caller, np.roll(caller, 9000)], axis=1), RATE)
    own = lkcook.TurnRecording.of(both, between=(turn.clip.duration, 2 * turn.clip.duration))
    assert own.end == pytest.approx(turn.end, abs=0.15) and own.pauses == ()


def test_silence_is_no_turn() -> None:
    with pytest.raises(lkcook.CookError, match="Nobody speaks"):
        lkcook.TurnRecording.of(Clip(np.zeros(RATE, np.int16), RATE))


async def test_it_can_be_made_in_a_notebook_whose_event_loop_runs() -> None:
    assert lkcook.TurnRecording.of(RECORDINGS["yes"].clip).pauses == ()
