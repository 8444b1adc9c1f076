"""Turn detectors that need words, with a recogniser of the gateway."""

from __future__ import annotations

from livekit.agents import inference

import lkcook
from tests.scripted_turns import ScriptedReader


async def test_a_text_detector_reads_what_is_understood_and_flux_ends_turns_itself() -> None:
    [english] = [each for each in lkcook.turn_recordings() if each.name == "two-pauses"]
    [spanish] = [each for each in lkcook.turn_recordings() if each.name == "una-mesa"]
    reader, flux = ScriptedReader([0.1]), inference.STT("deepgram/flux-general")
    study = await lkcook.compare_turns([english, spanish], {"reader": reader, "flux": flux})
    first, second = study.of("reader").rows
    assert first["cut_offs"] == second["cut_offs"] == [] and first["wait"] > 2 < second["wait"]
    texts = [each["text"] for each in first["asked"]]
    assert all(later.startswith(earlier) for earlier, later in zip(texts, texts[1:]))
    assert lkcook.word_error_rate(english.text, texts[-1]) < 0.4
    assert lkcook.word_error_rate(spanish.text, second["asked"][-1]["text"]) < 0.4
    assert len(reader.asked) == len(first["asked"]) + len(second["asked"])
    assert study.of("flux").rows[0]["committed"] is not None and study.fixed == {"flux"}
