"""Providers' voice ids, and which voice of this machine stands in for each: the same one every time.

The ids and names are those LiveKit's documentation suggests (docs.livekit.io/agents/models/tts, 2026-11) and the
reference's six popular ones. Providers have many more; the embedded gateway refuses those, rather than pretend.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProviderVoice:
    """A voice as a provider sells it; `embedded` names the one of `engines.voices` that is heard offline."""

    provider: str
    id: str
    name: str
    description: str
    embedded: str


def _moods(name: str, sex: str, embedded: str, moods: str) -> list[tuple[str, str, str, str]]:
    """Mistral's voices are a person in a mood: "en_paul_sad" is Paul."""
    person = name.rpartition("_")[2].capitalize()
    return [(f"{name}_{mood}", f"{person}, {mood}", sex, embedded) for mood in moods.split()]


def _voices(provider: str, *rows: tuple[str, str, str, str]) -> list[ProviderVoice]:
    return [ProviderVoice(provider, *row) for row in rows]


PROVIDER_VOICES: tuple[ProviderVoice, ...] = tuple(
    _voices(
        "cartesia",
        ("9626c31c-bec5-4cca-baa8-f8ba9e84c8bc", "Jacqueline", "American female, confident", "heart"),
        ("a167e0f3-df7e-4d52-a9c3-f949145efdab", "Blake", "American male, energetic", "fenrir"),
        ("f31cc6a7-c1e8-4764-980c-60a361443dd1", "Robyn", "Australian female, mature", "bella"),
        ("5c5ad5e7-1020-476b-8b91-fdcbe9cc313c", "Daniela", "Mexican female, calm; speaks Spanish", "dora"),
    )
    + _voices(
        "deepgram",
        ("apollo", "Apollo", "American male, casual", "michael"),
        ("athena", "Athena", "American female, professional", "alloy"),
        ("odysseus", "Odysseus", "American male, calm", "george"),
        ("theia", "Theia", "Australian female, expressive", "bella"),
        ("celeste", "Celeste", "Colombian female, clear; speaks Spanish", "dora"),
        ("andromeda", "Andromeda", "American female, casual", "heart"),  # the default of LiveKit's plugin
    )
    + _voices(
        "elevenlabs",  # through the plugin: it left LiveKit Inference
        ("cgSgspJ2msm6clMCkdW9", "Jessica", "American female, playful", "jessica"),
        ("Xb7hH8MSUJpSbSDYk0k2", "Alice", "British female, clear", "isabella"),
        ("iP95p4xoKVk53GoZ742B", "Chris", "American male, natural", "michael"),
        ("cjVigY5qzO86Huf0OWal", "Eric", "American male, smooth", "fenrir"),
    )
    + _voices(
        "inworld",
        ("Ashley", "Ashley", "American female, warm", "sky"),
        ("Olivia", "Olivia", "British female, friendly", "isabella"),
        ("Mark", "Mark", "American male, energetic", "fenrir"),
        ("Edward", "Edward", "American male, emphatic", "michael"),
        ("Hades", "Hades", "British male, deep", "george"),
        ("Diego", "Diego", "Mexican male, soothing; speaks Spanish", "alex"),
    )
    + _voices(
        "rime",
        ("luna", "Luna", "American female, excitable", "sky"),
        ("astra", "Astra", "American female, upbeat", "bella"),
        ("celeste", "Celeste", "American female, relaxed", "alloy"),
        ("ursa", "Ursa", "American male, young", "michael"),
    )
    + _voices(
        "openai",  # the realtime models' (developers.openai.com, Realtime: voices); marin is LiveKit's default
        ("marin", "Marin", "female", "heart"),
        ("cedar", "Cedar", "male", "fenrir"),
        ("alloy", "Alloy", "neutral", "alloy"),
        ("ash", "Ash", "male", "michael"),
        ("ballad", "Ballad", "male, British", "george"),
        ("coral", "Coral", "female", "jessica"),
        ("echo", "Echo", "male", "michael"),
        ("sage", "Sage", "female", "sky"),
        ("shimmer", "Shimmer", "female", "bella"),
        ("verse", "Verse", "male", "fenrir"),
        ("fable", "Fable", "of text to speech; male, British", "george"),
        ("onyx", "Onyx", "of text to speech; male", "fenrir"),
        ("nova", "Nova", "of text to speech; female", "heart"),
        ("beacon", "Beacon", "of GPT-Live", "michael"),
        ("cinder", "Cinder", "of GPT-Live", "bella"),
        ("stone", "Stone", "of GPT-Live", "george"),
        ("vesper", "Vesper", "of GPT-Live", "sky"),
    )
    + _voices(
        "groq",  # those that speak English (console.groq.com, Orpheus: voices); nobody here speaks Arabic
        ("autumn", "Autumn", "female", "heart"),
        ("diana", "Diana", "female", "sky"),
        ("hannah", "Hannah", "female", "jessica"),
        ("austin", "Austin", "male", "michael"),
        ("daniel", "Daniel", "male", "george"),
        ("troy", "Troy", "male", "fenrir"),
    )
    + _voices(
        "mistral",  # those of LiveKit's plugin that speak English; Marie speaks French
        *_moods("en_paul", "American male", "michael", "neutral angry cheerful confident excited frustrated happy sad"),
        *_moods("gb_oliver", "British male", "george", "neutral angry cheerful confident curious excited sad"),
        *_moods("gb_jane", "British female", "isabella", "neutral confident confused curious frustrated jealousy sad"),
        *_moods("gb_jane", "British female", "isabella", "sarcasm shameful"),
    )
    + _voices(
        "xai",
        ("ara", "Ara", "female", "heart"),
        ("eve", "Eve", "female", "alloy"),
        ("leo", "Leo", "male", "michael"),
        ("rex", "Rex", "male", "fenrir"),
        ("sal", "Sal", "male", "george"),
    )
    + _voices(
        "google",  # Gemini Live's (ai.google.dev, speech generation: voices; cloud.google.com, Chirp 3 HD: their sex)
        ("Puck", "Puck", "male, upbeat", "michael"),
        ("Charon", "Charon", "male, informative", "george"),
        ("Kore", "Kore", "female, firm", "heart"),
        ("Fenrir", "Fenrir", "male, excitable", "fenrir"),
        ("Aoede", "Aoede", "female, breezy", "sky"),
        ("Leda", "Leda", "female, youthful", "jessica"),
        ("Orus", "Orus", "male, firm", "michael"),
        ("Zephyr", "Zephyr", "female, bright", "bella"),
        ("Achernar", "Achernar", "female, soft", "sky"),
        ("Achird", "Achird", "male, friendly", "michael"),
        ("Algenib", "Algenib", "male, gravelly", "george"),
        ("Algieba", "Algieba", "male, smooth", "george"),
        ("Alnilam", "Alnilam", "male, firm", "fenrir"),
        ("Autonoe", "Autonoe", "female, bright", "heart"),
        ("Callirrhoe", "Callirrhoe", "female, easy-going", "alloy"),
        ("Despina", "Despina", "female, smooth", "bella"),
        ("Enceladus", "Enceladus", "male, breathy", "george"),
        ("Erinome", "Erinome", "female, clear", "alloy"),
        ("Gacrux", "Gacrux", "female, mature", "isabella"),
        ("Iapetus", "Iapetus", "male, clear", "michael"),
        ("Laomedeia", "Laomedeia", "female, upbeat", "jessica"),
        ("Pulcherrima", "Pulcherrima", "female, forward", "bella"),
        ("Rasalgethi", "Rasalgethi", "male, informative", "fenrir"),
        ("Sadachbia", "Sadachbia", "male, lively", "fenrir"),
        ("Sadaltager", "Sadaltager", "male, knowledgeable", "george"),
        ("Schedar", "Schedar", "male, even", "michael"),
        ("Sulafat", "Sulafat", "female, warm", "heart"),
        ("Umbriel", "Umbriel", "male, easy-going", "michael"),
        ("Vindemiatrix", "Vindemiatrix", "female, gentle", "isabella"),
        ("Zubenelgenubi", "Zubenelgenubi", "male, casual", "fenrir"),
    )
)


def of_provider(provider: str) -> list[ProviderVoice]:
    """The voices of one provider; the first is what a model string without a voice speaks with."""
    return [voice for voice in PROVIDER_VOICES if voice.provider == provider]


def embedded_voice(model: str, voice_id: str) -> str:
    """The machine's voice for `voice_id` ("" for the provider's default) of `model` ("cartesia/sonic-3").

    Raises KeyError, its text the sentence to show, when the provider's voice is not known here.
    """
    provider = model.partition("/")[0]
    known = of_provider(provider)
    if not voice_id:
        return known[0].embedded if known else "heart"
    for voice in known:
        if voice.id.lower() == voice_id.lower():
            return voice.embedded
    names = ", ".join(f"{voice.id} ({voice.name})" for voice in known) or "none; leave the voice out"
    raise KeyError(f"unknown voice {voice_id!r} for {model!r}; the voices known here are: {names}")
