"""Whisper itself, on human, synthetic and no speech."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest

from lkcook import pcm, turn_recordings
from lkcook.engines import speech_to_text, weights
from lkcook.engines.speech_to_text import SAMPLE_RATE, SpeechToText
from lkcook.engines.transcript import Transcript, Word
from lkcook.engines.whisper_guards import is_silence, loops, silence_ahead, speech_after
from tests.speech import human, say, voice, word_error_rate


@pytest.fixture(scope="module")
def whisper() -> SpeechToText:
    return SpeechToText(weights.fetch("whisper-base"))


def utterances() -> list[np.ndarray]:
    return [pcm.to_float(samples) for samples, _ in human()]


@pytest.fixture(scope="module")
def heard(whisper: SpeechToText) -> list[Transcript]:
    """What Whisper makes of `utterances()`."""
    return [whisper.transcribe(samples) for samples in utterances()]


def test_human_speech_is_understood(heard: list[Transcript]) -> None:
    assert word_error_rate([text for _, text in human()], [each.text for each in heard]) <= 0.10, heard
    assert all(0.5 < each.confidence <= 1.0 and each.language == "en" for each in heard)


def noise(seconds: float, level: int) -> np.ndarray:
    samples = np.random.default_rng(0).normal(0, level, round(seconds * SAMPLE_RATE))
    return pcm.to_float(samples.astype(np.int16))


CLICK = np.zeros(SAMPLE_RATE, np.float32)
CLICK[8000:8160] = 0.6
RECORDED = {each.name: pcm.to_float(each.spoken.samples) for each in turn_recordings() if not each.answerable}
NOTHING_SAID = {
    "silence": np.zeros(2 * SAMPLE_RATE, np.float32),
    "30 s of silence": np.zeros(30 * SAMPLE_RATE, np.float32),
    "soft noise": noise(3.0, 300),
    "loud noise": noise(3.0, 3000),
    "a click": CLICK,
    "a cough": RECORDED["cough"],
    "humming": RECORDED["mm-hmm"],
    "0.1 s of silence": np.zeros(1600, np.float32),
    "0.1 s of noise": noise(0.1, 300),
    "one sample": np.ones(1, np.float32),
    "no sample": np.zeros(0, np.float32),
}


@pytest.mark.parametrize("sound", NOTHING_SAID)
def test_where_nothing_is_said_nothing_is_heard(whisper: SpeechToText, sound: str) -> None:
    assert whisper.transcribe(NOTHING_SAID[sound]) == Transcript("", "en")


def test_a_guess_hears_nothing_in_noise_either(whisper: SpeechToText) -> None:
    assert whisper.transcribe(noise(3.0, 3000), retry=False) == Transcript("", "en")


def test_a_tenth_of_a_second_of_speech_is_no_error(whisper: SpeechToText) -> None:
    assert len(whisper.transcribe(utterances()[0][8000:9600]).text.split()) <= 2


def at_16k(samples: np.ndarray) -> np.ndarray:
    """24 kHz int16 → what Whisper takes; unlike `say`, without the resampler's dither, which can decide a close call."""
    length = len(samples) // 3 * 2
    spectrum = np.fft.rfft(pcm.to_float(samples))[: length // 2 + 1]
    return (np.fft.irfft(spectrum, length) * (length / len(samples))).astype(np.float32)


@pytest.mark.parametrize("said", ["Is anybody there?" + 2 * " Is anybody there?", "I want to go home, I want to go home."])
def test_what_is_said_again_is_not_taken_for_a_loop(whisper: SpeechToText, said: str) -> None:
    pause = np.zeros(4800, np.int16)
    heard = whisper.transcribe(at_16k(np.concatenate([pause, voice().synthesize(said, voice="caller"), pause])))
    # Whisper itself sometimes leaves a repetition out, never the whole
    assert heard.text.lower().startswith(said[:17].lower())


def test_words_are_in_order_inside_the_audio_and_make_up_the_text(heard: list[Transcript]) -> None:
    for samples, each in zip(utterances(), heard):
        times = [moment for word in each.words for moment in (word.start, word.end)]
        assert times == sorted(times) and 0.0 <= times[0] and times[-1] <= len(samples) / SAMPLE_RATE
        assert "".join(word.text for word in each.words) == each.text.replace(" ", "")
        assert all(0.0 <= word.confidence <= 1.0 for word in each.words)


def test_a_word_is_where_it_was_said(whisper: SpeechToText) -> None:
    first, then = utterances()[4], utterances()[1]
    words = whisper.transcribe(np.concatenate([first, np.zeros(SAMPLE_RATE, np.float32), then])).words
    middle = len(first) / SAMPLE_RATE + 0.5
    before, after = [word.text for word in words if word.end < middle], [w.text for w in words if w.start > middle]
    assert before[-1].lower().startswith("himself") and after[:2] == ["was", "not"]
    # Whisper gives a pause to a word beside it: only this one may reach over the middle
    assert [word.text for word in words if word.start <= middle <= word.end] in ([], ["He"])


def test_english_is_detected(whisper: SpeechToText) -> None:
    heard = [whisper.transcribe(samples, language=None) for samples in utterances()]
    assert {each.language for each in heard} == {"en"}
    assert word_error_rate([text for _, text in human()], [each.text for each in heard]) <= 0.10


def test_the_languages_are_codes(whisper: SpeechToText) -> None:
    assert {"en", "de", "fr", "ja"} <= set(whisper.languages) and all(len(code) <= 3 for code in whisper.languages)
    assert whisper.transcribe(utterances()[1], language="de").language == "de"


def timed(whisper: SpeechToText, samples: np.ndarray) -> tuple[str, float]:
    began = time.perf_counter()
    text = whisper.transcribe(samples).text
    return text, time.perf_counter() - began


def test_a_short_window_hears_the_same_as_the_full_one_in_less_time(whisper: SpeechToText) -> None:
    short = utterances()[1]
    padded = np.concatenate([short, np.zeros(30 * SAMPLE_RATE - len(short), np.float32)])
    runs = [(timed(whisper, short), timed(whisper, padded)) for _ in range(4)]
    assert all(word_error_rate(full, quick) <= 0.15 for (quick, _), (full, _) in runs)
    # the quickest of four: somebody else may need the processor meanwhile
    assert min(took for (_, took), _ in runs) < 0.7 * min(took for _, (_, took) in runs)


def test_what_is_longer_than_the_window_is_cut(whisper: SpeechToText) -> None:
    utterance = utterances()[4]
    silence = np.zeros(29 * SAMPLE_RATE - len(utterance), np.float32)
    long = np.concatenate([utterance, silence, utterance])
    heard = whisper.transcribe(long)
    assert word_error_rate(human()[4][1], heard.text) <= 0.5
    assert heard == whisper.transcribe(long[: 30 * SAMPLE_RATE])
    assert all(word.end <= 30.0 for word in heard.words)


def test_threads_do_not_disturb_each_other(whisper: SpeechToText, heard: list[Transcript]) -> None:
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(whisper.transcribe, utterances())) == heard


def test_it_is_busy_while_it_decodes(whisper: SpeechToText) -> None:
    assert not whisper.busy
    seen: list[bool] = []
    decoding = threading.Thread(target=whisper.transcribe, args=(np.zeros(30 * SAMPLE_RATE, np.float32),))
    decoding.start()
    while decoding.is_alive():
        seen.append(whisper.busy)
        decoding.join(0.01)
    assert seen.count(True) > len(seen) / 2 and not whisper.busy


def test_it_is_free_again_after_an_error(whisper: SpeechToText) -> None:
    with pytest.raises(ValueError):
        whisper.transcribe(utterances()[1], language="klingon")
    assert not whisper.busy and whisper.transcribe(utterances()[4]).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("Hello.", False),
        ("No, no, no.", False),
        ("I would like to book a table for four people tomorrow evening, please.", False),
        ("A table for two, please. For two people, please.", False),
        ("ten of clubs ten of clubs ten of clubs", True),
        ("Yes. I am here. I am here.", True),
        ("No, no, no, no, no, no, no", True),
        ("What are are are are", True),
        ("haaaaaaaaaaaa", True),
        ("You can do it, you can do that, you can do it, you can do that, you can do it, you can do that.", True),
    ],
)
def test_loops_are_told_from_sentences(text: str, expected: bool) -> None:
    assert loops(text) is expected


@pytest.mark.parametrize(
    ("no_speech", "score", "expected"),
    [(0.9, -1.5, True), (0.9, -0.3, False), (0.1, -1.5, False), (0.6, -1.5, False), (0.9, -1.0, False)],
)
def test_silence_is_what_is_both_unlikely_words_and_likely_no_speech(
    no_speech: float, score: float, expected: bool
) -> None:
    assert is_silence(no_speech, score) is expected


def test_more_of_what_is_said_behind_a_pause_is_heard(whisper: SpeechToText, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whisper takes the pause for the end, depending on where in its window the sound lies, and on the voice."""
    silences = [np.zeros(int(seconds * SAMPLE_RATE), np.int16) for seconds in (0.0, 0.1, 0.2, 0.3, 0.8)]
    spoken = [say("I would like a table for, um,", 0.8, "seven people.") for _ in range(2)]  # never the same twice
    sounds = [np.concatenate(parts) for parts in product(silences[:4], spoken, (silences[2], silences[4]))]

    def understood() -> int:
        return sum("people" in whisper.transcribe(pcm.to_float(sound)).text for sound in sounds)

    heard = understood()
    monkeypatch.setattr(speech_to_text, "speech_after", lambda samples, start: None)
    assert heard > understood() and heard >= 10


@pytest.mark.parametrize("who", ["caller", "bella"])
def test_silence_ahead_of_words_that_break_off_does_not_double_them(whisper: SpeechToText, who: str) -> None:
    said = "Italian cuisine is renowned for its rich, flavorful dishes and the history behind them."
    broken_off = at_16k(voice().synthesize(said, voice=who))[: 3 * SAMPLE_RATE]
    alone, *later = [
        whisper.transcribe(np.concatenate([np.zeros(int(ahead * SAMPLE_RATE), np.float32), broken_off]))
        for ahead in (0, 6.2, 7.5)
    ]
    for ahead, heard in zip((6.2, 7.5), later):
        assert len(heard.text.split()) <= len(alone.text.split()) + 1, (heard.text, alone.text)
        assert heard.words[0].start == pytest.approx(ahead + alone.words[0].start, abs=0.3)


def test_only_what_is_longer_than_a_second_and_nothing_at_all_is_left_out() -> None:
    speech = noise(1.0, 3000)
    assert silence_ahead(np.concatenate([noise(3.0, 10), speech])) == pytest.approx(2.8 * SAMPLE_RATE, abs=320)
    assert silence_ahead(np.concatenate([noise(0.9, 10), speech])) == 0
    assert silence_ahead(np.concatenate([noise(3.0, 300), speech])) == 0, "somebody may whisper"
    assert silence_ahead(np.zeros(SAMPLE_RATE * 3, np.float32)) == silence_ahead(np.zeros(0, np.float32)) == 0


def test_it_goes_on_just_before_somebody_speaks_as_loudly_as_before() -> None:
    speech, silence = noise(1.0, 3000), np.zeros(SAMPLE_RATE, np.float32)
    assert speech_after(np.concatenate([speech, silence, speech]), SAMPLE_RATE) == int(1.8 * SAMPLE_RATE)
    assert speech_after(np.concatenate([speech, speech]), SAMPLE_RATE) == SAMPLE_RATE, "not before where it was asked"
    assert speech_after(np.concatenate([speech, silence, noise(1.0, 200)]), SAMPLE_RATE) is None, "that is the room"
    assert speech_after(np.concatenate([speech, silence, speech[:1600]]), SAMPLE_RATE) is None, "too short for a word"
    assert speech_after(speech, len(speech)) is None and speech_after(speech[:0], 0) is None


def test_two_halves_make_one_transcript() -> None:
    first = Transcript("Hello", "en", 0.8, (Word("Hello", 0.1, 0.5, 0.8),))
    second = Transcript("you.", "en", 0.4, (Word("you.", 0.2, 0.6, 0.4),))
    whole = first.then(second, start=2.0)
    assert whole.text == "Hello you." and whole.confidence == pytest.approx(0.6)
    assert whole.words[1] == Word("you.", 2.2, 2.6, 0.4) and first.then(Transcript("", "en"), 2.0) is first
