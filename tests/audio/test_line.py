"""Lines become samples: words without silence around them, pauses as long as asked for, known words from disk."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from lkcook.audio.clip import Clip
from lkcook.audio.line import AUDIBLE, RATE, Line, Prepared, prepare, trimmed
from lkcook.errors import CookError
from tests.scripted_models import tone

MARGIN = RATE // 100
WORD = 0.2  # seconds of sound for every word


class Voice:
    """Speaks tones with silence around them; `said` is what all voices of this kind were asked for."""

    said: list[tuple[str, str]] = []

    def __init__(self, *, threads: int = 1) -> None:
        pass

    def synthesize(self, text: str, *, voice: str) -> np.ndarray:
        self.said.append((text, voice))
        return np.pad(np.abs(tone(WORD * len(text.split()), 880)) + np.int16(500), RATE // 3)


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache, and the project's own voice replaced by one that counts."""
    monkeypatch.setenv("LKCOOK_CACHE", str(tmp_path))
    monkeypatch.setattr("lkcook.engines.text_to_speech.TextToSpeech", Voice)
    monkeypatch.setattr(Voice, "said", [])
    return tmp_path / "caller"


def spoken(*script: Line | str, voice: str = "caller") -> list[Prepared]:
    return prepare([line if isinstance(line, Line) else Line(line) for line in script], voice)


def test_words_are_trimmed_to_a_margin():
    (line,) = prepare([Line("Hello there.")], "caller", Voice)
    assert (line.text, line.samples.dtype) == ("Hello there.", np.int16)
    assert len(line.samples) == pytest.approx(2 * WORD * RATE + 2 * MARGIN, abs=2)
    assert line.first_sound == MARGIN and len(line.samples) - line.last_sound == pytest.approx(MARGIN, abs=1)


def test_what_begins_and_ends_aloud_loses_nothing():
    assert np.array_equal(trimmed(np.full(500, 9000, np.int16)), np.full(500, 9000, np.int16))


def test_the_loudest_negative_sample_counts_as_sound():
    samples = np.array([0] * 1000 + [-32768] + [0] * 1000, np.int16)
    assert len(trimmed(samples)) == 2 * MARGIN and Prepared("click", samples).first_sound == 1000


def test_a_line_without_any_sound_has_a_beginning_and_an_end():
    quiet = Prepared("hush", np.full(100, AUDIBLE - 1, np.int16))
    assert (quiet.first_sound, quiet.last_sound) == (0, 100) and len(trimmed(quiet.samples)) == 100
    assert (Prepared("", np.zeros(0, np.int16)).first_sound, Prepared("", np.zeros(0, np.int16)).last_sound) == (0, 0)


@pytest.mark.parametrize("pause", [0.26, 0.5, 1])
def test_pauses_have_the_length_asked_for(pause):
    (line,) = prepare([Line("At seven", pause, "tonight, please.")], "caller", Voice)
    loud = np.flatnonzero(np.abs(line.samples) >= AUDIBLE)
    assert np.diff(loud).max() == pytest.approx(pause * RATE + 2 * MARGIN, abs=2)
    assert line.text == "At seven tonight, please."


def test_a_line_may_begin_with_a_pause():
    (line,) = prepare([Line(0.5, "Well.")], "caller", Voice)
    assert line.first_sound == RATE // 2 + MARGIN


def test_a_line_may_hold_a_recorded_sound_at_any_rate(cache):
    sound = Clip(np.full((8000, 2), 5000, np.int16), 8000)
    (line,) = spoken(Line("Well,", 0.5, sound, reply=False))
    (words,) = spoken("Well,")
    assert len(line.samples) == pytest.approx(len(words.samples) + 1.5 * RATE, abs=RATE // 100)
    assert line.text == "Well," and not line.reply and words.reply


@pytest.mark.parametrize("parts", [(), ("",), ("  ", 0.5), (1.0,)])
def test_a_line_needs_words(parts):
    with pytest.raises(ValueError, match="needs words, or a sound"):
        Line(*parts)


def test_what_was_said_before_comes_from_the_cache(cache):
    first = spoken("Hello there.", Line("Hello there.", 0.2, "Goodbye."))
    again = spoken("Hello there.", Line("Hello there.", 0.2, "Goodbye."))
    assert Voice.said == [("Hello there.", "caller"), ("Goodbye.", "caller")]
    assert all(np.array_equal(one.samples, other.samples) for one, other in zip(first, again, strict=True))


def test_a_known_script_needs_no_voice_at_all(cache, monkeypatch):
    spoken("Hello there.")
    monkeypatch.setattr("lkcook.engines.text_to_speech.TextToSpeech", None)
    assert len(spoken("Hello there.")) == 1


def test_another_voice_says_it_anew(cache):
    spoken("Hello there.")
    spoken("Hello there.", voice="heart")
    assert Voice.said == [("Hello there.", "caller"), ("Hello there.", "heart")]


def test_a_line_in_another_language_is_spoken_by_somebody_who_speaks_it(cache):
    spoken("Good evening.", Line("Buenas tardes.", language="es"))
    assert Voice.said == [("Good evening.", "caller"), ("Buenas tardes.", "alex")]


def test_a_language_that_nobody_speaks_is_refused_with_those_they_do(cache):
    with pytest.raises(CookError, match="The callers speak en and es"):
        spoken(Line("Bonsoir.", language="fr"))


def test_a_callers_own_engine_neither_reads_nor_fills_the_cache(cache):
    prepare([Line("Hello there.")], "caller", Voice)
    assert not cache.exists()


def test_what_another_kernel_is_still_writing_is_not_read(cache):
    (whole,) = spoken("Hello there.")
    (file,) = cache.iterdir()
    file.with_suffix(".1234.part").write_bytes(file.read_bytes()[:100])
    file.unlink()
    (again,) = spoken("Hello there.")
    assert np.array_equal(again.samples, whole.samples) and len(Voice.said) == 2


@pytest.mark.parametrize("kept", [0, 30])
def test_a_damaged_file_in_the_cache_is_replaced(cache, kept):
    (whole,) = spoken("Hello there.")
    (file,) = cache.iterdir()
    file.write_bytes(file.read_bytes()[:kept])
    (again,) = spoken("Hello there.")
    assert np.array_equal(again.samples, whole.samples)
    spoken("Hello there.")
    assert len(Voice.said) == 2, "and the next time it is read again"


def test_kernels_that_speak_the_same_line_at_once_get_the_same(cache):
    together, heard = threading.Barrier(4), []

    def kernel() -> None:
        together.wait()
        heard.extend(spoken("Hello there.", "How are you?"))

    threads = [threading.Thread(target=kernel) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(heard) == 8
    for text in ("Hello there.", "How are you?"):
        first, *others = [line.samples for line in heard if line.text == text]
        assert len(others) == 3 and all(np.array_equal(first, other) for other in others)
    assert not list(cache.glob("*.part"))
