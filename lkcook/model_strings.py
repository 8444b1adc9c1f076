"""Model strings as they are written, and as a reader sees them: a table of many, and one taken apart.

`catalog` knows what is in them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from lkcook.errors import CookError
from lkcook.report.html import columns, table

if TYPE_CHECKING:
    from pandas import DataFrame

KINDS = {
    "stt": "speech to text",
    "llm": "language model",
    "tts": "text to speech",
    "voice": "text to speech with a popular voice",
    "realtime": "realtime model, speech to speech",
    "duplex": "duplex model, listens while it speaks",
    "decision": "decision model",
    "turn_detector": "turn detector",
    "vad": "voice activity detection",
}
STATUSES = {
    "works": "the SDK knows it",
    "newer exists": "it works, and there is a newer generation",
    "renamed": "another id today",
    "removed": "gone from LiveKit Inference",
    "unknown": "neither the SDK nor the reference has it",
}
_CODE = {
    "decision": 'inference.DecisionModel("{}")',
    "turn_detector": 'inference.TurnDetector(version="{}")',
    "vad": 'inference.VAD(model="{}")',
}
_HEADERS = (
    ("kind", "What the model does"),
    ("status", "; ".join(f"{status}: {meaning}" for status, meaning in list(STATUSES.items())[:-1])),
    ("write today", "A model string, or the code of a plugin"),
    ("in the reference", "What the models reference says, empty where it has nothing"),
    ("offline", "Served by the embedded gateway"),
    ("note", "Why, and what else to know"),
)


@dataclass(frozen=True)
class Entry:
    """One model string.

    model: the id without language or voice. string: what to write today, a voice of your choice at "{voice}".
    reference: what the models reference writes, or "". option: what stands after the colon, "language", "voice"
    or "". embedded: True if the gateway of this machine serves it.
    """

    kind: str
    provider: str
    model: str
    string: str
    reference: str
    status: str
    note: str
    option: str
    embedded: bool


class Models(list[Entry]):
    """Model strings; a table wherever they are shown."""

    def where(
        self,
        kind: str | None = None,
        *,
        provider: str | None = None,
        status: str | None = None,
        search: str | None = None,
        embedded: bool | None = None,
    ) -> Models:
        """Those that match every filter. provider: also an old name of it. search: words, all of them in the row."""
        _check("kind", kind, KINDS)
        _check("status", status, STATUSES)
        words = (search or "").lower().split()
        return Models(
            entry
            for entry in self
            if kind in (None, entry.kind)
            and status in (None, entry.status)
            and embedded in (None, entry.embedded)
            and (provider is None or provider.lower() in (entry.provider, entry.model.partition("/")[0]))
            and all(word in _text(entry) for word in words)
        )

    def frame(self) -> DataFrame:
        """The same as a pandas.DataFrame, one column for each field of Entry."""
        try:
            import pandas
        except ImportError as missing:
            raise CookError("A frame needs pandas, which is not installed", "pip install pandas") from missing
        return pandas.DataFrame(map(asdict, self), columns=[field.name for field in fields(Entry)])

    def _rows(self) -> list[tuple[str, ...]]:
        return [(e.kind, e.status, e.string, e.reference, "yes" if e.embedded else "", e.note) for e in self]

    def _repr_html_(self) -> str:
        return table(f"Model strings: {len(self)}", _HEADERS, self._rows())

    def __repr__(self) -> str:
        return columns([title for title, _ in _HEADERS], self._rows()) if self else "no model string matches"


@dataclass(frozen=True, repr=False)
class Parts:
    """One model string taken apart as the SDK does it, and explained.

    model: the id. language or voice: what stands after the last colon, "" if nothing does. today: what to write
    instead, the string itself if nothing changed, the nearest known one if its status is "unknown".
    """

    string: str
    kind: str
    provider: str
    model: str
    language: str
    voice: str
    status: str
    today: str
    note: str

    def _rows(self) -> list[tuple[str, str]]:
        guess = "perhaps " if self.status == "unknown" else ""
        told = {
            "kind": guess + KINDS[self.kind],
            "provider": self.provider,
            "model": self.model,
            "language": self.language and f"{self.language}, after the last colon",
            "voice": self.voice and f"{self.voice}, after the last colon",
            "status": f"{self.status}: {STATUSES[self.status]}",
            "nearest" if guess else "write today": self.today,
            "note": self.note,
        }
        return [(part, words) for part, words in told.items() if words]

    def _repr_html_(self) -> str:
        return table(self.string, [("part", ""), ("in words", "")], self._rows())

    def __repr__(self) -> str:
        return f"{self.string}\n{columns(('part', 'in words'), self._rows())}"


def split(string: str, kind: str) -> tuple[str, str]:
    """Id and option as the SDK's `from_model_string`: only speech has an option, after the last colon."""
    if kind not in ("stt", "tts") or ":" not in string:
        return string, ""
    model, _, option = string.rpartition(":")
    return model, option


def written(model: str, kind: str, option: str) -> str:
    """The model string, or the code where the SDK takes none: `split` backwards."""
    if kind in _CODE:
        return _CODE[kind].format(model.removeprefix("turn-detector-"))
    return f"{model}:{option}" if option else model


def plugin_code(model: str, kind: str, option: str) -> str:
    """The code that does with a provider's plugin what the model string did; "..." for a voice still to choose."""
    provider, _, name = model.partition("/")
    if kind == "stt":
        return f"{provider}.STT()"
    voice = "..." if not option or option.startswith("{") else json.dumps(option)
    return f"{provider}.TTS(voice_id={voice}" + (f", model={json.dumps(name)})" if name else ")")


def _check(name: str, value: str | None, known: dict[str, str]) -> None:
    if value is not None and value not in known:
        raise CookError(f"There is no {name} {value!r}", f"one of: {', '.join(known)}")


def _text(entry: Entry) -> str:
    return " ".join((entry.provider, entry.model, entry.string, entry.reference, entry.note)).lower()
