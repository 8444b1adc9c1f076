"""Google's JSON, as protocol buffers have it: names in camelCase or snake_case, null means absent, none may be unknown.

Whatever is wrong ends the connection: Gemini Live has no error message, only a close code and a sentence.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import numpy as np

from lkcook.gateway.socket import ProtocolError, sample_rate

INVALID, POLICY, FAILED = 1007, 1008, 1011  # RFC 6455: what Google closes with
_LONGEST = 20_000  # characters of one text
_RATE = 16_000  # Hz, when the MIME type names none


class Refused(ProtocolError):
    """The end of the connection. close: the close code."""

    def __init__(self, message: str, close: int = INVALID) -> None:
        super().__init__(message, fatal=True)
        self.close = close


def close_code(error: ProtocolError) -> int:
    """INVALID for what a client got wrong, FAILED for what the gateway cannot do now."""
    return error.close if isinstance(error, Refused) else FAILED if error.code >= 429 else INVALID


def fields(value: Any, path: str, known: str) -> dict[str, Any]:
    """An object with no other fields than the `known` ones (separated by spaces); their names come in camelCase."""
    at = f" at '{path}'" if path else ""
    if not isinstance(value, dict):
        raise Refused(f"Invalid value{at}: it is an object.")
    named = {_camel(name): inner for name, inner in value.items() if inner is not None}
    for name in value:
        if _camel(name) not in known.split():
            raise Refused(f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.')
    return named


def text(value: Any, path: str) -> str:
    """A string."""
    if not isinstance(value, str):
        raise Refused(f"Invalid value at '{path}': it is a string.")
    if len(value) > _LONGEST:
        raise Refused(f"{path} has {len(value)} characters; at most {_LONGEST} are taken.")
    if re.search("[\ud800-\udfff]", value):
        raise Refused(f"{path} holds half a surrogate pair.")
    return value


def flag(value: Any, path: str) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise Refused(f"Invalid value at '{path}': it is true or false.")
    return value


def number(value: Any, path: str, least: float, most: float) -> float:
    """Protocol buffers write long integers as strings; both are taken."""
    try:
        found = float(value) if not isinstance(value, bool) else None
    except (TypeError, ValueError):
        found = None
    if found is None or not least <= found <= most:
        raise Refused(f"Invalid value at '{path}': {value!r} is no number from {least:g} to {most:g}.")
    return found


def choice(value: Any, path: str, *names: str) -> str:
    """One of an enum's names."""
    if not isinstance(value, str) or value.upper() not in names:
        raise Refused(f"Invalid value at '{path}': {value!r} is none of {', '.join(names)}.")
    return value.upper()


def many(value: Any, path: str) -> list[Any]:
    """A list; one value alone counts as a list of it."""
    if value is None:
        return []
    if not isinstance(value, list | dict):
        raise Refused(f"Invalid value at '{path}': it is a list.")
    return value if isinstance(value, list) else [value]


def blob(value: Any, path: str) -> tuple[np.ndarray, int] | None:
    """The sound of {mimeType, data}, int16, and its rate in Hz; None for pictures, which nobody here sees."""
    found = fields(value, path, "mimeType data displayName")
    kind, *parameters = text(found.get("mimeType", "audio/pcm"), f"{path}.mime_type").replace(" ", "").split(";")
    if kind.startswith(("image/", "video/")):
        return None
    if kind not in ("audio/pcm", "audio/l16"):
        raise Refused(f"Unsupported mime_type {kind!r} at '{path}': sound is audio/pcm;rate=16000.")
    rates = [parameter.removeprefix("rate=") for parameter in parameters if parameter.startswith("rate=")]
    raw = _bytes(found.get("data", ""), f"{path}.data")
    if len(raw) % 2:
        raise Refused(f"'{path}.data' is 16-bit PCM, but {len(raw)} bytes are an odd number.")
    return np.frombuffer(raw, "<i2"), sample_rate(rates[0] if rates else None, _RATE)


def _bytes(value: Any, path: str) -> bytes:
    """Both alphabets of base64, padded or not: protocol buffers read either, and Google's client writes the second."""
    if not isinstance(value, str):
        raise Refused(f"Invalid value at '{path}': it is base64 text.")
    standard = value.translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(f"Invalid value at '{path}': Base64 decoding failed.") from error


def _camel(name: str) -> str:
    head, *tail = str(name).split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)
