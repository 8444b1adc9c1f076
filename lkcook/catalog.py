"""Every model string: what LiveKit's reference lists, what the installed SDK knows, what to write today.

Ids are read from the SDK's own type literals, never copied; `reference` has the rows they are compared with.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, cast, get_args, get_origin

from lkcook.errors import CookError
from lkcook.model_strings import KINDS, Entry, Models, Parts, plugin_code, split, written
from lkcook.reference import LEFT, NEWER, REALTIME, ROWS, SUCCESSORS, VOICES

Kind = Literal["stt", "llm", "tts", "realtime", "duplex", "decision", "turn_detector", "vad"]

_LITERALS: dict[Kind, str] = {
    "stt": "STTModels",
    "llm": "LLMModels",
    "tts": "TTSModels",
    "realtime": "RealtimeModels",
    "duplex": "DuplexModels",
    "decision": "DecisionModels",
    "turn_detector": "TurnDetectorModels",
    "vad": "VADModels",
}
_OPTIONS = {"stt": "language", "tts": "voice", "voice": "voice"}
_EXAMPLES = {"stt": "en", "tts": "{voice}"}  # what the table puts after the colon


@dataclass(frozen=True)
class Verdict:
    """What became of an id. model: its id today. today: what to write, with what stood after the colon."""

    status: str
    model: str
    today: str
    note: str = ""


@cache
def ids(kind: Kind) -> tuple[str, ...]:
    """The ids LiveKit Inference takes for one kind of model, in the SDK's order; the retired ones last."""
    from livekit.agents import inference

    known = values_of(getattr(inference, _LITERALS[kind]))
    return tuple(dict.fromkeys([*known, *(_retired() if kind == "realtime" else ())]))


def nearest(model: str, kind: Kind) -> str:
    """The known id that took the place of `model`, or else the one it most resembles."""
    if model in ids(kind):
        return model
    if model in SUCCESSORS.get(kind, {}):
        return SUCCESSORS[kind][model][0]
    known = [known_id for known_id in ids(kind) if known_id not in _retired()]
    name = model.rpartition("/")[2]
    by_name = {known_id.rpartition("/")[2]: known_id for known_id in reversed(known)}
    for candidates, wanted in ((known, model), (list(by_name), name)):
        if close := difflib.get_close_matches(wanted, candidates, 1, 0.75):
            return by_name.get(close[0], close[0])
    return max(known, key=lambda known_id: _likeness(model, known_id))


def advice(model: str, kind: Kind) -> str:
    """What to write instead of an id that is not known: a sentence for an error message."""
    found = verdict(model, kind)
    if found.status == "removed":
        return f"{LEFT[_provider(model, kind)]}; use the plugin: {found.today}"
    return f"did you mean {found.model!r}?"


def verdict(model: str, kind: Kind, option: str = "") -> Verdict:
    """Whether `model` works and what to write today; `option` stands after the colon."""
    if kind == "realtime" and (successor := _retired().get(model)):
        return Verdict("newer exists", successor, successor, f"{model} is retired, though Inference still takes it")
    if model in ids(kind):
        newer = NEWER.get(model)
        note = f"newer: {newer}" if newer else _remark(model, kind)
        return Verdict("newer exists" if newer else "works", model, written(model, kind, option), note)
    if model in SUCCESSORS.get(kind, {}):
        today, why = SUCCESSORS[kind][model]
        return Verdict("renamed", today, written(today, kind, option), why)
    provider = _provider(model, kind)
    if kind in ("stt", "tts") and provider in LEFT:
        note = f"{LEFT[provider]}; from livekit.plugins import {provider}"
        return Verdict("removed", model, plugin_code(model, kind, option), note)
    likely = nearest(model, kind)
    note = "" if kind in _EXAMPLES or ":" not in model else f"nothing stands after the id of a {KINDS[kind]}"
    return Verdict("unknown", likely, written(likely, kind, option), note)


def models(
    kind: str | None = None, *, provider: str | None = None, status: str | None = None, search: str | None = None
) -> Models:
    """Every model string of the reference and of the installed SDK, or those that match all filters.

    kind: "stt", "llm", "tts", "voice", "realtime", "duplex", "decision", "turn_detector" or "vad".
    status: "works", "newer exists", "renamed" (another id today) or "removed" (gone from LiveKit Inference).
    """
    return Models(_entries()).where(kind, provider=provider, status=status, search=search)


def parse(string: str) -> Parts:
    """Take a model string apart as the SDK does it: "deepgram/nova-3:en" is a provider, a model and a language."""
    if not isinstance(string, str) or not string.strip():
        raise CookError(f"{string!r} is no model string", 'write one like "deepgram/nova-3:en"; see lkcook.models()')
    from livekit.agents import LanguageCode

    kind = _kind(string)
    model, option = split(string, kind)
    found = verdict(model, kind, option)
    note = _join(VOICES.get(string), found.note)
    language, voice = (str(LanguageCode(option)) if kind == "stt" else ""), (option if kind == "tts" else "")
    return Parts(string, kind, _provider(model, kind), model, language, voice, found.status, found.today, note)


@cache
def _entries() -> tuple[Entry, ...]:
    return tuple(entry for kind in KINDS for entry in _of_kind(kind))


def _of_kind(kind: str) -> Iterator[Entry]:
    """The reference's rows in its order, then what only the SDK knows."""
    listed = set()
    for row in ROWS.get(kind, ()):
        model, option = split(row, _sdk_kind(kind))
        listed.add(model)
        yield _entry(kind, model, "{voice}" if kind == "tts" else option, row)
    if kind == "realtime":
        for it in REALTIME:
            yield Entry(kind, it.provider, it.model, it.today, it.reference, it.status, it.note, "", embedded=True)
    for model in ids(_sdk_kind(kind)) if kind != "voice" else ():
        if model not in listed:
            yield _entry(kind, model, _EXAMPLES.get(kind, ""), "")


def _entry(kind: str, model: str, option: str, row: str) -> Entry:
    found = verdict(model, _sdk_kind(kind), option)
    provider, note = _provider(found.model, _sdk_kind(kind)), _join(VOICES.get(row), found.note)
    served = kind in ("stt", "llm", "tts", "voice", "realtime", "duplex")
    embedded = served or model == "turn-detector-v1"  # the mini one needs no server
    return Entry(kind, provider, model, found.today, row, found.status, note, _OPTIONS.get(kind, ""), embedded)


def _sdk_kind(kind: str) -> Kind:
    return "tts" if kind == "voice" else cast(Kind, kind)


def _kind(string: str) -> Kind:
    """What a model string is for: its id tells, and for one that nobody knows the id it most resembles."""
    for kind in _LITERALS:
        if (model := split(string, kind)[0]) in ids(kind) or model in SUCCESSORS.get(kind, {}):
            return kind
    if re.split("[/:]", string)[0] in LEFT:
        return "stt" if "scribe" in string else "tts"  # what ElevenLabs calls its recognisers

    def likeness(kind: Kind) -> float:
        model, _ = split(string, kind)
        return _likeness(model, nearest(model, kind))

    return max(_LITERALS, key=likeness)


def _provider(model: str, kind: Kind) -> str:
    """What stands before the slash. A bare voice is a provider too; what else is bare is LiveKit's own."""
    own = "/" not in model and kind != "tts" and model in ids(kind)
    return "livekit" if own else model.partition("/")[0]


def _remark(model: str, kind: Kind) -> str:
    if model == "auto":
        return "LiveKit chooses a model for the language"
    return "the provider's default model" if kind == "tts" and "/" not in model else ""


def _retired() -> dict[str, str]:
    """Realtime ids that Inference still takes though the literals dropped them, and their successors."""
    from livekit.agents.inference import _realtime_models

    return _realtime_models.DEPRECATED_REALTIME_MODELS


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def _join(*clauses: str | None) -> str:
    return "; ".join(filter(None, clauses))


def values_of(literal: Any) -> list[str]:
    """The strings in a possibly nested Literal or Union of Literals."""
    if get_origin(literal) is Literal:
        return [value for value in get_args(literal) if isinstance(value, str)]
    return [value for part in get_args(literal) for value in values_of(part)]
