"""Which models hear and speak over OpenAI's protocol, and whose voices there are: read from installed SDK and plugins.

host: another provider that speaks it; None is OpenAI itself.
Every function raises ProtocolError that names the nearest one: 404 for a model, 400 for a voice.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import cache
from typing import Any, get_args

from lkcook import voices
from lkcook.hosts import Host
from lkcook.gateway.socket import ProtocolError

_REALTIME_ONLY = ("gpt-realtime-whisper", "gpt-live-transcribe")  # livekit-plugins-openai 1.8.9, stt.py


def nearest(asked: Any, known: Sequence[str]) -> str:
    """The one of `known` that `asked` most resembles."""
    return difflib.get_close_matches(_short(asked), known, 1, 0.0)[0]


def realtime_only(model: Any) -> bool:
    """Whether a transcription model is heard over the realtime API alone; it finds no turns by itself."""
    return str(model).startswith(_REALTIME_ONLY)


@cache
def transcription_models() -> tuple[str, ...]:
    """Of livekit-plugins-openai, without the provider."""
    from livekit.plugins.openai.models import STTModels  # late: registers a plugin, which only the main thread may do

    return _flat(STTModels)


def transcription_model(asked: Any, host: Host | None = None) -> str:
    """A speech-to-text model, with its provider; the first one if none is asked for."""
    known = host.stt() if host else transcription_models()
    return f"{provider(host)}/{_known(asked, known, 'transcription') if asked or not known else known[0]}"


@cache
def speech_models() -> tuple[str, ...]:
    """Of livekit-plugins-openai and of the SDK, without the provider."""
    from livekit.plugins.openai.models import TTSModels  # late, as above
    from openai.types.audio.speech_model import SpeechModel

    return tuple(dict.fromkeys([*_flat(TTSModels), *_flat(SpeechModel)]))


def speech_model(asked: Any, host: Host | None = None) -> str:
    """A text-to-speech model, with its provider."""
    return f"{provider(host)}/{_known(asked, host.tts() if host else speech_models(), 'text-to-speech')}"


def provider(host: Host | None) -> str:
    """Its name."""
    return host.name if host else "openai"


@cache
def speech_voices() -> tuple[str, ...]:
    """Those of the SDK that this machine has a voice for."""
    from openai.types.audio.speech_create_params import Voice

    here = {voice.id for voice in voices.of_provider("openai")}
    return tuple(name for name in _flat(Voice) if name in here)


def speech_voice(asked: Any, host: Host | None = None) -> str:
    """A voice for text to speech, as the provider calls it."""
    voices_here = tuple(voice.id for voice in voices.of_provider(host.name)) if host else speech_voices()
    known = ", ".join(voices_here)
    if isinstance(asked, dict):
        raise ProtocolError(f"there are no custom voices here; take one of {known}")
    if (name := str(asked).lower()) in voices_here:
        return name
    likely = nearest(asked, voices_here)
    raise ProtocolError(f"unknown voice {_short(asked)!r}; did you mean {likely!r}? Known are {known}")


def _known(asked: Any, known: Sequence[str], what: str) -> str:
    if asked in known:
        return str(asked)
    if not known:
        raise ProtocolError(f"no {what} model is known: the provider's plugin is not installed", code=404)
    told = f"unknown {what} model {_short(asked)!r}; did you mean {nearest(asked, known)!r}?"
    raise ProtocolError(f"{told} Known are {', '.join(known)}", code=404)


def _flat(literal: Any) -> tuple[str, ...]:
    """The strings of a Literal, or of a Union of them."""
    if isinstance(literal, str):
        return (literal,)
    return tuple(name for part in get_args(literal) for name in _flat(part))


def _short(asked: Any) -> str:
    return str(asked)[:100]
