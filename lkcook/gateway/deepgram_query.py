"""The query of a Deepgram address, read and checked. Every function raises ProtocolError that names the parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from multidict import MultiMapping

from lkcook import pcm
from lkcook.engines.recognizer import SAMPLE_RATE
from lkcook.gateway import options
from lkcook.gateway.realtime import g711
from lkcook.gateway.socket import ProtocolError, sample_rate, samples_in

_LAWS: dict[str, g711.Law] = {"mulaw": "pcmu", "alaw": "pcma"}
_PLUMBING = {"model", "encoding", "sample_rate", "channels", "token", "mip_opt_out", "no_delay", "tag", "version"}
_UNASKED = {"false", ""}


def flag(query: MultiMapping[str], name: str, usual: bool = False) -> bool:
    """true or false."""
    value = query.get(name, str(usual)).lower()
    if value not in ("true", "false"):
        raise ProtocolError(f"{name} is true or false, not {value!r}")
    return value == "true"


def number(query: MultiMapping[str], name: str, least: float, most: float) -> float | None:
    """None when it is absent."""
    if (text := query.get(name)) is None:
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise ProtocolError(f"{name} is a number, not {text!r}") from error
    if not least <= value <= most:
        raise ProtocolError(f"{name} is a number from {least:g} to {most:g}, not {text}")
    return value


def language(tag: str, known: Iterable[str]) -> str | None:
    """A BCP-47 tag → Whisper's code; "multi": None, detect it."""
    from livekit.agents import LanguageCode

    if tag == "multi":
        return None
    if (code := LanguageCode(tag).language) not in known:
        raise ProtocolError(f"language {tag!r} is not known; known are: multi, {', '.join(sorted(known))}")
    return code


def keyterms(query: MultiMapping[str]) -> tuple[str, ...]:
    """keyterm, and keywords without their boosts ("word:2")."""
    words = [word.partition(":")[0] for word in query.getall("keywords", [])]
    return tuple(options.keyterms({"keyterm": [*query.getall("keyterm", []), *words]}))


def sound(query: MultiMapping[str]) -> Callable[[bytes], np.ndarray]:
    """What makes int16 at 16 kHz of the bytes that are sent."""
    encoding, channels = query.get("encoding", "linear16"), query.get("channels", "1")
    if channels != "1":
        raise ProtocolError(f"channels is 1, not {channels!r}: one voice is heard at a time")
    if encoding != "linear16" and encoding not in _LAWS:
        raise ProtocolError(f"encoding {encoding!r} is not heard here; send linear16, mulaw or alaw")
    rate = sample_rate(query.get("sample_rate"), SAMPLE_RATE if encoding == "linear16" else g711.SAMPLE_RATE)
    resampler = pcm.Resampler(rate, SAMPLE_RATE)
    read = samples_in if encoding == "linear16" else lambda raw: g711.decode(raw, _LAWS[encoding])
    return lambda raw: resampler.push(read(raw))


def notes(query: MultiMapping[str], heeded: Iterable[str], usual: Mapping[str, str]) -> list[str]:
    """A note for each parameter that was chosen and changes nothing here."""
    known = {*heeded, *_PLUMBING}
    chosen = {name: value for name, value in query.items() if name not in known and value.lower() not in _UNASKED}
    return [options.only_the_cloud(name) for name, value in chosen.items() if value != usual.get(name)]
