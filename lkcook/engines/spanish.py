"""Spanish (of Castile) into phonemes, in Kokoro's alphabet and with the habits of its training data.

Three steps: what is written in figures and signs is spelled out; each word's letters become sounds, and its stress is
found; then neighbouring sounds change each other, across words too ("un vaso" is said "um baso").
"""

from __future__ import annotations

import re
import unicodedata

from lkcook.engines.phonemes import parts
from lkcook.engines.spanish_numbers import spell_out

_STOPS = ".!?…"
_PAUSES = f",;:—{_STOPS}"

_BROAD, _VOWEL = "[eiéí]", "[aeiouáéíóú]"
_SPELLING = {  # the first pattern that fits where the last one ended
    "^p(?=[st])|^[gm](?=n)": "", "pt": "pːt", "ch|tx": "ʧ", "(?<!de)sh": "ʃ", "ph": "f", "zz": "ʦ",
    f"qu(?={_BROAD})|ck|[kq]|c(?!{_BROAD})": "k", "[cz]": "θ",
    f"gu(?={_BROAD})": "ɡ", f"gü(?={_BROAD})": "ɡŭ", f"j|g(?={_BROAD})": "x", "g": "ɡ",
    "ll": "ʎ", f"ñ|ny(?={_VOWEL})": "ɲ", "rr|^r|(?<=[nls])r": "r", "r": "ɾ", "[bv]": "b",
    "^x": "s", "(?<=m[eé])x(?=ic)|(?<=oa)x": "x", "x": "ks",
    "hu(?=[aeoiáéóí])": "w", "hi(?=[aeoáéó])": "j", "h": "",
    f"y(?={_VOWEL})": "ʝ", "(?<=[aeo])[iy]": "ɪ", "(?<=[aeo])u": "ʊ", "(?<=u)y": "j", "y": "i",
    "(?:(?<=^[lr])|(?<=rr)|(?<=[bcdfgkptnls][lr]))i(?=[aeouáéóú])": "ĭ", "i(?=[aeouáéóú])": "j",
    "(?<=[lr])u(?=[aeoiáéóí])": "ŭ", "u(?=[aeoiáéóí])": "w", "ü": "u",
}  # fmt: skip
_ANY_SPELLING = re.compile("|".join(f"({pattern})" for pattern in _SPELLING))
_SOUNDS = tuple(_SPELLING.values())

_UNSTRESSED = frozenset(
    "el la los las lo le les me te se nos os mi tu su mis tus sus al del de en a con por para sin sobre entre hasta "
    "desde hacia ante bajo tras y e o u que si pero porque aunque como cuando donde adonde mientras quien quienes "
    "cuanto cuantos nuestro nuestra nuestros nuestras vuestro vuestra vuestros vuestras".split()
)
_LETTERS = dict(
    zip(
        "bcdfghjklmnñpqrstvwxyz",
        "be ce de efe ge hache jota ka ele eme ene eñe pe cu erre ese te uve uvedoble equis igriega zeta".split(),
        strict=True,
    )
)
_CONSONANT = "[b-df-hj-np-tv-zñ]"
_SPELLED = re.compile(  # in capitals: what nobody could read as a word
    f"{_CONSONANT}+|(?![bcdfgkpt][lr]|ch|ll|ps|qu|s[pt]){_CONSONANT}{{2}}.*|.*{_CONSONANT}{{2}}"
)
_NO_VOWEL = re.compile(f"(?!y$|h?m+$|s?h+$|p?s+t?$|b?r+$|z+$){_CONSONANT}{{1,4}}")  # small letters too: "tv", not "mmm"
_ADVERB = re.compile("(?!(?:in)?clem|vehem|(?:imp|comp|sup)lem)(..+[alrznse])mente")

_OPEN = "[aeiouɛɪʊjwĭŭˈˌ]"
_ALLOPHONES = (
    ("n(?= ?[pbf])", "m"), ("n(?= ?ɡ|x)", "ŋ"), ("(?<=n )ʝ", "ʤ"),
    *((rf"(?<!^)(?<![mnŋ])(?<![mnŋ] ){stop}(?= ?{_OPEN}|[lɾ{coda}])", soft)
      for stop, soft, coda in (("b", "β", "xθsʝ"), ("d", "ð", "xsʝβ"), ("ɡ", "ɣ", "θs"))),
    ("aɪ", "I"), ("aʊ", "W"), ("eɪ", "A"), ("oʊ", "O"), ("ĭ", "i"), ("ŭ", "u"),
)  # fmt: skip
_WITHOUT_ACCENTS = str.maketrans("áéíóú", "aeiou")


def phonemize(text: str) -> list[str]:
    """One string of phonemes for each sentence of `text`; nothing for what cannot be pronounced."""
    sentences = (_sentence(written) for line in text.splitlines() for written in _sentences(line))
    return [part for sentence in sentences for part in parts(sentence)]


def _sentences(line: str) -> list[str]:
    """Written in full, with Spanish letters and single punctuation marks only."""
    text = spell_out(unicodedata.normalize("NFC", " ".join(line.split()))).replace("...", "…")
    text = re.sub(r"(?<=\s)-(?=\s)|–", "—", re.sub(r"[()\[\]]", ",", text))
    text = re.sub(rf"\s*([{_PAUSES}])[\s{_PAUSES}]*", _one_mark, "".join(map(_letter, text)))
    return re.split(f"(?<=[{_STOPS}])", text)


def _letter(char: str) -> str:
    if char in "áéíóúüñÁÉÍÓÚÜÑ" or char in _PAUSES:
        return char
    if char.isalpha() and char not in "ºª":
        return "".join(plain for plain in unicodedata.normalize("NFKD", char) if plain.isascii())
    return "" if char in "'’" or unicodedata.category(char) in ("Cf", "Mn") else " "


def _one_mark(marks: re.Match[str]) -> str:
    """The first that ends a sentence, or the first."""
    return next((mark for mark in marks[0] if mark in _STOPS), marks[1]) + " "


def _sentence(written: str) -> str:
    clauses, marks = re.split(f"[{_PAUSES}]", written), [*re.findall(f"[{_PAUSES}]", written), ""]
    said = ((_clause(clause.split()), mark) for clause, mark in zip(clauses, marks, strict=True))
    return " ".join(sounds + mark for sounds, mark in said if sounds)


def _clause(words: list[str]) -> str:
    """What is said without a pause."""
    said = [_word(word) for word in words]
    if words and words[-1].lower() in _UNSTRESSED:
        said[-1] = _stressed(words[-1].lower())
    sounds = " ".join(filter(None, said))
    for pattern, replacement in _ALLOPHONES:
        sounds = re.sub(pattern, replacement, sounds)
    return sounds


def _word(written: str) -> str:
    word = written.lower()
    if _NO_VOWEL.fullmatch(word) or (written.isupper() and 1 < len(word) < 6 and _SPELLED.fullmatch(word)):
        *names, last = (_stressed(_LETTERS.get(letter, letter)) for letter in word)
        return "".join(names).replace("ˈ", "ˌ") + last
    sounds = _stressed(word)
    if word not in _UNSTRESSED:
        return sounds
    sounds = sounds.replace("ɛ", "e")
    return sounds.replace("ˈ", "ˌ" if len(re.findall(_VOWEL, sounds)) > 1 else "")


def _stressed(word: str) -> str:
    """The sounds of one word, with ˈ before the stressed vowel and ˌ before every second one from there."""
    sounds = _ANY_SPELLING.sub(lambda found: _SOUNDS[found.lastindex - 1], word)
    vowels = [found.start() for found in re.finditer(_VOWEL, sounds)]
    if not vowels:
        return sounds
    adverb = _ADVERB.fullmatch(word) if len(vowels) > 2 else None  # not "brrrmente"
    strong = _stress(adverb[1], vowels[:-2], sounds) if adverb else _stress(word, vowels, sounds)
    marks = _echoes(strong, vowels[-2] if adverb else None, sounds) | {strong: "ˈ"}
    if adverb:
        marks[vowels[-2]] = "ˈ"
    # Before n and another consonant espeak's stressed e is open.
    elif re.match(f"en(?!{_OPEN}|$)", sounds[strong:]):
        sounds = sounds[:strong] + "ɛ" + sounds[strong + 1 :]
    return "".join(marks.get(at, "") + sound for at, sound in enumerate(sounds)).translate(_WITHOUT_ACCENTS)


def _stress(letters: str, vowels: list[int], sounds: str) -> int:
    """Where the stress is: on the written accent; else on the last vowel, or after a vowel, n or s the last but one."""
    for at in vowels:
        if sounds[at] in "áéíóú":
            return at
    penultimate = len(vowels) > 1 and re.search("(?:[aeiouns]|[^aeou]y)$", letters)
    return vowels[-2 if penultimate else -1]


def _echoes(strong: int, end: int | None, sounds: str) -> dict[int, str]:
    """The secondary stresses, on every second syllable; never on a neighbour of `strong`, nor on the last one."""
    beats = [found.start() for found in re.finditer(f"{_VOWEL}|[ĭŭ]", sounds[:end])]
    center, echoes, number = beats.index(strong), [], 0
    while number <= center - 2:
        weak = sounds[beats[number]] in "ĭŭ"
        if not weak:
            echoes.append(beats[number])
        number += 1 if weak else 2
    return dict.fromkeys([*echoes, *beats[center + 2 : -1 : 2]], "ˌ")
