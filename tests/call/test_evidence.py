"""What a call notes on the way, besides what LiveKit's spans tell: words and sound as they arrive."""

from __future__ import annotations

import pytest

from lkcook.call import talk
from tests.call.conftest import BeepingCaller


async def test_interim_transcripts_words_and_frames_are_kept_with_their_times(pipeline, agent):
    call = await talk(pipeline(), agent, caller=BeepingCaller([0.4]))
    journal, (turn,) = call.journal, call.turns

    assert [text for _, text in journal.interims] == ["Hello"] and journal.interims[0][0] < journal.finals[0][0]
    assert "".join(text for _, text in journal.tokens).strip() == "Good morning to you."
    spoken = call.transcript[-1].ended_at - call.transcript[-1].started_at
    assert sum(seconds for _, seconds in journal.frames) == pytest.approx(spoken, abs=0.1)
    word, frame = journal.tokens[0][0], journal.frames[0][0]
    commit, sample = (call.started_at + turn.last_syllable + ms / 1000 for ms in (turn.turn_commit, turn.first_sample))
    assert commit < word < frame < sample
