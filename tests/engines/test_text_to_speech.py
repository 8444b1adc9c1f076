"""The voice: repeatable, sentence by sentence, at any pace, and understood by this project's own Whisper."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lkcook import pcm
from lkcook.audio.clip import Clip
from lkcook.engines import weights
from lkcook.engines.speech_to_text import SpeechToText
from lkcook.engines.prosody import EMOTIONS, NEUTRAL, Prosody
from lkcook.engines.text_to_speech import SAMPLE_RATE, TextToSpeech, closely_cut
from lkcook.engines.voices import VOICES, in_language
from lkcook.report.pitch import median_pitch, pitch_range
from tests.speech import voice, word_error_rate

BOOKED = "Your table for two is booked."


@pytest.fixture
def hibari() -> TextToSpeech:
    return voice()


ENGLISH = [name for name, voice in VOICES.items() if voice.language == "en"]
SPANISH = [name for name, voice in VOICES.items() if voice.language == "es"]
ONE_OF_EACH = ("heart", "caller", "isabella")  # hibari, hibari lowered, Kokoro


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_the_same_seed_gives_the_same_samples(hibari: TextToSpeech, name: str) -> None:
    first, again = (hibari.synthesize(BOOKED, voice=name, seed=7) for _ in range(2))
    assert np.array_equal(first, again)
    assert first.dtype == np.int16 and first.ndim == 1


def test_another_seed_gives_hibari_another_noise(hibari: TextToSpeech) -> None:
    assert not np.array_equal(hibari.synthesize(BOOKED, seed=7), hibari.synthesize(BOOKED, seed=8))


def test_another_engine_says_exactly_the_same(hibari: TextToSpeech) -> None:
    other = TextToSpeech(threads=1)
    assert all(
        np.array_equal(other.synthesize(BOOKED, voice=v), hibari.synthesize(BOOKED, voice=v)) for v in ("heart", "caller")
    )


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Hello.", 1),
        ("Hello! Who is there? It is me.", 3),
        ("Dr. Smith comes at 5 p.m. today.", 1),
        ("One line\nand another", 2),
        ("It costs 3.50 euros, not 4.", 1),
    ],
)
def test_each_sentence_is_an_array_of_its_own(hibari: TextToSpeech, text: str, sentences: int) -> None:
    parts = list(hibari.stream(text))
    assert len(parts) == sentences and all(len(part) and part.dtype == np.int16 for part in parts)
    assert np.array_equal(np.concatenate(parts), hibari.synthesize(text))


def test_the_first_sentence_does_not_wait_for_the_others(hibari: TextToSpeech) -> None:
    stream = hibari.stream(f"Good evening. {BOOKED * 50}")
    assert np.array_equal(next(stream), hibari.synthesize("Good evening."))
    stream.close()


LONG = "I have a table for four people at half past eight, by the window. Would you like me to book it for you?"


@pytest.mark.parametrize(
    ("name", "speed"), [("heart", 0.8), ("heart", 1.2), ("heart", 1.5), ("caller", 1.2), ("fenrir", 0.8), ("sky", 1.2)]
)
def test_speed_divides_the_length_by_its_factor(hibari: TextToSpeech, name: str, speed: float) -> None:
    own, other = (len(hibari.synthesize(LONG, voice=name, prosody=Prosody(speed=factor))) for factor in (1.0, speed))
    assert own / other == pytest.approx(speed, rel=0.05)


def test_the_caller_takes_about_as_long_as_the_agent(hibari: TextToSpeech) -> None:
    agent, caller = (len(hibari.synthesize(BOOKED, voice=name)) for name in ("heart", "caller"))
    assert caller == pytest.approx(agent, rel=0.2)


def pitch(samples: np.ndarray) -> float:
    return median_pitch(Clip(samples, SAMPLE_RATE))


@pytest.mark.parametrize("name", ["heart", "fenrir"])
def test_emotions_change_how_far_the_melody_goes_and_not_the_words(
    hibari: TextToSpeech, name: str, whisper: SpeechToText
) -> None:
    said = {mood: hibari.synthesize(LONG, voice=name, prosody=EMOTIONS[mood]) for mood in ("cheerful", "neutral", "sad")}
    cheerful, neutral, sad = (pitch_range(Clip(samples, SAMPLE_RATE)) for samples in said.values())
    assert cheerful > 1.25 * neutral > 1.5 * sad
    assert len(said["sad"]) > 1.08 * len(said["neutral"])
    heard = understood(whisper, list(said.values()))
    assert word_error_rate([LONG] * 3, heard) <= 0.10, heard


def test_a_louder_voice_says_the_same_louder(hibari: TextToSpeech) -> None:
    quiet, loud = (hibari.synthesize(BOOKED, prosody=NEUTRAL.louder(factor)) for factor in (0.5, 1.0))
    assert np.std(loud.astype(float)) == pytest.approx(2 * np.std(quiet.astype(float)), rel=0.02)


def test_a_voice_is_replaced_by_one_of_the_same_sex_that_speaks_the_language() -> None:
    assert in_language(VOICES["heart"], "es").name == "dora" and in_language(VOICES["fenrir"], "es").name == "alex"
    assert in_language(VOICES["heart"], "en") is in_language(VOICES["heart"], None) is VOICES["heart"]
    with pytest.raises(KeyError, match="fr"):
        in_language(VOICES["heart"], "fr")


def test_the_caller_has_a_lower_voice_than_the_agent(hibari: TextToSpeech) -> None:
    text = "I would like to book a table for four people tomorrow evening."
    agent, caller = (pitch(hibari.synthesize(text, voice=name)) for name in ("heart", "caller"))
    assert caller / agent == pytest.approx(VOICES["caller"].pitch, abs=0.08)


def test_all_voices_are_about_equally_loud(hibari: TextToSpeech) -> None:
    loudness = [float(np.std(hibari.synthesize(BOOKED, voice=name).astype(float))) for name in VOICES]
    assert max(loudness) < 1.5 * min(loudness)


@pytest.mark.parametrize("text", ["", "   ", "\n\n", "\t", "🙂", "中文", "***", "\u200b", "\x00\x01"])
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_what_cannot_be_pronounced_is_no_sound_and_no_error(hibari: TextToSpeech, name: str, text: str) -> None:
    assert list(hibari.stream(text, voice=name)) == []
    silence = hibari.synthesize(text, voice=name)
    assert len(silence) == 0 and silence.dtype == np.int16


def test_what_cannot_be_pronounced_is_left_out(hibari: TextToSpeech) -> None:
    assert np.array_equal(hibari.synthesize(f"{BOOKED} 🙂\n***\n"), hibari.synthesize(BOOKED))


@pytest.mark.parametrize("text", ["...", "?!", "-", "()", "'", "a", "<break/>", "http://x.y/z?a=b", "Привет", "é" * 40])
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_odd_text_is_no_error(hibari: TextToSpeech, name: str, text: str) -> None:
    assert len(hibari.synthesize(text, voice=name)) < 10 * SAMPLE_RATE


def test_a_very_long_sentence_is_spoken_whole(hibari: TextToSpeech) -> None:
    once = "the king went over the hill, and then "
    short, long = (len(hibari.synthesize(once * times)) for times in (5, 60))
    assert long > 0.8 * 12 * short


@pytest.mark.parametrize("name", ["heart", "bella"])  # hibari, Kokoro
def test_a_very_long_sentence_without_a_pause_is_spoken_whole(hibari: TextToSpeech, name: str) -> None:
    once = "strength strikes through "
    short, long = (len(hibari.synthesize(once * times, voice=name)) for times in (3, 27))
    assert long > 0.7 * 9 * short


@pytest.mark.parametrize("number", ["7" * 36, "7" * 37, "7" * 400, ",".join(["777"] * 13)])
def test_a_number_that_has_no_name_is_read_digit_by_digit(hibari: TextToSpeech, number: str) -> None:
    assert len(hibari.synthesize(f"It is {number}.")) > 3 * SAMPLE_RATE


def test_a_voice_that_does_not_exist_is_a_key_error(hibari: TextToSpeech) -> None:
    for call in (hibari.synthesize, lambda text, voice: list(hibari.stream(text, voice=voice))):
        with pytest.raises(KeyError, match="baritone"):
            call("Hello.", voice="baritone")


def test_threads_do_not_disturb_each_other(hibari: TextToSpeech) -> None:
    texts = ["One.", "Two and three.", "Four, five, six and seven.", BOOKED] * 2
    alone = [hibari.synthesize(text) for text in texts]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(hibari.synthesize, texts))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together))


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_no_sentence_begins_or_ends_with_a_long_silence(hibari: TextToSpeech, name: str) -> None:
    for samples in hibari.stream("Good evening. Who is speaking, please? Yes.", voice=name):
        audible = np.flatnonzero(np.abs(samples.astype(int)) >= 100)
        assert audible[0] <= SAMPLE_RATE // 40 and len(samples) - audible[-1] <= SAMPLE_RATE // 4


def test_closely_cut_keeps_every_audible_sample_and_a_pause_after_them() -> None:
    silence, sound = np.zeros(SAMPLE_RATE, np.int16), np.full(1000, -3000, np.int16)
    cut = closely_cut(np.concatenate([silence, sound, silence]))
    assert np.count_nonzero(cut) == 1000 and 0 < np.flatnonzero(cut)[0] < SAMPLE_RATE // 25
    assert SAMPLE_RATE // 10 < len(cut) - np.flatnonzero(cut)[-1] < SAMPLE_RATE // 2
    assert np.array_equal(closely_cut(sound), sound)
    assert np.array_equal(closely_cut(np.full(5, -32768, np.int16)), np.full(5, -32768, np.int16))


@pytest.mark.parametrize("name", ENGLISH)
def test_what_is_said_is_understood(hibari: TextToSpeech, name: str, whisper: SpeechToText) -> None:
    said = [
        "Your table for two is booked for tomorrow evening.",
        "We are open from nine in the morning until ten at night.",
        "The museum is closed on Monday, but the garden is open.",
        "Could you please tell me your name again?",
    ]
    said = said if VOICES[name].engine == "hibari" else said[:2]  # Kokoro takes its time
    heard = understood(whisper, [hibari.synthesize(text, voice=name) for text in said])
    assert word_error_rate(said, heard) <= 0.10, heard


@pytest.mark.parametrize("name", SPANISH)
def test_spanish_is_understood(hibari: TextToSpeech, name: str, whisper: SpeechToText) -> None:
    said = [
        "Buenas tardes, ¿tiene una mesa libre para dos personas esta noche?",
        "Estamos abiertos todos los días de once de la mañana a diez de la noche.",
        "Muchas gracias por su llamada.",
    ]
    heard = understood(whisper, [hibari.synthesize(text, voice=name) for text in said], language="es")
    assert word_error_rate(said, heard) <= 0.15, heard


def understood(whisper: SpeechToText, spoken: list[np.ndarray], language: str = "en") -> list[str]:
    sounds = (pcm.to_float(pcm.resample(samples, SAMPLE_RATE, 16_000)) for samples in spoken)
    return [whisper.transcribe(sound, language=language).text for sound in sounds]


@pytest.fixture(scope="module")
def whisper() -> SpeechToText:
    return SpeechToText(weights.fetch("whisper-base"))
