"""An id that is not known leads to the one that was meant."""

from __future__ import annotations

from typing import get_args

import pytest

from lkcook import catalog

KINDS: tuple[catalog.Kind, ...] = get_args(catalog.Kind)


@pytest.mark.parametrize(
    "old, kind, new",
    [
        ("gemini/gemini-2.5-pro", "llm", "google/gemini-2.5-pro"),
        ("gemini/gemini-2.0-flash", "llm", "google/gemini-2.5-flash-lite"),
        ("gemini/gemini-3-pro", "llm", "google/gemini-3.1-pro"),
        ("deepseek/deepseek-v3", "llm", "deepseek-ai/deepseek-v3"),
        ("cartesia/ink", "stt", "cartesia/ink-whisper"),
        ("rime/arcana", "tts", "rime/coda"),
        ("openai/gpt-4o-realtime-preview", "realtime", "openai/gpt-realtime"),
    ],
)
def test_the_nearest_to_an_old_id_is_the_one_that_took_its_place(old: str, kind: catalog.Kind, new: str) -> None:
    assert catalog.nearest(old, kind) == new
    assert catalog.advice(old, kind) == f"did you mean {new!r}?"


@pytest.mark.parametrize(
    "typo, kind, meant",
    [
        ("deepgram/nova3", "stt", "deepgram/nova-3"),
        ("nova-3", "stt", "deepgram/nova-3"),
        ("Cartesia/Sonic-3", "tts", "cartesia/sonic-3"),
        ("gemini/gemini-2.5-flash-lite", "llm", "google/gemini-2.5-flash-lite"),
        ("openai/gpt-realtime-2.2", "realtime", "openai/gpt-realtime-2.1"),
        ("slero", "vad", "silero"),
    ],
)
def test_the_nearest_to_a_typo_is_what_it_resembles(typo: str, kind: catalog.Kind, meant: str) -> None:
    assert catalog.nearest(typo, kind) == meant


def test_every_known_id_is_nearest_to_itself() -> None:
    assert all(catalog.nearest(model, kind) == model for kind in KINDS for model in catalog.ids(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_something_is_nearest_to_anything_and_it_is_no_retired_id(kind: catalog.Kind) -> None:
    for model in ("", "/", "x", "totally/bogus", "openai/gpt-realtime-1.6", "ключ/модель"):
        assert catalog.nearest(model, kind) in set(catalog.ids(kind)) - set(catalog._retired())


def test_advice_leads_from_a_provider_that_left_to_its_plugin() -> None:
    left = "ElevenLabs left LiveKit Inference; use the plugin: "
    assert catalog.advice("elevenlabs/scribe_v1", "stt") == left + "elevenlabs.STT()"
    assert catalog.advice("elevenlabs/eleven_flash_v2_5", "tts") == (
        left + 'elevenlabs.TTS(voice_id=..., model="eleven_flash_v2_5")'
    )
    assert catalog.advice("elevenlabs", "tts") == left + "elevenlabs.TTS(voice_id=...)"
    assert catalog.advice("elevenlabs/eleven_v3", "llm").startswith("did you mean")
