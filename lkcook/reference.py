"""The rows of LiveKit's models reference in its own words, and what became of those the SDK no longer knows.

Only data. Whether a string still works is not written here: `catalog` asks the installed SDK.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

STT = (
    "assemblyai/universal-streaming:en",
    "assemblyai/universal-streaming-multilingual:en",
    "cartesia/ink",
    "deepgram/flux-general:en",
    "deepgram/nova-3:en",
    "deepgram/nova-3:multi",
    "deepgram/nova-2:en",
    "elevenlabs/scribe_v1:en",
    "auto:en",
    "auto:es",
)
LLM = (
    "openai/gpt-4.1-mini",
    "openai/gpt-4.1",
    "openai/gpt-4.1-nano",
    "openai/gpt-5",
    "openai/gpt-5-mini",
    "openai/gpt-5-nano",
    "openai/gpt-5.1",
    "openai/gpt-5.2",
    "openai/gpt-oss-120b",
    "gemini/gemini-3-pro",
    "gemini/gemini-3-flash",
    "gemini/gemini-2.5-pro",
    "gemini/gemini-2.5-flash",
    "gemini/gemini-2.0-flash",
    "deepseek/deepseek-v3",
    "deepseek/deepseek-v3.2",
)
TTS = (
    "cartesia/sonic-3:{voice_id}",
    "cartesia/sonic-2:{voice_id}",
    "deepgram/aura-2:{voice}",
    "elevenlabs/eleven_turbo_v2_5:{voice_id}",
    "inworld/inworld-tts-1:{voice_name}",
    "rime/arcana:{voice}",
    "rime/mist:{voice}",
)
VOICES = {
    "cartesia/sonic-3:9626c31c-bec5-4cca-baa8-f8ba9e84c8bc": "Jacqueline, American female",
    "cartesia/sonic-3:a167e0f3-df7e-4d52-a9c3-f949145efdab": "Blake, American male",
    "deepgram/aura-2:apollo": "Apollo, casual male",
    "deepgram/aura-2:athena": "Athena, professional female",
    "elevenlabs/eleven_turbo_v2_5:cgSgspJ2msm6clMCkdW9": "Jessica, playful female",
    "rime/arcana:luna": "Luna, excitable female",
}
ROWS: dict[str, tuple[str, ...]] = {"stt": STT, "llm": LLM, "tts": TTS, "voice": tuple(VOICES)}


@dataclass(frozen=True)
class PluginRow:
    """A row that is a plugin's constructor. The literals of Inference do not judge those, so `status` stands here."""

    provider: str
    model: str
    reference: str
    today: str
    status: Literal["works", "renamed", "newer exists"]
    note: str


REALTIME = (
    PluginRow(
        "openai",
        "gpt-4o-realtime-preview",
        'openai.realtime.RealtimeModel(voice="coral", model="gpt-4o-realtime-preview")',
        'openai.realtime.RealtimeModel(voice="coral", model="gpt-realtime")',
        "newer exists",
        "a preview; the plugin's own choice today is gpt-realtime",
    ),
    PluginRow(
        "google",
        "gemini-live",
        'google.realtime.RealtimeModel(voice="Puck")',
        'google.realtime.RealtimeModel(voice="Puck")',
        "works",
        "names no model: the plugin chooses one of Gemini Live",
    ),
    PluginRow(
        "xai",
        "grok-voice-latest",
        'xai.realtime.RealtimeModel(voice="aurora")',
        'xai.realtime.RealtimeModel(voice="ara")',
        "renamed",
        "the plugin knows no voice aurora; its own choice is ara",
    ),
)

# kind -> id the SDK no longer knows -> (id to write today, why)
SUCCESSORS: dict[str, dict[str, tuple[str, str]]] = {
    "stt": {
        "cartesia/ink": ("cartesia/ink-whisper", "its full name; newer: cartesia/ink-2"),
    },
    "llm": {
        "gemini/gemini-3-pro": ("google/gemini-3.1-pro", "3 Pro is gone, 3.1 took its place; the provider is google"),
        "gemini/gemini-3-flash": ("google/gemini-3-flash", "the provider is google; newer: google/gemini-3.5-flash"),
        "gemini/gemini-2.5-pro": ("google/gemini-2.5-pro", "the provider is google"),
        "gemini/gemini-2.5-flash": ("google/gemini-2.5-flash", "the provider is google"),
        "gemini/gemini-2.0-flash": ("google/gemini-2.5-flash-lite", "2.0 Flash is gone; 2.5 Flash-Lite is its like"),
        "deepseek/deepseek-v3": ("deepseek-ai/deepseek-v3", "the provider is deepseek-ai"),
        "deepseek/deepseek-v3.2": ("deepseek-ai/deepseek-v3.2", "the provider is deepseek-ai"),
    },
    "tts": {
        "rime/arcana": ("rime/coda", "Rime replaced Arcana by Coda"),
    },
    "realtime": {
        "openai/gpt-4o-realtime-preview": ("openai/gpt-realtime", "the openai plugin has the preview, Inference not"),
    },
}

# id that still works -> the newer generation of the same model
NEWER = {
    "assemblyai/universal-streaming": "assemblyai/universal-3-6-pro",
    "google/gemini-3-flash": "google/gemini-3.5-flash",
    "cartesia/sonic-3": "cartesia/sonic-3.5",
    "cartesia/sonic-2": "cartesia/sonic-3.5",
    "inworld/inworld-tts-1": "inworld/inworld-tts-2",
    "rime/mist": "rime/mistv3",
}

# provider that left Inference for speech -> why; the plugin that is used instead has its name
LEFT = {"elevenlabs": "ElevenLabs left LiveKit Inference"}
