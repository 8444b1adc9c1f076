"""Every model string the installed LiveKit SDK knows, read from its own type literals, never copied."""

from __future__ import annotations

import difflib
from functools import cache
from typing import Any, Literal, get_args, get_origin

Kind = Literal["stt", "llm", "tts"]


@cache
def ids(kind: Kind) -> tuple[str, ...]:
    """The ids LiveKit Inference takes for speech to text, language models or voices, in the SDK's order."""
    from livekit.agents.inference import llm, stt, tts

    literal = {"stt": stt.STTModels, "llm": llm.LLMModels, "tts": tts.TTSModels}[kind]
    return tuple(dict.fromkeys(_values(literal)))


def nearest(model: str, kind: Kind) -> str:
    """The known id that `model` most resembles: what the reader probably meant."""
    known = ids(kind)
    name = model.rpartition("/")[2]
    by_name = {known_id.rpartition("/")[2]: known_id for known_id in reversed(known)}
    for candidates, wanted in ((known, model), (list(by_name), name)):
        if close := difflib.get_close_matches(model if candidates is known else wanted, candidates, 1, 0.75):
            return by_name.get(close[0], close[0])
    return max(known, key=lambda known_id: difflib.SequenceMatcher(None, model, known_id).ratio())


def _values(literal: Any) -> list[str]:
    """The strings in a possibly nested Literal or Union of Literals."""
    if get_origin(literal) is Literal:
        return [value for value in get_args(literal) if isinstance(value, str)]
    return [value for part in get_args(literal) for value in _values(part)]
