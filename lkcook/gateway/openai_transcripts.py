"""A transcript as OpenAI's transcription endpoint writes it: JSON, plain text, SRT and WebVTT."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from aiohttp import web

from lkcook.engines.transcript import Transcript, Word
from lkcook.engines.whisper_guards import compression
from lkcook.gateway import openai_usage
from lkcook.gateway.socket import ProtocolError

_FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
_WHISPER_ONLY = ("srt", "verbose_json", "vtt")
_LONGEST_SEGMENT = 7.0  # seconds: what a subtitle may last
_PAUSE = 1.0  # seconds between words that end a segment


def is_whisper(model: str) -> bool:
    """OpenAI's whisper-1, or Groq's. model: with its provider."""
    return "/whisper" in model


def format_of(model: str, asked: Any, granularities: Sequence[str]) -> str:
    """The response_format; raises ProtocolError when `model` does not write it, as OpenAI does."""
    if asked == "diarized_json":
        raise ProtocolError("diarized_json: nothing here tells speakers apart; use json or text")
    if asked not in _FORMATS:
        raise ProtocolError(f"response_format {asked!r} is none of {', '.join(_FORMATS)}")
    if asked in _WHISPER_ONLY and not is_whisper(model):
        raise ProtocolError(f"response_format {asked!r} is written by whisper-1 alone; {model} writes json and text")
    if unknown := set(granularities) - {"word", "segment"}:
        raise ProtocolError(f"timestamp_granularities are word and segment, not {sorted(unknown)[0]!r}")
    if granularities and asked != "verbose_json":
        raise ProtocolError("timestamp_granularities need the response_format verbose_json")
    return str(asked)


def response(
    written: str, model: str, granularities: Sequence[str], transcript: Transcript, seconds: float
) -> web.Response:
    """The HTTP response. seconds: of the sound."""
    if written == "json":
        shown = {"text": transcript.text, "usage": openai_usage.transcribed(model, transcript.text, seconds)}
        return web.json_response({**shown, **_languages(model, transcript)})
    if written == "verbose_json":
        return web.json_response(_verbose(model, granularities or ("segment",), transcript, seconds))
    text = {"text": _text, "srt": _srt, "vtt": _vtt}[written](transcript, seconds)
    return web.Response(text=text, content_type="text/plain")


def done(model: str, transcript: Transcript, seconds: float) -> dict[str, Any]:
    """The last event of a streamed transcript."""
    usage = openai_usage.transcribed(model, transcript.text, seconds)
    return {"type": "transcript.text.done", "text": transcript.text, "usage": usage, **_languages(model, transcript)}


def _languages(model: str, transcript: Transcript) -> dict[str, Any]:
    """gpt-transcribe tells what it has detected."""
    return {"languages": [{"code": transcript.language}]} if model == "openai/gpt-transcribe" else {}


def _verbose(model: str, granularities: Sequence[str], transcript: Transcript, seconds: float) -> dict[str, Any]:
    from livekit.agents._language_data import CODE_TO_LANGUAGE_NAME as NAMES

    shown: dict[str, Any] = {
        "task": "transcribe",
        "language": NAMES.get(transcript.language, transcript.language),  # whisper-1 says "english", not "en"
        "duration": round(seconds, 3),
        "text": transcript.text,
        "usage": openai_usage.transcribed(model, transcript.text, seconds),
    }
    if "segment" in granularities:
        shown["segments"] = [_segment(*part) for part in enumerate(segments(transcript, seconds))]
    if "word" in granularities:
        words = transcript.words
        shown["words"] = [{"word": word.text, "start": _s(word.start), "end": _s(word.end)} for word in words]
    return shown


def segments(transcript: Transcript, seconds: float) -> list[Word]:
    """Sentences, and what lies between long pauses, as if each was one word."""
    groups: list[list[Word]] = []
    for word in transcript.words:
        if not groups or _ends(groups[-1], word):
            groups.append([])
        groups[-1].append(word)
    if not groups and transcript.text:  # words without times
        return [Word(transcript.text, 0.0, seconds, transcript.confidence)]
    return [_as_one(group) for group in groups]


def _ends(group: list[Word], following: Word) -> bool:
    last = group[-1]
    long = following.end - group[0].start > _LONGEST_SEGMENT
    return last.text.endswith((".", "?", "!", "…", "。")) or following.start - last.end > _PAUSE or long


def _as_one(group: list[Word]) -> Word:
    confidence = sum(word.confidence for word in group) / len(group)
    return Word(" ".join(word.text for word in group), group[0].start, group[-1].end, confidence)


def _segment(number: int, segment: Word) -> dict[str, Any]:
    """Silence was dropped before, so nothing here is any; the tokens' numbers are not known outside the engine."""
    return {
        "id": number,
        "seek": round(segment.start * 100),  # Whisper's frames of 10 ms
        "start": _s(segment.start),
        "end": _s(segment.end),
        "text": f" {segment.text}",
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": round(math.log(max(segment.confidence, 1e-6)), 4),
        "compression_ratio": round(compression(segment.text), 3),
        "no_speech_prob": 0.0,
    }


def _text(transcript: Transcript, _seconds: float) -> str:
    return f"{transcript.text}\n"


def _srt(transcript: Transcript, seconds: float) -> str:
    shown = enumerate(_cues(transcript, seconds, ","), 1)
    return "".join(f"{number}\n{cue}\n\n" for number, cue in shown)


def _vtt(transcript: Transcript, seconds: float) -> str:
    return "WEBVTT\n\n" + "".join(f"{cue}\n\n" for cue in _cues(transcript, seconds, "."))


def _cues(transcript: Transcript, seconds: float, point: str) -> Iterator[str]:
    for part in segments(transcript, seconds):
        yield f"{_clock(part.start, point)} --> {_clock(part.end, point)}\n{part.text}"


def _clock(seconds: float, point: str) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{milliseconds:03}"


def _s(seconds: float) -> float:
    return round(seconds, 3)
