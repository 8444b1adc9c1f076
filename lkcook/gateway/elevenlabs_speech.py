"""What an ElevenLabs client wants said: with which voice, how fast, encoded how; and when each character was heard.

The ids and formats are those of livekit-plugins-elevenlabs 1.8.9 (models.py), read from its own type literals.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, get_args

from lkcook import voices
from lkcook.engines.prosody import NEUTRAL, Prosody
from lkcook.engines.transcript import Word
from lkcook.gateway.options import only_the_cloud
from lkcook.gateway.socket import ProtocolError, known_keys
from lkcook.gateway.sound_encoder import ENCODINGS, SoundEncoder, mp3
from lkcook.gateway.speaking import LONGEST_TEXT, ForeignLanguage, UnknownVoice, letters, speaker

_MODEL, _FORMAT = "eleven_multilingual_v2", "mp3_44100_128"  # ElevenLabs' own defaults
_SPEED = (0.8, 1.2)
_USUAL: dict[str, Any] = {  # what the plugin sends unasked; whoever has not chosen it needs no note about it
    "apply_text_normalization": "auto",
    "enable_logging": "true",
    "enable_ssml_parsing": "false",
    "optimize_streaming_latency": "0",
}
_HEEDED = (
    "text flush context_id close_context voice_id voice_settings speed model_id language_code output_format "
    "sync_alignment inactivity_timeout auto_mode generation_config"
).split()


class Refusal(ProtocolError):
    """An error as ElevenLabs words it: `status` is a word such as "voice_not_found", `code` the HTTP status."""

    def __init__(self, status: str, message: str, *, code: int = 400) -> None:
        super().__init__(message, code=code, fatal=True)
        self.status = status


@dataclass(frozen=True)
class Format:
    """An output format, "mp3_22050_32" or "pcm_24000": codec, Hz, and kbit/s of an mp3."""

    codec: str
    rate: int
    kbps: int = 128

    @property
    def mime(self) -> str:
        """The Content-Type."""
        return "audio/mpeg" if self.codec == "mp3" else "audio/pcm"


@dataclass(frozen=True)
class Manner:
    """How texts are spoken. model: with its provider. voice: one of this machine's."""

    model: str
    voice: str
    format: Format
    prosody: Prosody = NEUTRAL


@cache
def known_ids() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The model ids and the output formats the plugin knows; of these, the formats this gateway can encode."""
    from livekit.plugins.elevenlabs import models  # late: registers a plugin, which only the main thread may do

    formats = [name for name in get_args(models.TTSEncoding) if name.startswith(("mp3_", "pcm_"))]
    return get_args(models.TTSModels), tuple(formats)


def default_voice(voice_id: str) -> str:
    """The id of the voice meant: the plugin's own default stands for the first of lkcook.voices, unless it is there."""
    from livekit.plugins.elevenlabs import tts

    known = voices.of_provider("elevenlabs")
    unlisted = voice_id == tts.DEFAULT_VOICE_ID and voice_id not in {voice.id for voice in known}
    return known[0].id if unlisted else voice_id


def manner_of(voice_id: str, options: Mapping[str, Any]) -> Manner:
    """Voice, model, language and output format; raises Refusal that names the valid ones."""
    models, formats = known_ids()
    model, output = options.get("model_id") or _MODEL, options.get("output_format") or _FORMAT
    if model not in models:
        raise Refusal("model_not_found", f"unknown model {model!r}; known are: {', '.join(models)}", code=404)
    if output not in formats:
        raise Refusal("invalid_output_format", f"output_format {output!r} is not served; use: {', '.join(formats)}")
    codec, *numbers = str(output).split("_")
    voice = _voice(f"elevenlabs/{model}", default_voice(voice_id), options.get("language_code"))
    return Manner(f"elevenlabs/{model}", voice, Format(codec, *map(int, numbers)))


def _voice(model: str, voice_id: str, language: Any) -> str:
    try:
        return speaker(model, voice_id, language)
    except UnknownVoice as unknown:
        raise Refusal("voice_not_found", str(unknown), code=unknown.code) from unknown
    except ForeignLanguage as foreign:
        raise Refusal("unsupported_language", str(foreign)) from foreign


def prosody_of(settings: Any) -> Prosody:
    """voice_settings → tempo; raises Refusal."""
    if settings is not None and not isinstance(settings, dict):
        raise Refusal("invalid_voice_settings", '"voice_settings" is a JSON object')
    speed = known_keys(settings, "voice_settings").get("speed")
    if speed is None:
        return NEUTRAL
    least, most = _SPEED
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not least <= speed <= most:
        raise Refusal("invalid_voice_settings", f"speed is a number from {least} to {most}, not {speed!r}")
    return NEUTRAL.faster(speed)


def text_of(message: Mapping[str, Any]) -> str:
    """The text to say; raises Refusal."""
    text = message.get("text")
    if not isinstance(text, str):
        raise Refusal("invalid_text", '"text" is text')
    if len(text) > LONGEST_TEXT:
        raise Refusal("max_character_limit_exceeded", f"{len(text)} characters; at most {LONGEST_TEXT} are taken")
    if re.search("[\ud800-\udfff]", text):
        raise Refusal("invalid_text", '"text" holds half a surrogate pair')
    return text


def notes_on(options: Mapping[str, Any]) -> list[str]:
    """A note for each option that was chosen and changes nothing here, and for a voice that another stands in for."""
    settings = options.get("voice_settings")
    chosen = {**options, **(settings if isinstance(settings, dict) else {})}
    notes = [
        only_the_cloud(name)
        for name, value in chosen.items()
        if name not in _HEEDED and value is not None and str(value) != _USUAL.get(name)
    ]
    if options.get("generation_config"):
        notes.append("chunk_length_schedule: spoken as soon as a sentence is complete")
    voice_id = str(options.get("voice_id"))
    if default_voice(voice_id) != voice_id:
        notes.append(f"voice_id {voice_id}: {voices.of_provider('elevenlabs')[0].name} stands in for it")
    return notes


class Encoder(SoundEncoder):
    """One stream of sound: int16 at 24 kHz in, bytes of the format out."""

    def __init__(self, wanted: Format) -> None:
        super().__init__(mp3(wanted.kbps) if wanted.codec == "mp3" else ENCODINGS["pcm"], wanted.rate)


def alignment(text: str, words: Sequence[Word], begin: float) -> dict[str, list[Any]]:
    """When each character of `text` was heard: letters share a word's time, a space lasts until the next word.

    begin: seconds between the beginning of the context and that of the sound `words` were found in.
    """
    times = ((start, length) for word in words for char, start, length in letters(word) if not char.isspace())
    starts: list[float] = []
    end = 0.0
    for char in text:
        start, length = (end, 0.0) if char.isspace() else next(times, (end, 0.0))
        starts.append(max(start, starts[-1] if starts else 0.0))
        end = max(end, start + length)
    milliseconds = [round((begin + time) * 1000) for time in (*starts, end)]
    return {
        "chars": list(text),
        "charStartTimesMs": milliseconds[:-1],
        "charDurationsMs": [later - earlier for earlier, later in pairwise(milliseconds)],
    }
