"""AWS's binary event stream (application/vnd.amazon.eventstream): one frame is one event.

    length of the frame | length of its headers | CRC-32 of these two | headers | JSON | CRC-32 of all before it

Numbers have 32 bits, the most significant byte first. A header is its name, the type of its value (7: text), the value.
"""

from __future__ import annotations

import json
from binascii import crc32
from struct import pack
from typing import Any

_TEXT = 7
_AROUND = 16  # bytes of the two lengths and the two checksums


def frame(name: str, payload: dict[str, Any]) -> bytes:
    """An event, or an error that ends the stream: its name says which, as in "validationException"."""
    kind = "exception" if name.endswith("Exception") else "event"
    told = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    headers, body = b"".join(_header(*each) for each in told.items()), json.dumps(payload).encode()
    lengths = pack("!II", _AROUND + len(headers) + len(body), len(headers))
    checked = lengths + pack("!I", crc32(lengths)) + headers + body
    return checked + pack("!I", crc32(checked))


def _header(name: str, value: str) -> bytes:
    return pack("!B", len(name)) + name.encode() + pack("!BH", _TEXT, len(value)) + value.encode()
