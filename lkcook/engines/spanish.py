"""Spanish (of Castile) into phonemes, in Kokoro's alphabet and with the habits of its training data.

Three steps: what is written in figures and signs is spelled out; each word's letters become sounds, and its stress is
found; then neighbouring sounds change each other, across words too ("un vaso" is said "um baso").
"""

from __future__ import annotations

import re
import unicodedata

from lkcook.engines.spanish_numbers import spell_out

LONGEST = 400  # phonemes in a row
_STOPS = ".!?…"
_PAUSES = f",;:—{_STOPS}"

_BROAD, _VOWEL = "[eiéí]", "[aeiouáéíóú]"
_SPELLING = {  # the first pattern that fits where the last one ended
    "^p(?=[st])|^[gm](?=n)": "", "pt": "pːt", "ch|tx": "ʧ", "(?<!de)sh": "ʃ", "ph": "f", "zz": "ʦ",
    f"qu(?={_BROAD})|ck|[kq]|c(?!{_BROAD})": "k", "[cz]": "θ",
    f"gu(?={_BROAD})": "ɡ", f"gü(?={_BROAD})": "ɡw", f"j|g(?={_BROAD})": "x", "g": "ɡ",
    "ll": "ʎ", f"ñ|ny(?={_VOWEL})": "ɲ", "rr|^r|(?<=[nls])r": "r", "r": "ɾ", "[bv]": "b",
    "^x": "s", "(?<=m[eé])x(?=ic)|(?<=oa)x": "x", "x": "ks",
    "hu(?=[aeoiáéóí])": "w", "hi(?=[aeoáéó])": "j", "h": "",
    f"y(?={_VOWEL})": "ʝ", "(?<=[aeo])[iy]": "ɪ", "(?<=[aeo])u": "ʊ", "(?<=u)y": "j", "y": "i",
    "(?:(?<=^[lr])|(?<=rr)|(?<=[bcdfgkptnls][lr]))i(?=[aeouáéóú])": "ĭ", "i(?=[aeouáéóú])": "j",
    "(?:(?<=^[lr])|(?<=rr)|(?<=[bcdfgkptnls][lr]))u(?=[aeoiáéóí])": "ŭ", "u(?=[aeoiáéóí])": "w", "ü": "u",
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
_UNPRONOUNCEABLE = re.compile(r"[^aeiouy]+|(?![bcdfgkpt][lr]|ch|ll|ps|qu)[^aeiou]{2}.*|.*[^aeiouy]{2}")
_ADVERB = re.compile(r"(?!(?:in)?clem|vehem|(?:imp|comp|sup)lem)(..+[alrznse])mente")

_OPEN = "[aeiouɛɪʊjwĭŭˈˌ]"
_ALLOPHONES = (
    ("n(?= ?[pbf])", "m"), ("n(?= ?ɡ|x)", "ŋ"), ("(?<=n )ʝ", "ʤ"),
    *((rf"(?<!^)(?<![mnŋ])(?<![mnŋ] ){stop}(?= ?{_OPEN}|[lɾ{coda}])", soft)
      for stop, soft, coda in (("b", "β", "xθsʝd"), ("d", "ð", "xsʝb"), ("ɡ", "ɣ", "θs"))),
    ("aɪ", "I"), ("aʊ", "W"), ("eɪ", "A"), ("oʊ", "O"), ("ĭ", "i"), ("ŭ", "u"),
)  # fmt: skip


def phonemize(text: str) -> list[str]:
    """One string of phonemes for each sentence of `text`; none for what nobody can pronounce."""
    sentences = (_sentence(written) for line in text.splitlines() for written in _sentences(line))
    return [part for sentence in sentences if sentence for part in _parts(sentence)]
