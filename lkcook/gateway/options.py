"""The options each provider takes in `extra`: which this machine honours, and a note about every other.

What the SDK knows of them is read from its TypedDicts (livekit-agents 1.8.9, inference/stt.py, tts.py, llm.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lkcook.engines.prosody import EMOTIONS, NEUTRAL, Prosody
from lkcook.gateway.socket import ProtocolError

_PACE = {"slow": 0.8, "normal": 1.0, "fast": 1.25}
_LLM = (
    "model messages stream stream_options tools tool_choice temperature top_p seed stop response_format "
    "presence_penalty frequency_penalty max_tokens max_completion_tokens"
).split()
_ENDPOINTING = {
    "deepgram": ("endpointing", 0.001),
    "xai": ("endpointing", 0.001),
    "speechmatics": ("end_of_utterance_silence_trigger", 1.0),
}
FLUX = "deepgram/flux"  # recognisers that hear whether a turn is over
_HONOURED = {
    "tts": {
        "cartesia": ("speed", "emotion", "volume", "add_timestamps"),
        "rime": ("speed_alpha",),
        "inworld": ("speaking_rate", "timestamp_type"),
        "xai": ("speed",),
        "fishaudio": ("speed", "volume"),
    },
    "stt": {
        "deepgram": ("keyterm", "keywords", "endpointing", "interim_results", "detect_language", "language_hint"),
        "deepgram/flux": ("keyterm", "eot_threshold", "eot_timeout_ms", "detect_language", "language_hint"),
        "assemblyai": ("keyterms_prompt", "language_detection"),
        "cartesia": ("keyterm",),
        "speechmatics": ("additional_vocab", "end_of_utterance_silence_trigger", "enable_partials"),
        "xai": ("endpointing", "interim_results"),
        "google": ("custom_vocabulary", "language_codes"),
        "openai": ("keywords", "languages"),
    },
}


def unheeded(kind: str, model: str, options: Iterable[str]) -> list[str]:
    """A note for each of `options` that changes nothing here."""
    provider = model.partition("/")[0]
    honoured = _LLM if kind == "llm" else _HONOURED[kind].get(_family(model), ())
    known = _known(kind, provider)
    return [
        only_the_cloud(name)
        if name in known
        else f"{name}: livekit-agents knows no such option of {provider}, and nothing here heeds it"
        for name in options
        if name not in honoured
    ]


def _family(model: str) -> str:
    """Whose options: the provider's, but for Flux, which has its own."""
    return FLUX if model.startswith(FLUX) else model.partition("/")[0]


def only_the_cloud(name: str) -> str:
    """The note about an option that exists, and changes nothing here."""
    return f"{name}: only the cloud honours it"


def only_ollama(name: str) -> str:
    """The note about an option of Ollama's that changes nothing here."""
    return f"{name}: only a real Ollama honours it"


def _known(kind: str, provider: str) -> set[str]:
    from livekit.agents.inference import llm, stt, tts

    if kind == "llm":
        return {*llm.ChatCompletionOptions.__annotations__, "n", "parallel_tool_calls"}
    prefix = provider.replace("-", "")
    classes = [
        value
        for name, value in vars(stt if kind == "stt" else tts).items()
        if name.lower().startswith(prefix) and name.endswith("Options")
    ]
    return {name for options in classes for name in options.__annotations__}


def prosody_of(model: str, extra: dict[str, Any]) -> tuple[Prosody, list[str]]:
    """Tempo, volume and emotion as the provider of `model` spells them, and notes. Raises ProtocolError."""
    provider = model.partition("/")[0]
    prosody, notes = NEUTRAL, []
    if provider == "cartesia" and (emotion := extra.get("emotion")) is not None:
        name = str(emotion[0] if isinstance(emotion, list) and emotion else emotion).partition(":")[0].lower()
        prosody = EMOTIONS.get(name, NEUTRAL)
        if name not in EMOTIONS:
            notes.append(f"emotion {name!r} is not known here, so it is spoken neutrally; known: {', '.join(EMOTIONS)}")
    prosody = prosody.faster(_tempo(provider, extra)).louder(_volume(provider, extra))
    return prosody, notes


def _tempo(provider: str, extra: dict[str, Any]) -> float:
    if provider == "rime":
        return 1 / _factor(extra, "speed_alpha", 0.5, 2.0)
    if provider == "inworld":
        return _factor(extra, "speaking_rate", 0.5, 1.5)
    if provider in ("cartesia", "xai", "fishaudio"):
        return _factor({**extra, "speed": _PACE.get(str(extra.get("speed")), extra.get("speed"))}, "speed", 0.5, 2.0)
    return 1.0


def _volume(provider: str, extra: dict[str, Any]) -> float:
    if provider == "fishaudio":
        return 10 ** (_factor(extra, "volume", -20.0, 20.0, default=0.0) / 20)  # decibels
    return _factor(extra, "volume", 0.0, 2.0) if provider == "cartesia" else 1.0


def _factor(extra: dict[str, Any], name: str, least: float, most: float, default: float = 1.0) -> float:
    words = "slow, normal, fast or " if name == "speed" else ""
    return _number(extra, name, least, most, default=default, words=words)


def _number(extra: dict[str, Any], name: str, least: float, most: float, *, default: float, words: str = "") -> float:
    value = extra.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ProtocolError(f"{name} is {words}a number from {least:g} to {most:g}, not {value!r}")
    return float(value)


def wants_timestamps(model: str, extra: dict[str, Any]) -> str:
    """"words", "chars" or "": the alignment asked for (inference/tts.py: _has_aligned_transcript)."""
    provider = model.partition("/")[0]
    if provider == "cartesia" and extra.get("add_timestamps"):
        return "words"
    if provider == "inworld":
        return {"WORD": "words", "CHARACTER": "chars"}.get(str(extra.get("timestamp_type")), "")
    return ""


def keyterms(extra: dict[str, Any]) -> list[str]:
    """The words a recogniser is told to expect, however the provider spells that."""
    terms: list[str] = []
    for name in ("keyterm", "keyterms_prompt", "keywords", "additional_vocab", "custom_vocabulary"):
        value = extra.get(name) or []
        for term in [value] if isinstance(value, str) else value if isinstance(value, list) else []:
            word = term.get("content") if isinstance(term, dict) else term[0] if isinstance(term, list) and term else term
            if isinstance(word, str) and word.strip():
                terms.append(word.strip())
    return terms


def endpointing(model: str, extra: dict[str, Any]) -> float | None:
    """Seconds of silence that end an utterance, if the options say so (Deepgram, xAI: ms; Speechmatics: seconds)."""
    name, unit = _ENDPOINTING.get(_family(model), ("", 1.0))
    value = extra.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return min(max(value * unit, 0.1), 5.0)


def end_of_turn(model: str, extra: dict[str, Any]) -> tuple[float, float] | None:
    """Flux: the longest wait in seconds, and from which probability on a turn has ended. None for every other model.

    The defaults are Deepgram's. Raises ProtocolError.
    """
    if not model.startswith(FLUX):
        return None
    most = _number(extra, "eot_timeout_ms", 500, 60_000, default=5_000) / 1000
    return most, _number(extra, "eot_threshold", 0.5, 0.9, default=0.7)


def language(extra: dict[str, Any]) -> str | None:
    """The language that the options name, "multi" when they ask to detect it."""
    if extra.get("detect_language") or extra.get("language_detection"):
        return "multi"
    for name in ("language_hint", "language_codes", "languages"):
        tags = extra.get(name)
        tags = [tags] if isinstance(tags, str) else tags
        if isinstance(tags, list) and tags:
            return str(tags[0]) if len(tags) == 1 else "multi"
    return None
