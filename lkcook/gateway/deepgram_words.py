"""What a recogniser heard, in Deepgram's words: of /v1/listen, live and of a file, and of /v2/listen."""

from __future__ import annotations

from typing import Any

from lkcook.engines.recognizer import Heard
from lkcook.engines.transcript import Transcript, Word

_PUNCTUATION = ".,!?;:…¿¡\"“”()"


def timed(transcript: Transcript, begin: float, seconds: float) -> list[Word]:
    """The words, their times counted from the beginning of the stream; those without times share it equally."""
    if transcript.words or not transcript.text:
        return [Word(w.text, begin + w.start, begin + w.end, w.confidence) for w in transcript.words]
    texts = transcript.text.split()
    each = seconds / len(texts)
    starts = [begin + at * each for at in range(len(texts))]
    return [Word(text, start, start + each, transcript.confidence) for text, start in zip(texts, starts)]


def bare(text: str) -> str:
    """A word as it is when nobody asked for punctuation."""
    return text.strip(_PUNCTUATION).lower()


def alternative(transcript: Transcript, begin: float, seconds: float, *, punctuated: bool) -> dict[str, Any]:
    """The one way to understand it."""
    words = timed(transcript, begin, seconds)
    return {
        "transcript": transcript.text if punctuated else " ".join(bare(word) for word in transcript.text.split()),
        "confidence": round(transcript.confidence, 3),
        "words": [_word(word, punctuated) for word in words],
        "languages": [transcript.language],
    }


def results(
    heard: Heard, request_id: str, *, punctuated: bool, speech_final: bool, from_finalize: bool
) -> dict[str, Any]:
    """A message of /v1/listen."""
    final = heard.kind == "final"
    found = alternative(heard.transcript, heard.start, heard.duration, punctuated=punctuated)
    return {
        "type": "Results",
        "channel_index": [0, 1],
        "start": round(heard.start, 3),
        "duration": round(heard.duration, 3),
        "is_final": final,
        "speech_final": final and speech_final,
        "from_finalize": final and from_finalize,
        "channel": {"alternatives": [found]},
        "metadata": {"request_id": request_id, "model_info": {}, "model_uuid": ""},
    }


def flux_words(heard: Heard) -> list[dict[str, Any]]:
    """The words of a TurnInfo of /v2/listen."""
    words = timed(heard.transcript, heard.start, heard.duration)
    return [{**_times(word), "word": word.text} for word in words]


def _word(word: Word, punctuated: bool) -> dict[str, Any]:
    return {"word": bare(word.text), **_times(word), **({"punctuated_word": word.text} if punctuated else {})}


def _times(word: Word) -> dict[str, float]:
    return {"start": round(word.start, 3), "end": round(word.end, 3), "confidence": round(word.confidence, 3)}
