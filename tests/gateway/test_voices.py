"""Voices and their options through LiveKit's own client."""

from __future__ import annotations

import numpy as np
import pytest
from livekit.agents import inference

import lkcook
from lkcook.report.answers import Spoken
from tests.speech import word_error_rate

JACQUELINE = "9626c31c-bec5-4cca-baa8-f8ba9e84c8bc"
SENTENCE = "I have a table for four people at half past eight, by the window."


def _jacqueline(**extra: object) -> inference.TTS:
    return inference.TTS("cartesia/sonic-3", voice=JACQUELINE, language="en", extra_kwargs=extra)  # type: ignore[arg-type]


async def _length(model: inference.TTS) -> float:
    return (await lkcook.say(model, SENTENCE)).clip.duration


@pytest.fixture(autouse=True)
def _embedded(embedded: None) -> None:
    """The gateway of this test run is the backend in force."""


async def test_an_unknown_voice_is_refused_with_the_valid_ones() -> None:
    with pytest.raises(lkcook.CallError, match="unknown voice 'nobody'.*Jacqueline.*Blake") as refusal:
        await lkcook.say("cartesia/sonic-3:nobody", "Hello, who is there?")
    assert refusal.value.stage == "text to speech" and "lists them" in refusal.value.remedy


async def test_a_voice_that_died_is_refused_as_a_model() -> None:
    with pytest.raises(lkcook.CallError, match="rime/coda"):
        await lkcook.say("rime/arcana:luna", "Hello, who is there?")


@pytest.mark.parametrize(
    ("model", "voice", "extra", "factor"),
    [
        ("cartesia/sonic-3", JACQUELINE, {"speed": 1.2}, 1.2),
        ("cartesia/sonic-3", JACQUELINE, {"speed": "slow"}, 0.8),
        ("rime/coda", "", {"speed_alpha": 0.8}, 1.25),
        ("inworld/inworld-tts-2", "", {"speaking_rate": 1.3}, 1.3),
        ("xai/tts-1", "", {"speed": 0.8}, 0.8),
        ("fishaudio/s2-pro", "", {"speed": 1.5}, 1.5),
    ],
)
async def test_each_provider_spells_tempo_its_own_way(model: str, voice: str, extra: dict, factor: float) -> None:
    plain, changed = [await _length(inference.TTS(model, voice=voice, extra_kwargs=e)) for e in ({}, extra)]
    assert plain / changed == pytest.approx(factor, rel=0.05)


async def test_emotion_bends_the_melody_and_volume_the_loudness() -> None:
    cheerful, sad = [await lkcook.say(_jacqueline(emotion=mood), SENTENCE) for mood in ("cheerful", "sad")]
    assert lkcook.pitch_range(cheerful.clip) > 1.5 * lkcook.pitch_range(sad.clip)
    loud, quiet = [await lkcook.say(_jacqueline(volume=factor), SENTENCE) for factor in (1.0, 0.5)]
    assert np.std(loud.clip.samples) == pytest.approx(2 * np.std(quiet.clip.samples), rel=0.1)


@pytest.mark.parametrize("extra", [{"speed": 9}, {"speed": "very"}, {"volume": -1}, {"speed": True}])
async def test_a_value_out_of_range_is_refused_with_the_range(extra: dict) -> None:
    with pytest.raises(lkcook.CallError, match=f"{next(iter(extra))} is .*a number from"):
        await lkcook.say(_jacqueline(**extra), SENTENCE)


async def test_what_changes_nothing_here_is_noted_and_what_nobody_knows_too() -> None:
    said = await lkcook.say(_jacqueline(max_buffer_delay_ms=1, wings=2, emotion="philosophical"), "Good evening to you.")
    notes = said.requests.notes
    assert "max_buffer_delay_ms: only the cloud honours it" in notes
    assert any(note.startswith("wings: livekit-agents knows no such option") for note in notes)
    assert any("'philosophical' is not known here" in note and "cheerful" in note for note in notes)


async def test_a_language_is_read_as_its_own_and_one_nobody_speaks_is_refused() -> None:
    said = await lkcook.say(inference.TTS("cartesia/sonic-3", voice=JACQUELINE, language="es"), "Buenas tardes, señora.")
    heard = await lkcook.hear("deepgram/nova-3:es", said)
    assert word_error_rate("Buenas tardes señora", heard.text) <= 0.34
    with pytest.raises(lkcook.CallError, match="no voice here speaks 'fr'; they speak en and es"):
        await lkcook.say(inference.TTS("cartesia/sonic-3", voice=JACQUELINE, language="fr"), "Bonsoir, madame.")


def _in_order_and_inside(said: Spoken) -> bool:
    starts = [word.start for word in said.words]
    return starts == sorted(starts) and 0 <= starts[0] and said.words[-1].end <= said.clip.duration


async def test_words_come_with_their_times_when_asked_for() -> None:
    said = await lkcook.say(_jacqueline(add_timestamps=True), "Your table is booked. See you tomorrow evening.")
    assert [word.text for word in said.words] == "Your table is booked. See you tomorrow evening.".split()
    assert _in_order_and_inside(said)
    last, gap = said.words[3], said.words[4].start - said.words[3].end
    assert last.end > 0.5 and gap > 0.1, "a pause lies between the sentences"


async def test_inworlds_characters_come_with_their_times_too() -> None:
    model = inference.TTS("inworld/inworld-tts-1", voice="Ashley", extra_kwargs={"timestamp_type": "CHARACTER"})
    said = await lkcook.say(model, "Your table is booked.")
    assert "".join(word.text or " " for word in said.words).split() == "Your table is booked.".split()
    assert _in_order_and_inside(said)


async def test_without_being_asked_no_times_are_sent() -> None:
    assert (await lkcook.say(_jacqueline(), "Your table is booked.")).words == ()
