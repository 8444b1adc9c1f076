"""What the recognizer tells about real (synthetic) speech, and when; Whisper is played by the test."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from lkcook import pcm
from tests.scripted_engines import Listener, ScriptedEngine, Told
from tests.speech import human, say

BEFORE, AFTER = 0.6, 1.0  # seconds of silence
BOOKING = "I would like to book a table for four people tomorrow evening."
DECODE = 6  # windows (0.2 s) that a decode of a short sentence takes on this project's smallest machine
ENDPOINTING = 0.35
LONGEST = 28.0


def spoken(*parts: str | float) -> np.ndarray:
    return say(BEFORE, *parts, AFTER)


def ends(samples: np.ndarray) -> float:
    """When the last syllable of `spoken()` is over, in seconds."""
    return len(samples) / 16_000 - AFTER


async def heard(samples: np.ndarray, **options: float) -> Listener:
    listener = Listener(latency=DECODE, **options)
    await listener.hear(samples)
    return listener


async def test_an_utterance_begins_once_grows_and_ends_once() -> None:
    kinds = (await heard(spoken(BOOKING))).kinds()
    assert kinds[0] == "speech_started" and kinds[-2:] == ["preflight", "final"]
    assert set(kinds[1:-2]) == {"interim"} and len(kinds) > 4


async def test_interim_transcripts_come_while_the_caller_speaks_and_cover_more_and_more() -> None:
    samples = spoken(BOOKING)
    interim = (await heard(samples)).all("interim")
    assert all(BEFORE < told.at < ends(samples) + 0.1 for told in interim)
    covered = [told.heard.duration for told in interim]
    assert covered == sorted(set(covered)) and covered[0] < covered[-1] / 2


async def test_the_preflight_transcript_comes_in_the_pause_and_the_final_one_says_the_same_after_it() -> None:
    samples = spoken(BOOKING)
    listener = await heard(samples)
    (preflight,), (final,) = listener.all("preflight"), listener.all("final")
    assert ends(samples) < preflight.at < final.at
    assert preflight.heard.transcript is final.heard.transcript
    assert ends(samples) + ENDPOINTING - 0.1 <= final.at <= ends(samples) + ENDPOINTING + 0.2


@pytest.mark.parametrize(("pause", "utterances"), [(0.1, 1), (0.2, 1), (0.6, 2), (1.2, 2)])
async def test_only_a_pause_longer_than_the_endpointing_ends_an_utterance(pause: float, utterances: int) -> None:
    listener = await heard(spoken("I would like to book a table", pause, "for four people tomorrow."))
    assert len(listener.all("speech_started")) == len(listener.all("final")) == utterances


async def test_the_endpointing_can_be_changed_while_the_caller_speaks() -> None:
    samples = spoken("I would like to book a table", 0.6, "for four people tomorrow.")
    patient = await heard(samples, endpointing=0.9)
    assert len(patient.all("final")) == 1

    middle = round((BEFORE + 0.8) * 16_000)
    listener = Listener(latency=DECODE, endpointing=0.9)
    await listener.hear(samples[:middle])
    listener.recognizer.endpointing = ENDPOINTING
    await listener.hear(samples[middle:])
    assert len(listener.all("final")) == 2


async def test_words_after_a_short_pause_replace_the_preflight_transcript() -> None:
    listener = await heard(spoken("I would like to book a table", 0.25, "for four people tomorrow."))
    early, late = listener.all("preflight")
    (final,) = listener.all("final")
    assert early.heard.duration < late.heard.duration and final.text == late.text != early.text


@pytest.mark.parametrize("index", range(5))
async def test_start_and_duration_lie_where_a_human_spoke(index: int) -> None:
    voice, _ = human()[index]
    loud = np.flatnonzero(np.abs(voice) > 0.05 * np.abs(voice).max())
    began, ended = BEFORE + loud[0] / 16_000, BEFORE + loud[-1] / 16_000
    listener = await heard(np.concatenate([np.zeros(9600, np.int16), voice, np.zeros(16_000, np.int16)]))

    finals = [told.heard for told in listener.all("final")]
    assert began - 0.4 <= finals[0].start <= began + 0.1
    assert ended - 0.2 <= finals[-1].start + finals[-1].duration <= ended + 0.2
    assert [told.heard.start for told in listener.all("speech_started")] == [final.start for final in finals]


async def test_every_event_of_an_utterance_has_its_start() -> None:
    listener = await heard(spoken("Good evening.", 1.0, "A table for two, please."))
    starts = {told.heard.start for told in listener.told}
    assert len(starts) == 2 and min(starts) < BEFORE
    assert min(starts) + 1.0 < max(starts) < 1.0 + ends(spoken("Good evening."))


def clicks(level: int) -> np.ndarray:
    samples = np.zeros(48_000, np.int16)
    for at in range(8000, 48_000, 8000):
        samples[at : at + 160] = np.random.default_rng(at).integers(-level, level, 160)
    return samples


SECONDS = np.arange(48_000) / 16_000
NO_SPEECH = {
    "silence": np.zeros(48_000, np.int16),
    "soft noise": np.random.default_rng(0).normal(0, 300, 48_000).astype(np.int16),
    "loud noise": np.random.default_rng(0).normal(0, 5000, 48_000).astype(np.int16),
    "clicks": clicks(10_000),
    "loud clicks": clicks(32_000),
    "a whistle": (8000 * np.sin(2 * np.pi * 880 * SECONDS)).astype(np.int16),
    "mains hum": (3000 * np.sin(2 * np.pi * 50 * SECONDS)).astype(np.int16),
    "one loud step": np.where(SECONDS < 1.5, 0, 12_000).astype(np.int16),
}


@pytest.mark.parametrize("sound", NO_SPEECH)
async def test_what_is_no_speech_starts_nothing(sound: str) -> None:
    listener = await heard(NO_SPEECH[sound])
    await listener.recognizer.finalize()
    assert listener.told == [] and listener.engine.asked == []


@pytest.mark.parametrize("before", [0.0, 0.1, 0.2])
@pytest.mark.parametrize("level", [0.3, 0.1, 0.03])
async def test_a_click_does_not_make_soft_speech_pass_for_a_pause(level: float, before: float) -> None:
    samples = (spoken(BOOKING) * level).astype(np.int16)
    click = round((BEFORE - before) * 16_000)
    samples[click : click + 160] = np.random.default_rng(0).integers(-32_000, 32_000, 160)
    listener = await heard(samples)
    (final,) = listener.all("final")
    assert final.heard.start + listener.behind(final).seconds > ends(samples) - 0.1, "the last word was not decoded"


async def test_finalize_ends_an_utterance_at_once_and_returns_after_its_final() -> None:
    samples = spoken(BOOKING)
    listener = Listener(latency=DECODE)
    await listener.hear(samples[: round((BEFORE + 1.5) * 16_000)])
    assert "final" not in listener.kinds()

    await listener.release()
    await listener.recognizer.finalize()
    (final,) = listener.all("final")
    assert final.at < ends(samples) and listener.kinds()[-1] == "final" and not listener.tasks()


async def test_finalize_waits_for_the_decode() -> None:
    listener = Listener(ScriptedEngine(hold=True))
    await listener.hear(spoken(BOOKING)[: round((BEFORE + 1.5) * 16_000)])
    ending = asyncio.create_task(listener.recognizer.finalize())
    await asyncio.wait([ending], timeout=0.05)
    assert not ending.done() and "final" not in listener.kinds()

    await listener.release()
    await ending
    assert listener.kinds()[-1] == "final"


async def test_finalize_without_an_utterance_tells_nothing_twice() -> None:
    listener = Listener()
    await listener.recognizer.finalize()
    await listener.hear(spoken(BOOKING))
    told = list(listener.told)
    await listener.recognizer.finalize()
    assert listener.told == told and listener.kinds().count("final") == 1


async def test_after_finalize_the_next_words_are_an_utterance_of_their_own() -> None:
    samples = spoken(BOOKING)
    listener, middle = Listener(), round((BEFORE + 1.5) * 16_000)
    await listener.hear(samples[:middle])
    await listener.recognizer.finalize()
    await listener.hear(samples[middle:])
    assert len(listener.all("speech_started")) == len(listener.all("final")) == 2


def place(whole: np.ndarray, part: np.ndarray) -> int:
    """Where `part` begins in `whole`."""
    starts = np.flatnonzero(whole[: len(whole) - len(part) + 1] == part[0])
    return next(int(at) for at in starts if np.array_equal(whole[at : at + len(part)], part))


async def test_an_utterance_without_a_pause_is_split_without_losing_a_sample() -> None:
    sentence = say(BOOKING, 0.08)
    samples = np.concatenate([np.zeros(9600, np.int16), *[sentence] * 11, np.zeros(16_000, np.int16)])
    # the same sentence again and again, but no two samples of it the same
    samples = (samples + np.random.default_rng(0).integers(-3, 4, len(samples))).astype(np.int16)
    listener = await heard(samples)

    first, second = (listener.behind(told) for told in listener.all("final"))
    assert first.seconds == pytest.approx(LONGEST, abs=0.1) and first.seconds <= LONGEST
    began, went_on = (place(pcm.to_float(samples), asked.audio) for asked in (first, second))
    assert began / 16_000 < BEFORE and went_on == began + len(first.audio)
    assert (went_on + len(second.audio)) / 16_000 > ends(samples) - 0.1


def outline(told: list[Told]) -> list[tuple[str, float]]:
    return [(event.heard.kind, event.heard.start) for event in told if event.heard.kind != "interim"]


async def test_it_does_not_matter_in_how_large_pieces_audio_arrives() -> None:
    samples = spoken("Good evening.", 1.0, BOOKING)
    expected = await heard(samples)
    for step in (100, 160, 800, 1111):
        listener = Listener()
        await listener.hear(samples, step)
        assert outline(listener.told) == outline(expected.told), step
