"""The first message of Gemini Live, `setup`: how the conversation is to be held (BidiGenerateContentSetup)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lkcook import voices
from lkcook.gateway.options import only_the_cloud
from lkcook.gateway.realtime import gemini_content
from lkcook.gateway.realtime.gemini_fields import Refused, choice, fields, flag, many, number, text
from lkcook.gateway.realtime.ids import gemini_model
from lkcook.gateway.realtime.settings import LONGEST_REPLY, Modality, ServerVAD, Settings, Turns

_FIELDS = (
    "model generationConfig systemInstruction tools realtimeInputConfig inputAudioTranscription outputAudioTranscription "
    "sessionResumption contextWindowCompression proactivity historyConfig explicitVadSignal avatarConfig safetySettings "
    "labels"
)
_GENERATION = (
    "responseModalities speechConfig temperature maxOutputTokens candidateCount topP topK seed presencePenalty "
    "frequencyPenalty stopSequences mediaResolution thinkingConfig enableAffectiveDialog translationConfig "
    "responseMimeType responseSchema responseJsonSchema responseLogprobs logprobs audioTimestamp modelSelectionConfig "
    "routingConfig enableEnhancedCivicAnswers responseFormat audioTranscriptionConfig"
)
_HONOURED = "model generationConfig systemInstruction tools realtimeInputConfig inputAudioTranscription " \
    "outputAudioTranscription sessionResumption historyConfig responseModalities speechConfig temperature " \
    "maxOutputTokens"  # fmt: skip
_USUAL = {"candidateCount": 1}  # LiveKit sends it unasked
_TRANSCRIPTION = (
    "languageCodes languageAuto languageHints customVocabulary adaptationPhrases wordTimestamp diarization mode sourceText"
)
# How long a silence ends a turn, in seconds, and which probability of speech begins one. Google publishes no numbers;
# HIGH is its default for both.
_SILENCE = {"END_SENSITIVITY_HIGH": 0.5, "END_SENSITIVITY_LOW": 0.9}
_THRESHOLD = {"START_SENSITIVITY_HIGH": 0.5, "START_SENSITIVITY_LOW": 0.7}


@dataclass(frozen=True)
class Setup:
    """model: with its provider. hears, writes: the client wants to read what was heard, and what is said.

    interrupts: whoever speaks interrupts. all_input: what is said outside of an activity counts, too. handle: of the
    conversation to go on with; None when no handles are wanted, "" for a new conversation. transparent: number what was
    received. patient: names of the functions that nobody waits for (NON_BLOCKING). notes: what was done otherwise.
    """

    model: str
    settings: Settings
    hears: bool
    writes: bool
    interrupts: bool = True
    all_input: bool = False
    handle: str | None = None
    transparent: bool = False
    patient: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)


def read(value: Any, version: str) -> Setup:
    """Raises Refused."""
    setup = fields(value, "setup", _FIELDS)
    model = gemini_model(setup.get("model"), version)
    generation = fields(setup.get("generationConfig", {}), "setup.generation_config", _GENERATION)
    tools = gemini_content.Tools.read(setup.get("tools"), "setup.tools")
    turns, interrupts, all_input, notes = _input(setup.get("realtimeInputConfig", {}))
    heard, said = (setup.get(name) for name in ("inputAudioTranscription", "outputAudioTranscription"))
    transcription = fields(heard or {}, "setup.input_audio_transcription", _TRANSCRIPTION)
    fields(said or {}, "setup.output_audio_transcription", _TRANSCRIPTION)
    resumption = fields(setup.get("sessionResumption", {}), "setup.session_resumption", "handle transparent")
    voice, language = _speech(generation.get("speechConfig", {}))
    settings = Settings(
        instructions=gemini_content.instructions(setup.get("systemInstruction"), "setup.system_instruction"),
        voice=_known(voice),
        language=language or _language(transcription),
        modality=_modality(generation.get("responseModalities")),
        tools=tools.functions,
        max_tokens=_tokens(generation.get("maxOutputTokens")),
        temperature=number(generation.get("temperature", 0), "setup.generation_config.temperature", 0, 2),
        turns=turns,
        transcribes=heard is not None,
        keyterms=_terms(transcription),
        truncates=True,
    )
    return Setup(
        model, settings, heard is not None, said is not None, interrupts, all_input,
        handle=_handle(resumption) if "sessionResumption" in setup else None,
        transparent=resumption.get("transparent") is True,
        patient=tools.patient,
        notes=[*_unheeded(setup, generation, transcription), *tools.notes, *notes],
    )  # fmt: skip


def _modality(value: Any) -> Modality:
    path = "setup.generation_config.response_modalities"
    names = [choice(name, path, "AUDIO", "TEXT") for name in many(value, path)] or ["AUDIO"]
    if len(names) > 1:
        raise Refused(f"At most one response modality can be specified at '{path}'.")
    return "audio" if names == ["AUDIO"] else "text"


def _tokens(value: Any) -> int:
    most = number(value or LONGEST_REPLY, "setup.generation_config.max_output_tokens", 1, 1 << 31)
    return min(int(most), LONGEST_REPLY)


def _speech(value: Any) -> tuple[str, str | None]:
    """The voice, "" for the first one, and the language, ISO 639-1."""
    path = "setup.generation_config.speech_config"
    speech = fields(value, path, "voiceConfig languageCode multiSpeakerVoiceConfig")
    config = fields(speech.get("voiceConfig", {}), f"{path}.voice_config", "prebuiltVoiceConfig replicatedVoiceConfig")
    if "replicatedVoiceConfig" in config or "multiSpeakerVoiceConfig" in speech:
        raise Refused("There are only single, prebuilt voices here: use prebuilt_voice_config.")
    prebuilt = fields(config.get("prebuiltVoiceConfig", {}), f"{path}.voice_config.prebuilt_voice_config", "voiceName")
    return text(prebuilt.get("voiceName", ""), f"{path}.voice_config.prebuilt_voice_config.voice_name"), _tag(
        speech.get("languageCode"), f"{path}.language_code"
    )


def _known(voice: str) -> str:
    names = [known.name for known in voices.of_provider("google")]
    if voice and voice.lower() not in [name.lower() for name in names]:
        told = f"Requested voice api_name {voice[:30]!r} is not available; available are {', '.join(names)}."
        raise Refused(told)
    return voice


def _tag(value: Any, path: str) -> str | None:
    return text(value, path).lower().partition("-")[0] or None if value is not None else None


def _language(transcription: dict[str, Any]) -> str | None:
    """The one language in which something is said, if the client names just one."""
    codes = many(transcription.get("languageCodes"), "setup.input_audio_transcription.language_codes")
    return _tag(codes[0], "setup.input_audio_transcription.language_codes") if len(codes) == 1 else None


def _terms(transcription: dict[str, Any]) -> tuple[str, ...]:
    path = "setup.input_audio_transcription"
    given = [*many(transcription.get("customVocabulary"), path), *many(transcription.get("adaptationPhrases"), path)]
    return tuple(text(term, path) for term in given)


def _handle(resumption: dict[str, Any]) -> str:
    return text(resumption.get("handle", ""), "setup.session_resumption.handle")


def _input(value: Any) -> tuple[Turns, bool, bool, list[str]]:
    """realtimeInputConfig: how turns are found, who interrupts, what counts as input; and notes."""
    path = "setup.realtime_input_config"
    known = "automaticActivityDetection activityHandling turnCoverage interimTranscriptTimestampEnabled"
    config = fields(value, path, known)
    turns, notes = _detection(config.get("automaticActivityDetection", {}), f"{path}.automatic_activity_detection")
    handling = choice(
        config.get("activityHandling", "ACTIVITY_HANDLING_UNSPECIFIED"), f"{path}.activity_handling",
        "ACTIVITY_HANDLING_UNSPECIFIED", "START_OF_ACTIVITY_INTERRUPTS", "NO_INTERRUPTION",
    )  # fmt: skip
    coverage = choice(
        config.get("turnCoverage", "TURN_COVERAGE_UNSPECIFIED"), f"{path}.turn_coverage", "TURN_COVERAGE_UNSPECIFIED",
        "TURN_INCLUDES_ONLY_ACTIVITY", "TURN_INCLUDES_ALL_INPUT", "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO",
    )  # fmt: skip
    interrupts = handling != "NO_INTERRUPTION"
    if turns is not None:
        turns = ServerVAD(turns.threshold, silence=turns.silence, interrupt_response=interrupts)
    return turns, interrupts, coverage == "TURN_INCLUDES_ALL_INPUT", notes


def _detection(value: Any, path: str) -> tuple[ServerVAD | None, list[str]]:
    known = "disabled startOfSpeechSensitivity endOfSpeechSensitivity prefixPaddingMs silenceDurationMs"
    config = fields(value, path, known)
    start, end = (
        choice(
            config.get(f"{edge}OfSpeechSensitivity", f"{edge.upper()}_SENSITIVITY_UNSPECIFIED"), f"{path}.{edge}_of_speech_sensitivity",
            *(f"{edge.upper()}_SENSITIVITY_{name}" for name in ("UNSPECIFIED", "HIGH", "LOW")),
        )
        for edge in ("start", "end")
    )  # fmt: skip
    silence = _SILENCE.get(end, _SILENCE["END_SENSITIVITY_HIGH"])
    if "silenceDurationMs" in config:
        silence = number(config["silenceDurationMs"], f"{path}.silence_duration_ms", 0, 10_000) / 1000
    notes = []
    if "prefixPaddingMs" in config:
        number(config["prefixPaddingMs"], f"{path}.prefix_padding_ms", 0, 10_000)
        notes.append("prefixPaddingMs: here speech begins after 64 ms of it, always")
    if flag(config.get("disabled", False), f"{path}.disabled"):
        return None, []
    return ServerVAD(_THRESHOLD.get(start, _THRESHOLD["START_SENSITIVITY_HIGH"]), silence=silence), notes


def _unheeded(*given: dict[str, Any]) -> list[str]:
    """A note for each option that was chosen and changes nothing here."""
    heeded = [*_HONOURED.split(), "languageCodes", "customVocabulary", "adaptationPhrases"]
    return [
        "contextWindowCompression: the older half of the conversation is forgotten when it no longer fits, unasked"
        if name == "contextWindowCompression"
        else only_the_cloud(name)
        for options in given
        for name, value in options.items()
        if name not in heeded and value != _USUAL.get(name)
    ]
