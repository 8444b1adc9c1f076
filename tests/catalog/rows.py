"""The rows of LiveKit's models reference, copied by hand on purpose: this is what the data has to agree with."""

from __future__ import annotations



import lkcook
from lkcook.model_strings import Entry



REFERENCE_STT = [
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
]
REFERENCE_LLM = [
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
]
REFERENCE_TTS = [
    "cartesia/sonic-3:{voice_id}",
    "cartesia/sonic-2:{voice_id}",
    "deepgram/aura-2:{voice}",
    "elevenlabs/eleven_turbo_v2_5:{voice_id}",
    "inworld/inworld-tts-1:{voice_name}",
    "rime/arcana:{voice}",
    "rime/mist:{voice}",
]
REFERENCE_VOICES = [
    ("Jacqueline", "American female", "cartesia/sonic-3:9626c31c-bec5-4cca-baa8-f8ba9e84c8bc"),
    ("Blake", "American male", "cartesia/sonic-3:a167e0f3-df7e-4d52-a9c3-f949145efdab"),
    ("Apollo", "casual male", "deepgram/aura-2:apollo"),
    ("Athena", "professional female", "deepgram/aura-2:athena"),
    ("Jessica", "playful female", "elevenlabs/eleven_turbo_v2_5:cgSgspJ2msm6clMCkdW9"),
    ("Luna", "excitable female", "rime/arcana:luna"),
]
REFERENCE_REALTIME = [
    'openai.realtime.RealtimeModel(voice="coral", model="gpt-4o-realtime-preview")',
    'google.realtime.RealtimeModel(voice="Puck")',
    'xai.realtime.RealtimeModel(voice="aurora")',
]
TODAY = {
    "assemblyai/universal-streaming:en": ("newer exists", "assemblyai/universal-streaming:en"),
    "cartesia/ink": ("renamed", "cartesia/ink-whisper"),
    "deepgram/nova-3:multi": ("works", "deepgram/nova-3:multi"),
    "elevenlabs/scribe_v1:en": ("removed", "elevenlabs.STT()"),
    "auto:es": ("works", "auto:es"),
    "openai/gpt-4.1-mini": ("works", "openai/gpt-4.1-mini"),
    "gemini/gemini-3-pro": ("renamed", "google/gemini-3.1-pro"),
    "gemini/gemini-3-flash": ("renamed", "google/gemini-3-flash"),
    "gemini/gemini-2.5-pro": ("renamed", "google/gemini-2.5-pro"),
    "gemini/gemini-2.5-flash": ("renamed", "google/gemini-2.5-flash"),
    "gemini/gemini-2.0-flash": ("renamed", "google/gemini-2.5-flash-lite"),
    "deepseek/deepseek-v3": ("renamed", "deepseek-ai/deepseek-v3"),
    "deepseek/deepseek-v3.2": ("renamed", "deepseek-ai/deepseek-v3.2"),
    "cartesia/sonic-3:{voice_id}": ("newer exists", "cartesia/sonic-3:{voice}"),
    "cartesia/sonic-2:{voice_id}": ("newer exists", "cartesia/sonic-2:{voice}"),
    "deepgram/aura-2:{voice}": ("works", "deepgram/aura-2:{voice}"),
    "elevenlabs/eleven_turbo_v2_5:{voice_id}": (
        "removed",
        'elevenlabs.TTS(voice_id=..., model="eleven_turbo_v2_5")',
    ),
    "inworld/inworld-tts-1:{voice_name}": ("newer exists", "inworld/inworld-tts-1:{voice}"),
    "rime/arcana:{voice}": ("renamed", "rime/coda:{voice}"),
    "rime/mist:{voice}": ("newer exists", "rime/mist:{voice}"),
    "deepgram/aura-2:apollo": ("works", "deepgram/aura-2:apollo"),
    "elevenlabs/eleven_turbo_v2_5:cgSgspJ2msm6clMCkdW9": (
        "removed",
        'elevenlabs.TTS(voice_id="cgSgspJ2msm6clMCkdW9", model="eleven_turbo_v2_5")',
    ),
    "rime/arcana:luna": ("renamed", "rime/coda:luna"),
    REFERENCE_REALTIME[0]: (
        "newer exists",
        'openai.realtime.RealtimeModel(voice="coral", model="gpt-realtime")',
    ),
    REFERENCE_REALTIME[1]: ("works", REFERENCE_REALTIME[1]),
    REFERENCE_REALTIME[2]: ("renamed", 'xai.realtime.RealtimeModel(voice="ara")'),
}
BARE = ["cartesia", "deepgram", "rime", "inworld", "fishaudio"]


def references(kind: str) -> list[str]:
    return [entry.reference for entry in lkcook.models(kind) if entry.reference]


def row(reference_string: str) -> Entry:
    [entry] = [entry for entry in lkcook.models() if entry.reference == reference_string]
    return entry
