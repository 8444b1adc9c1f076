"""The voices on this machine, by their own names. Which provider's voice id means which: `lkcook.voices`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Voice:
    """One voice.

    engine: "hibari" is heard within 50 ms, but has one speaker; "kokoro" has many, and takes about 0.4 of the
    time the sentence lasts (bench/voices.py). language: ISO 639-1. style: Kokoro's file. pitch < 1 lowers pitch and formants together:
    another, larger speaker from the same weights.
    """

    name: str
    sex: Literal["female", "male"]
    engine: Literal["hibari", "kokoro"] = "kokoro"
    language: str = "en"
    style: str = ""
    pitch: float = 1.0

    @property
    def british(self) -> bool:
        """Pronounced the British way."""
        return self.style.startswith("b")


VOICES: dict[str, Voice] = {
    voice.name: voice
    for voice in (
        Voice("heart", "female", "hibari"),
        Voice("caller", "male", "hibari", pitch=0.82),
        Voice("bella", "female", style="af_bella"),
        Voice("jessica", "female", style="af_jessica"),
        Voice("alloy", "female", style="af_alloy"),
        Voice("sky", "female", style="af_sky"),
        Voice("isabella", "female", style="bf_isabella"),
        Voice("michael", "male", style="am_michael"),
        Voice("fenrir", "male", style="am_fenrir"),
        Voice("george", "male", style="bm_george"),
        Voice("dora", "female", language="es", style="ef_dora"),
        Voice("alex", "male", language="es", style="em_alex"),
    )
}
DEFAULT = "heart"
LANGUAGES = tuple(sorted({voice.language for voice in VOICES.values()}))


def in_language(voice: Voice, language: str | None) -> Voice:
    """`voice`, or one of the same sex that speaks `language` (ISO 639-1). Raises KeyError when none does."""
    if language is None or voice.language == language:
        return voice
    for other in VOICES.values():
        if other.language == language and other.sex == voice.sex and other.name != "caller":
            return other
    raise KeyError(language)
