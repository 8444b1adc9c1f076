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
_UNITS = {  # one, several
    "€": ("euro", "euros"), "EUR": ("euro", "euros"), "$": ("dólar", "dólares"), "USD": ("dólar", "dólares"),
    "£": ("libra", "libras"), "%": ("por ciento", "por ciento"), "°C": ("grado", "grados"), "ºC": ("grado", "grados"),
    "°": ("grado", "grados"), "km/h": ("kilómetro por hora", "kilómetros por hora"), "km": ("kilómetro", "kilómetros"),
    "m": ("metro", "metros"), "cm": ("centímetro", "centímetros"), "kg": ("kilo", "kilos"), "g": ("gramo", "gramos"),
    "gr": ("gramo", "gramos"), "l": ("litro", "litros"), "L": ("litro", "litros"), "ml": ("mililitro", "mililitros"),
    "cl": ("centilitro", "centilitros"), "h": ("hora", "horas"), "min": ("minuto", "minutos"),
}  # fmt: skip
_MONEY = ("euro", "dólar", "libra")
_SIGNS = {
    "€": "euros", "$": "dólares", "£": "libras", "%": "por ciento", "@": "arroba", "&": "y", "+": "más", "=": "igual a",
}  # fmt: skip
_TITLES = {
    "Sra": "señora", "Srta": "señorita", "Sres": "señores", "Sr": "señor", "Dra": "doctora", "Dr": "doctor",
    "Dña": "doña", "Prof": "profesor", "Avda": "avenida", "Av": "avenida", "Pza": "plaza", "Tel": "teléfono",
    "Tfno": "teléfono", "Núm": "número", "Nº": "número", "Aprox": "aproximadamente", "Ej": "ejemplo", "Pág": "página",
    "Máx": "máximo", "Mín": "mínimo", "Sta": "santa", "Sto": "santo",
}  # fmt: skip
_LAST = {"Ud": "usted", "Vd": "usted", "Uds": "ustedes", "Vds": "ustedes", "etc": "etcétera"}
_INITIALS = {"EE. UU.": "Estados Unidos", "a. m.": "a eme", "p. m.": "pe eme", "c. c.": "con copia", "S. A.": "ese a"}
_NO_NOUN = frozenset(
    "de del en con por para sin y e o u a al es son ni que pero hasta desde entre como si no más el la los las se me "
    "te le nos está están era cada".split()
)
_MASCULINE = re.compile(r"(?:d[ií]|map|problem|tem|sistem|program|platan|idiom|clim)as?$")
_FEMININE = re.compile(r"(?:as?|d|dades|ciones|siones|ci[oó]n|si[oó]n|noches?|veces|vez|clases?|tardes?|llaves?)$")

_NUMBER = r"[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?|[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|[0-9]+(?:[.,][0-9]+)?"
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_QUANTITY = re.compile(
    rf"(?P<fem>\b[Ll]as? )?(?:(?P<before>[€$£])\s?)?(?P<number>{_NUMBER})"
    rf"(?:\s?(?P<unit>{_UNIT})(?!\w))?(?P<next>(?=\s+(?P<noun>[^\W\d_]+))?)"
)
_TIME = re.compile(
    r"(?<![\d:.,])(?P<hour>[01]?[0-9]|2[0-3])(?::(?P<minute>[0-5][0-9])|\.(?P<minute2>[0-5][0-9])(?=\s?h\b))"
    r"(?P<h>\s?(?:h\b|horas\b))?(?!\d|:\d)"
)
_DATE = re.compile(r"(?<!\d)(?:([0-3]?[0-9])[/-]([01]?[0-9])[/-]([0-9]{4})|([0-9]{4})-([01][0-9])-([0-3][0-9]))(?!\d)")
_PHONE = re.compile(r"(?<![\d.,])[0-9]{2,4}(?:[ .-][0-9]{2,4}){2,5}(?![\d,])|(?<![\d.,])[0-9]{9,}(?![\d,])")
_ORDINAL = re.compile(r"\b(10|[1-9])(?:\.?([ºª])|\.?(er)\b)")


def spell_out(text: str) -> str:
    """`text` with everything written in full: "a las 8:30" → "a las ocho y media", "12,50 €" → "doce euros con…"."""
    text = _abbreviations(text)
    text = _DATE.sub(_date, text)
    text = _TIME.sub(_time, text)
    text = _PHONE.sub(_phone, text)
    text = _ORDINAL.sub(_ordinal, text)
    text = re.sub(r"(?<=[0-9])\s?[-–]\s?(?=[0-9])", " a ", text)
    text = re.sub(r"(?<![\w)])[-−](?=[0-9])", " menos ", text)
    text = _QUANTITY.sub(_quantity, text)
    text = re.sub(r"(?<=[a-z])\.(?=[a-z])", " punto ", text)  # in addresses
    return re.sub("[€$£%@&+=]", lambda sign: f" {_SIGNS[sign[0]]} ", text)


def cardinal(number: int) -> str:
    """From 0 to 999 999 999; masculine, as in counting: 21 → "veintiuno"."""
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
        return _joined("mil" if thousands == 1 else f"{before_noun(cardinal(thousands))} mil", rest)
    millions, rest = divmod(number, 1_000_000)
    return _joined("un millón" if millions == 1 else f"{before_noun(cardinal(millions))} millones", rest)


def before_noun(words: str) -> str:
    """ "veintiuno" → "veintiún", as in "veintiún euros"."""
    return re.sub(r"veintiuno$", "veintiún", re.sub(r"\buno$", "un", words))


def feminine(words: str) -> str:
    """ "doscientos veintiuno" → "doscientas veintiuna"."""
    return re.sub(r"uno$", "una", re.sub(r"(cient|quinient)os\b(?!.*mill)", r"\1as", words))


def _joined(words: str, rest: int) -> str:
    return f"{words} {cardinal(rest)}" if rest else words


def _digits(digits: str) -> str:
    """As a number, or one by one when they are a code rather than an amount."""
    if len(digits) > 9 or digits[0] == "0" and len(digits) > 1:
        return " ".join(_TO_29[int(digit)] for digit in digits)
    return cardinal(int(digits))


def _abbreviations(text: str) -> str:
    for short, full in _INITIALS.items():
        pattern = re.escape(short).replace(r"\ ", r"\s?")
        text = re.sub(rf"(?<!\w){pattern[:-2]}(?:\.(?=\s*$|\s+[A-ZÁÉÍÓÚ¿¡])|(\.))", rf"{full}.", text)
    return text
