"""Spanish as it is written, and the sounds it stands for: compared with what Kokoro's voices were trained on."""

from __future__ import annotations

import json
from pathlib import Path

import hibari
import pytest

from lkcook.engines.spanish import LONGEST, phonemize

ALPHABET = set(json.loads((Path(hibari.__file__).parent / "assets" / "vocab.json").read_text()))


@pytest.mark.parametrize(
    ("written", "sounds"),
    [
        ("Hola, ¿qué tal?", "ˈola, kˈe tˈal?"),
        ("una mesa libre", "ˈuna mˈesa lˈiβɾe"),
        ("queso, guitarra y pingüino", "kˈeso, ɡitˈara i pˌiŋɡuˈino"),
        ("la ciudad de México", "la θjuðˈad ðe mˈexiko"),
        ("lluvia en mayo", "ʎˈuβja en mˈaʝo"),
        ("un vaso de agua", "ˈum bˈaso ðe ˈaɣwa"),
        ("José y el perro", "xosˈe i el pˈero"),
    ],
)
def test_letters_become_sounds_with_stress_and_their_neighbours_influence(written: str, sounds: str) -> None:
    assert phonemize(written) == [sounds]


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ("a las 8:30", "a las ocho y media"),
        ("12,50 euros", "doce coma cincuenta euros"),
        ("1.250 mesas", "mil doscientas cincuenta mesas"),
        ("el 3 de mayo de 2026", "el tres de mayo de dos mil veintiséis"),
        ("el Sr. López", "el señor López"),
        ("la Dra. Ruiz", "la doctora Ruiz"),
    ],
)
def test_figures_and_abbreviations_are_said_in_words(figures: str, words: str) -> None:
    assert phonemize(figures) == phonemize(words)


def test_each_sentence_is_a_string_of_its_own() -> None:
    assert len(phonemize("¡Hola! ¿Qué tal? Bien.\nGracias.")) == 4
    assert len(phonemize("El Sr. López paga 12.50 euros.")) == 1


def test_a_long_sentence_is_split() -> None:
    parts = phonemize("la mesa está libre, " * 60)
    assert len(parts) > 1 and all(len(part) <= LONGEST for part in parts)


@pytest.mark.parametrize("text", ["", "   ", "🙂", "中文", "\x00\x01", "***", "¿?"])
def test_what_cannot_be_pronounced_is_nothing_and_no_error(text: str) -> None:
    assert not any(any(char.isalpha() for char in part) for part in phonemize(text))


@pytest.mark.parametrize("text", ["http://x.y/z?a=b", "WhatsApp", "ñ" * 500, "3" * 60, "<b>sí</b>", "Привет, amigo", "à ë ô"])
def test_every_sound_is_one_that_the_voices_know(text: str) -> None:
    assert set("".join(phonemize(text))) <= ALPHABET
