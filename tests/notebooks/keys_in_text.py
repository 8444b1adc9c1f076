"""Finds keys of providers in what is published: by their shape, and the very keys of whoever runs this."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Iterator, Mapping

SHAPES = {  # how each begins, and how it goes on
    "Anthropic, OpenAI": ("sk-", r"[A-Za-z0-9][\w-]{19,}"),
    "Cerebras": ("csk-", r"[a-z0-9]{20,}"),
    "ElevenLabs": ("sk_", r"[0-9a-f]{32,}"),
    "Groq": ("gsk_", r"[A-Za-z0-9]{20,}"),
    "Google": ("AIza", r"[\w-]{35}"),
    "AWS": ("AKIA", r"[0-9A-Z]{16}"),
    "xAI": ("xai-", r"[A-Za-z0-9]{20,}"),
    "Fireworks": ("fw_", r"[A-Za-z0-9]{20,}"),
    "LiveKit": ("API", r"(?=[A-Za-z]*\d)[A-Za-z0-9]{12}"),
    "a JSON web token": ("eyJ", r"[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "a private key": ("-----BEGIN ", r"(?:[A-Z]+ )?PRIVATE KEY-----\s*[A-Za-z0-9+/]{4}"),
}
# Nothing of base64 may touch a key: in an hour of encoded sound every short beginning occurs somewhere. What does not
# touch it is looked at after the beginning was found, which is ten times as fast.
_BASE64 = "[A-Za-z0-9+/_]"
_SHAPES = {
    whose: re.compile(f"{begins}(?<!{_BASE64}{begins}){rest}" + ("" if begins.endswith(" ") else rf"(?!{_BASE64}|-)"))
    for whose, (begins, rest) in SHAPES.items()
}
_ENCODED = re.compile(r"(?:[A-Za-z0-9+/]|\\n){200,}={0,2}")
_NAMED = re.compile(r"_(?:KEY|KEY_ID|SECRET|TOKEN|PASSWORD)$")
_LONG_ENOUGH = 12  # characters; "true" or "1" is nobody's key


def found(content: bytes, own: Mapping[str, str]) -> list[str]:
    """Whose keys are in `content` (a file as it is, with all that is base64 in it); never the key itself.

    own: as `own_keys()` gives it.
    """
    texts = list(_texts(content))
    shapes = {whose for whose, shape in _SHAPES.items() if any(shape.search(text) for text in texts)}
    values = {f"the value of {name}" for name, value in own.items() if any(value in text for text in texts)}
    return sorted(shapes | values)


def own_keys(file: Mapping[str, str]) -> dict[str, str]:
    """Every key in this process's environment and in `file`: {variable: value}."""
    both = {**os.environ, **file}
    return {name: value for name, value in both.items() if _NAMED.search(name) and len(value) >= _LONG_ENOUGH}


def _texts(content: bytes) -> Iterator[str]:
    text = content.decode("latin-1")
    yield text.replace("\\n", "\n")  # in a notebook's JSON a key at the beginning of a line would touch an n
    for encoded in _ENCODED.findall(text):
        unbroken = encoded.replace("\\n", "")
        try:
            yield base64.b64decode(unbroken[: len(unbroken) // 4 * 4]).decode("latin-1")
        except binascii.Error:  # a long word that only looks like base64
            continue
