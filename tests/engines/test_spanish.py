"""Spanish phonemes. The expected sounds of words are those of espeak-ng 1.51's "es", on which Kokoro was trained.

One differs: espeak has México with an open e.
"""

from __future__ import annotations

import json
import random
from importlib import resources

import pytest

from lkcook.engines.phonemes import LONGEST
from lkcook.engines.spanish import phonemize
from lkcook.engines.spanish_numbers import cardinal, spell_out

ALPHABET = set(json.loads((resources.files("hibari") / "assets" / "vocab.json").read_text("utf-8")))


def said(text: str) -> str:
    return " ".join(phonemize(text))


def in_words(text: str) -> str:
    return " ".join(spell_out(text).split()).replace(" ,", ",").replace(" .", ".")


@pytest.mark.parametrize(
    ("word", "sounds"),
    [
        ("mesa", "mˈesa"), ("papel", "papˈel"), ("joven", "xˈoβen"), ("teléfono", "telˈefono"), ("café", "kafˈe"),
        ("habitación", "ˌaβitaθjˈon"), ("camarero", "kˌamaɾˈeɾo"), ("dígamelo", "dˈiɣamˌelo"),
        ("perfectamente", "peɾfˈektamˈente"), ("momento", "momˈɛnto"), ("hobby", "ˈobβi"),
        ("prioridad", "pɾiˌoɾiðˈad"), ("frialdad", "fɾialðˈad"),
    ],
)  # fmt: skip
def test_stress_follows_the_accent_or_the_ending_and_echoes_on_every_second_syllable(word: str, sounds: str) -> None:
    assert said(word) == sounds


@pytest.mark.parametrize(
    ("word", "sounds"),
    [
        ("día", "dˈia"), ("país", "paˈis"), ("ciudad", "θjuðˈad"), ("guion", "ɡjˈon"), ("cuidado", "kwiðˈaðo"),
        ("aire", "ˈIɾe"), ("auto", "ˈWto"), ("seis", "sˈAs"), ("deuda", "dˈeʊða"), ("hoy", "ˈoɪ"), ("muy", "mˈuj"),
        ("habéis", "aβˈeis"), ("ruido", "ruˈiðo"), ("cliente", "kliˈɛnte"), ("patria", "pˈatɾia"), ("leer", "leˈeɾ"),
        ("prohibir", "pɾˌoiβˈiɾ"), ("pingüino", "pˌiŋɡuˈino"), ("agua", "ˈaɣwa"),
    ],
)  # fmt: skip
def test_vowels_glide_together_or_stay_apart(word: str, sounds: str) -> None:
    assert said(word) == sounds


@pytest.mark.parametrize(
    ("word", "sounds"),
    [
        ("queso", "kˈeso"), ("guerra", "ɡˈera"), ("gente", "xˈɛnte"), ("cerveza", "θeɾβˈeθa"), ("chico", "ʧˈiko"),
        ("calle", "kˈaʎe"), ("ayer", "aʝˈeɾ"), ("niño", "nˈiɲo"), ("perro", "pˈero"), ("pero vino", "pˌeɾo βˈino"),
        ("rosa", "rˈosa"), ("Enrique", "enrˈike"), ("hueso", "wˈeso"), ("hielo", "jˈelo"), ("taxi", "tˈaksi"),
        ("Xochimilco", "sˌoʧimˈilko"), ("México", "mˈexiko"), ("kilo", "kˈilo"), ("whisky", "wˈiski"),
        ("septiembre", "sepːtjˈembɾe"), ("psicólogo", "sikˈoloɣo"), ("pizza", "pˈiʦa"), ("lección", "lekθjˈon"),
    ],
)  # fmt: skip
def test_letters_sound_as_in_castile(word: str, sounds: str) -> None:
    assert said(word) == sounds


@pytest.mark.parametrize(
    ("words", "sounds"),
    [
        ("el vino", "el βˈino"), ("un vaso", "ˈum bˈaso"), ("vino, vaso", "bˈino, bˈaso"), ("con gusto", "koŋ ɡˈusto"),
        ("los días", "los ðˈias"), ("un día", "ˈun dˈia"), ("tengo banco", "tˈɛŋɡo βˈanko"), ("un yate", "ˈun ʤˈate"),
        ("verdad absoluta", "beɾðˈað ˌaβsolˈuta"), ("fútbol", "fˈutβol"), ("enfermo", "emfˈeɾmo"),
    ],
)  # fmt: skip
def test_neighbouring_sounds_change_each_other_across_words_but_not_across_a_pause(words: str, sounds: str) -> None:
    assert said(words) == sounds


def test_little_words_carry_no_stress_unless_they_come_last() -> None:
    assert said("la casa de mi padre") == "la kˈasa ðe mi pˈaðɾe"
    assert said("para dos personas") == "pˌaɾa ðˈos peɾsˈonas"
    assert said("espera que") == "espˈeɾa kˈe"
    assert said("El té es para él.") == "el tˈe ˈes pˌaɾa ˈel."


def test_every_sentence_comes_alone_with_its_punctuation() -> None:
    text = "Buenas tardes, ¿qué desea? ¡Claro! Un momento…\nAdiós"
    assert phonemize(text) == ["bwˈenas tˈaɾðes, kˈe ðesˈea?", "klˈaɾo!", "ˈun momˈɛnto…", "aðjˈos"]
    assert len(phonemize("El Sr. García vive en EE. UU. con 3.5 gatos, etc. Mañana vuelve.")) == 2
    assert said("bien (sí), no: ¡¡ya!!") == "bjˈen, sˈi, nˈo: ʝˈa!"


def test_a_long_sentence_is_cut_at_a_comma_or_a_space() -> None:
    for text, ending in (("una palabra larga, " * 50, ","), ("palabra " * 150, "a"), ("a" * 1000, ("a", "ˌ"))):
        parts = phonemize(text)
        assert len(parts) > 1 and all(0 < len(part) <= LONGEST for part in parts)
        assert all(part.endswith(ending) for part in parts) and not any(part.startswith(" ") for part in parts)
        assert "".join(parts).count("a") == text.count("a"), "nothing is lost"


def test_what_cannot_be_read_as_a_word_is_spelled() -> None:
    assert said("DNI") == "dˌeˌeneˈi" and said("tv") == "tˌeˈuβe" and said("la B") == "la βˈe"
    assert said("ONU") == "ˈonu" and said("Y tú") == "i tˈu"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "cero"), (16, "dieciséis"), (21, "veintiuno"), (35, "treinta y cinco"), (100, "cien"),
        (101, "ciento uno"), (1000, "mil"), (1001, "mil uno"), (2024, "dos mil veinticuatro"),
        (21_500, "veintiún mil quinientos"), (1_000_000, "un millón"), (31_000_001, "treinta y un millones uno"),
        (200_115_000, "doscientos millones ciento quince mil"),
    ],
)  # fmt: skip
def test_numbers_are_counted_in_words(number: int, words: str) -> None:
    assert cardinal(number) == words


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("a las 8:30", "a las ocho y media"), ("a las 8:05", "a las ocho y cinco"), ("a la 1:15", "a la una y cuarto"),
        ("20:00 h", "veinte horas"), ("de 13:30-16:00", "de trece treinta a dieciséis"),
        ("12,5", "doce coma cinco"), ("3.14", "tres punto catorce"), ("1.234", "mil doscientos treinta y cuatro"),
        ("12,50 €", "doce euros con cincuenta"), ("1 €", "un euro"), ("0,99 €", "noventa y nueve céntimos"),
        ("$30", "treinta dólares"), ("1.000.000 €", "un millón de euros"), ("50 %", "cincuenta por ciento"),
        ("21 personas", "veintiuna personas"), ("200 noches", "doscientas noches"), ("21 vinos", "veintiún vinos"),
        ("1 día", "un día"), ("mesa 21", "mesa veintiuno"), ("1 de mayo", "uno de mayo"), ("las 21", "las veintiuna"),
        ("3 de mayo de 2024", "tres de mayo de dos mil veinticuatro"),
        ("03/05/2024", "tres de mayo de dos mil veinticuatro"), ("-5 °C", "menos cinco grados"),
        ("5 km", "cinco kilómetros"), ("10-12 mesas", "diez a doce mesas"), ("1.º", "primero"),
        ("2ª planta", "segunda planta"), ("3er piso", "tercer piso"),
        ("612345678", "seis uno dos, tres cuatro cinco, seis siete ocho"), ("007", "cero cero siete"),
        ("91 123 45 67", "noventa y uno, uno dos tres, cuarenta y cinco, sesenta y siete"),
        ("la Sra. López y el Dr. Pérez", "la señora López y el doctor Pérez"),
        ("EE. UU.", "Estados Unidos."),
        ("a@b.es", "a arroba b punto es"), ("no 5 mesas", "no cinco mesas"), ("nº 5", "número cinco"),
    ],
)  # fmt: skip
def test_figures_signs_and_abbreviations_are_spelled_out(written: str, words: str) -> None:
    assert in_words(written) == words


@pytest.mark.parametrize("text", ["", "   ", "😀", "你好", "Привет", "\x00\x1b\u200d", "\ud800", "¿?", "...", "½", "٣"])
def test_what_nobody_can_pronounce_is_skipped(text: str) -> None:
    assert phonemize(text) == []
    assert said(f"Hola {text} mundo").replace("…", "").replace("?", "").split() == ["ˈola", "mˈundo"]


def test_no_text_raises_or_leaves_the_alphabet() -> None:
    rng = random.Random(0)
    bits = "mente sr. Ud. etc. EE. UU. p. m. nº 2ª 25:61 0/0/0000 99-99-2024 1.2,3 1,234.5 € °C qu gü hue rr X".split()
    letters = "bcdfghjklmnñpqrstvwxyzaeiouáéíóúü 0123456789.,:-/()😀你\x00ſß’ªº"
    texts = ["".join(rng.choice((rng.choice(bits), rng.choice(letters))) for _ in range(9)) for _ in range(3000)]
    for text in ["brrrmente", "ſr. X", *texts]:
        for sounds in phonemize(text):
            assert sounds.strip() and set(sounds) <= ALPHABET, text
