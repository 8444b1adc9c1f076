"""Sound in the formats of OpenAI's Realtime API: audio/pcm, audio/pcmu and audio/pcma, as base64."""

from __future__ import annotations

from typing import Any

import numpy as np

from lkcook import pcm
from lkcook.engines.text_to_speech import SAMPLE_RATE
from lkcook.gateway.realtime import g711
from lkcook.gateway.realtime.connection import LARGEST_AUDIO
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.socket import base64_bytes


def decode(audio: Any, audio_format: dict[str, Any]) -> tuple[np.ndarray, int]:
    """Base64 → int16 samples and their rate; raises ProtocolError."""
    raw, kind = base64_bytes(audio), audio_format["type"]
    if len(raw) > LARGEST_AUDIO:
        told = f"{len(raw)} bytes of audio; at most {LARGEST_AUDIO} are taken"
        raise Rejected(told, "string_above_max_length", param="audio")
    if kind != "audio/pcm":
        return g711.decode(raw, kind.removeprefix("audio/")), g711.SAMPLE_RATE
    if len(raw) % 2:
        raise Rejected(f"audio is 16-bit PCM, but {len(raw)} bytes are an odd number", param="audio")
    return np.frombuffer(raw, "<i2"), audio_format["rate"]


def encode(samples: np.ndarray, audio_format: dict[str, Any]) -> bytes:
    """int16 at 24 kHz → bytes."""
    kind = audio_format["type"]
    samples = pcm.resample(samples, SAMPLE_RATE, audio_format.get("rate", g711.SAMPLE_RATE))
    return samples.astype("<i2").tobytes() if kind == "audio/pcm" else g711.encode(samples, kind.removeprefix("audio/"))
