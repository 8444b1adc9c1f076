"""What is not said as it is written, in Spanish: numbers, times, prices, dates, units, signs and abbreviations."""

from __future__ import annotations

import re

_TO_29 = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
    "dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete "
    "veintiocho veintinueve"
).split()
_TENS = "treinta cuarenta cincuenta sesenta setenta ochenta noventa".split()
_HUNDREDS = (
    "ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"
).split()
_ORDINALS = "primer segund tercer cuart quint sext séptim octav noven décim".split()
_MONTHS = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split()
_UNITS = {  # one, several, the hundredth part
    "€": ("euro", "euros", "céntimos"), "EUR": ("euro", "euros", "céntimos"), "£": ("libra", "libras", "peniques"),
    "$": ("dólar", "dólares", "centavos"), "USD": ("dólar", "dólares", "centavos"),
    "%": ("por ciento", "por ciento"), "°C": ("grado", "grados"), "ºC": ("grado", "grados"), "°": ("grado", "grados"),
    "km/h": ("kilómetro por hora", "kilómetros por hora"), "km": ("kilómetro", "kilómetros"),
    "m": ("metro", "metros"), "cm": ("centímetro", "centímetros"), "kg": ("kilo", "kilos"), "g": ("gramo", "gramos"),
    "l": ("litro", "litros"), "L": ("litro", "litros"), "ml": ("mililitro", "mililitros"),
    "cl": ("centilitro", "centilitros"), "h": ("hora", "horas"), "min": ("minuto", "minutos"),
}  # fmt: skip
_SIGNS = {
    "€": "euros", "$": "dólares", "£": "libras", "%": "por ciento", "@": "arroba", "&": "y", "+": "más", "=": "igual a",
}  # fmt: skip
_TITLES = {
    "sr": "señor", "sra": "señora", "srta": "señorita", "sres": "señores", "dr": "doctor", "dra": "doctora",
    "dña": "doña", "prof": "profesor", "avda": "avenida", "av": "avenida", "pza": "plaza", "tel": "teléfono",
    "tfno": "teléfono", "núm": "número", "aprox": "aproximadamente", "pág": "página", "máx": "máximo", "mín": "mínimo",
    "sta": "santa", "sto": "santo",
}  # fmt: skip
_LAST = {  # these may end a sentence, and then their full stop is the sentence's as well
    r"EE\.?\s?UU": "Estados Unidos", r"[ap]\. ?m": "", r"p\. ?ej": "por ejemplo", "Uds|Vds": "ustedes",
    "Ud|Vd": "usted", "etc": "etcétera",
}  # fmt: skip
_NO_NOUN = frozenset(
    "de del en con por para sin y e o u a al es son ni que pero hasta desde entre como si no más el la los las se me "
    "te le nos está están cada hoy mañana ahora este esta gracias señor señora".split()
)
_NUMBERED = frozenset("mesa habitación número planta puerta sala línea pedido opción página calle plaza".split())
_MASCULINE = re.compile(r"agua|(?:d[ií]|map|problem|tem|sistem|program|idiom)as?$")
_FEMININE = re.compile(r"(?:as?|dad(?:es)?|[cs]i[oó]n(?:es)?|noches?|ve(?:z|ces)|clases?|tardes?|llaves?)$")

_NUMBER = r"[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?|[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|[0-9]+(?:[.,][0-9]+)?"
_QUANTITY = re.compile(
    rf"(?:\b(?P<before>[^\W\d_]+)\s+)?(?P<sign>[€$£]\s?)?(?P<number>{_NUMBER})(?:\s?(?P<unit>"
    + "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
    + r")(?!\w))?(?=(?:\s+(?P<noun>[^\W\d_]+))?)"
)
_TIME = re.compile(r"(?<![\d.,:])([01]?[0-9]|2[0-3])(?::([0-5][0-9])|\.([0-5][0-9])(?=\s?h\b))(?!:?\d)(\s?h\b)?")
_DATE = re.compile(
    r"(?<!\d)(?:([0-9]{4})-([01]?[0-9])-([0-3]?[0-9])|([0-3]?[0-9])[/-]([01]?[0-9])[/-]([0-9]{4}))(?!\d)"
)
_CODE = re.compile(r"(?<!\d)(?<!\d[.,])(?:[0-9]{2,4}(?:[ .-][0-9]{2,4}){2,5}|[0-9]{9,})(?![.,]?\d)")
_ORDINAL = re.compile(r"\b(10|[1-9])\.?(?:([ºª])(?!C)|er\b)")


def spell_out(text: str) -> str:
    """Everything in full: "a las 8:30" becomes "a las ocho y media", "12,50 €" "doce euros con cincuenta"."""
    text = _abbreviations(text)
    text = _DATE.sub(_date, text)
    text = re.sub(r"(?<=:[0-5][0-9])\s?[-–]\s?(?=[0-9])", " a ", text)
    text = _TIME.sub(_time, text)
    text = re.sub(r"(?<=[0-9]) (?=000\b)", "", text)
    text = _CODE.sub(_code, text)
    text = _ORDINAL.sub(_ordinal, text)
    text = re.sub(r"(?<=[0-9])\s?[x×]\s?(?=[0-9])", " por ", text)
    text = re.sub(r"(?<=[0-9])\s?[-–]\s?(?=[0-9])", " a ", text)
    text = re.sub(r"(?<![\w)])[-−](?=[0-9])", " menos ", text)
    text = _QUANTITY.sub(_quantity, text)
    text = re.sub(r"(?<=[a-z])\.(?=[a-z])", " punto ", text)  # in addresses
    return re.sub("[€$£%@&+=]", lambda sign: f" {_SIGNS[sign[0]]} ", text)


def cardinal(number: int) -> str:
    """From 0 to 999 999 999, as in counting: 21 is "veintiuno"."""
    if number < 30:
        return _TO_29[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens - 3] + (f" y {_TO_29[ones]}" if ones else "")
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        return "cien" if number == 100 else _joined(_HUNDREDS[hundreds - 1], rest)
    if number < 1_000_000:
        thousands, rest = divmod(number, 1000)
        return _joined("mil" if thousands == 1 else f"{_masculine(cardinal(thousands))} mil", rest)
    millions, rest = divmod(number, 1_000_000)
    return _joined("un millón" if millions == 1 else f"{_masculine(cardinal(millions))} millones", rest)


def _joined(words: str, rest: int) -> str:
    return f"{words} {cardinal(rest)}" if rest else words


def _masculine(words: str) -> str:
    """Before a noun: "veintiuno" becomes "veintiún"."""
    return re.sub(r"\buno$", "un", re.sub("veintiuno$", "veintiún", words))


def _feminine(words: str) -> str:
    """Before a noun: "doscientos veintiuno" becomes "doscientas veintiuna"; millions are masculine."""
    millions, found, rest = words.rpartition("mill")
    return millions + found + re.sub("uno$", "una", re.sub(r"(?<=[ei]ent)os\b", "as", rest))


def _digits(digits: str, longest: int = 9) -> str:
    """An amount; or, with a leading zero or too many digits, one by one."""
    if len(digits) > longest or (digits[0] == "0" and len(digits) > 1):
        return " ".join(_TO_29[int(digit)] for digit in digits)
    return cardinal(int(digits))


def _abbreviations(text: str) -> str:
    titles = "|".join(_TITLES)
    text = re.sub(rf"(?i)\b({titles})\.(?!\w)", lambda found: _TITLES.get(found[1].lower(), found[0]), text)  # "ſr."
    text = re.sub(r"\b[Nn]\.?[º°]\s?(?=[0-9])", "número ", re.sub(r"\b[Cc]/\s?(?=[A-ZÁÉÍÓÚ])", "calle ", text))
    for short, full in _LAST.items():
        ending = r"(\.(?=\s*$|\s+[¿¡A-ZÁÉÍÓÚÑ]))?"
        text = re.sub(
            rf"\b({short})\b{ending}\.?", lambda found: (full or f"{found[1][0]} eme") + (found[2] or ""), text
        )
    return re.sub(r"\b(?:[A-Z]\. ?){2,}(?=\S)", lambda found: found[0].replace(".", " "), text)


def _date(found: re.Match[str]) -> str:
    year, month, day = (int(part) for part in (found.group(1, 2, 3) if found[1] else found.group(6, 5, 4)))
    return f"{day} de {_MONTHS[month - 1]} de {year}" if 1 <= month <= 12 else found[0]


def _time(found: re.Match[str]) -> str:
    hour, minute = int(found[1]), int(found[2] or found[3])
    words = _feminine(cardinal(hour))
    if minute == 0:
        return f"{words} hora{'s' * (hour != 1)}" if found[4] else words
    if 1 <= hour <= 12:
        return f"{words} y {({15: 'cuarto', 30: 'media'}).get(minute) or cardinal(minute)}"
    return f"{words} {_digits(found[2] or found[3])}"


def _code(found: re.Match[str]) -> str:
    """A telephone number, in its groups: pairs as numbers, longer ones digit by digit."""
    groups = re.findall("[0-9]+", found[0])
    if len(groups) == 1:
        groups = re.findall("[0-9]{1,3}", found[0])
    elif sum(map(len, groups)) < 9:
        return found[0]
    return ", ".join(
        cardinal(int(group)) if len(group) == 2 and group[0] != "0" else " ".join(_TO_29[int(digit)] for digit in group)
        for group in groups
    )


def _ordinal(found: re.Match[str]) -> str:
    return _ORDINALS[int(found[1]) - 1] + {"º": "o", "ª": "a", None: ""}[found[2]]


def _quantity(found: re.Match[str]) -> str:
    before, noun = found["before"] or "", (found["noun"] or "").lower()
    whole, point, fraction = _parts(found["number"])
    words = _digits(whole)
    unit = _UNITS.get((found["unit"] or found["sign"] or "").strip())
    if unit:
        words = _measured(words, whole, point, fraction, unit)
    elif fraction:
        words += f" {point} {_digits(fraction, 3)}"
    elif before.lower() in ("la", "las"):
        words = _feminine(words)
    elif before.lower() not in _NUMBERED and len(noun) > 2 and noun not in _NO_NOUN:
        is_feminine = _FEMININE.search(noun) and not _MASCULINE.match(noun)
        words = _feminine(words) if is_feminine else _masculine(words)
    return f"{before} {words} "


def _parts(number: str) -> tuple[str, str, str]:
    """The digits before and after the decimal sign, and that sign's name: "1.234,5" is 1234 "coma" 5."""
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{3})+(,[0-9]+)?", number):
        number = number.replace(".", "")
    elif "." in number:
        number = number.replace(",", "")
    whole, sign, fraction = re.fullmatch("([0-9]+)([.,]?)([0-9]*)", number).groups()
    return whole, "punto" if sign == "." else "coma", fraction


def _measured(words: str, whole: str, point: str, fraction: str, unit: tuple[str, ...]) -> str:
    one, several, *cents = unit
    if cents and len(fraction) == 2:
        if whole == "0":
            return f"{_masculine(_digits(fraction.lstrip('0') or '0'))} {cents[0]}"
        rest = f" con {cardinal(int(fraction))}" if int(fraction) else ""
        return _measured(words, whole, point, "", (one, several)) + rest
    if fraction:
        return f"{words} {point} {_digits(fraction, 3)} {several}"
    if one.startswith("por"):
        return f"{words} {one}"
    words = _feminine(words) if one in ("libra", "hora") else _masculine(words)
    return f"{words}{' de' * words.endswith(('llón', 'llones'))} {one if whole == '1' else several}"
