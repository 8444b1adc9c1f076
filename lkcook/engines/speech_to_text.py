"""Speech to text on this machine: Whisper base on CTranslate2 (both MIT).

Whisper was trained on windows of 30 s and stock runtimes always encode that much. CTranslate2 accepts
shorter ones, so only the speech itself (and a little silence) is encoded: about three times faster.
Short windows sometimes loop ("ten of clubs ten of clubs ..."); a decode that runs away is detected and
repeated on the full window.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lkcook.engines.transcript import Transcript, Word
from lkcook.engines.whisper import FULL_WINDOW, SAMPLE_RATE as SAMPLE_RATE, Decoded, Whisper
from lkcook.engines.whisper_guards import GUESSED, NONSENSE, compression, is_silence, loops, silence_ahead, speech_after

TAIL = 0.5  # seconds of silence after the speech: without it the last word is often lost
_MOST_TOKENS = 200  # of Whisper's 448


class SpeechToText:
    """Loads Whisper from a CTranslate2 folder (about 0.7 s). One decode at a time, from any thread."""

    sample_rate = SAMPLE_RATE

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        self._whisper = Whisper(folder, threads=threads)
        self._turn = threading.Lock()
        self.transcribe(np.zeros(SAMPLE_RATE, np.float32))

    @property
    def languages(self) -> list[str]:
        """ISO 639-1 codes this model knows."""
        return self._whisper.languages

    @property
    def busy(self) -> bool:
        """True while a decode runs: an interim guess had better not queue up behind it."""
        return self._turn.locked()

    def transcribe(
        self,
        samples: np.ndarray,
        *,
        language: str | None = "en",
        retry: bool = True,
        keyterms: Sequence[str] = (),
    ) -> Transcript:
        """Decode float32 mono 16 kHz `samples`, at most 30 s; longer audio is cut, and silence ahead left out.

        language: ISO 639-1, or None to detect it. retry=False: when the decode runs away, give up (empty text)
        instead of taking a second on the full window; for guesses while the caller still speaks.
        keyterms: words to expect, rare names above all; the first 200 tokens of them count.
        """
        samples = samples[: int(FULL_WINDOW * SAMPLE_RATE)]
        start = silence_ahead(samples)
        with self._turn:
            return self._transcribe(samples[start:], language, retry, keyterms).later(start / SAMPLE_RATE)

    def align(self, samples: np.ndarray, text: str, *, language: str = "en") -> tuple[Word, ...]:
        """Where each word of `text`, known to be said in float32 mono 16 kHz `samples` (at most 30 s), was said."""
        samples = samples[: int(FULL_WINDOW * SAMPLE_RATE)]
        tokenizer, seconds = self._whisper.tokenizer(language), len(samples) / SAMPLE_RATE
        tokens = tokenizer.encode(f" {text.strip()}")[:_MOST_TOKENS]
        if not tokens or not seconds:
            return ()
        with self._turn:
            encoded = self._whisper.encode(samples, min(FULL_WINDOW, seconds + TAIL))
            return self._whisper.align(encoded, tokens, samples, tokenizer)

    def _transcribe(
        self, samples: np.ndarray, language: str | None, retry: bool, keyterms: Sequence[str]
    ) -> Transcript:
        """Whisper takes a pause for the end, sometimes; what is spoken behind it is decoded by itself, as it was made to."""
        heard, until = self._decode_once(samples, language, retry, keyterms)
        start = speech_after(samples, int(until * SAMPLE_RATE)) if heard.text else None
        if start is None:
            return heard
        rest = self._transcribe(samples[start:], heard.language, retry, keyterms)
        return heard.then(rest, start / SAMPLE_RATE)

    def _decode_once(
        self, samples: np.ndarray, language: str | None, retry: bool, keyterms: Sequence[str]
    ) -> tuple[Transcript, float]:
        """What Whisper hears, and until which second."""
        seconds = len(samples) / SAMPLE_RATE
        encoded = self._whisper.encode(samples, min(FULL_WINDOW, seconds + TAIL))
        language = language or self._whisper.detect(encoded)
        tokenizer = self._whisper.tokenizer(language)
        expecting = _expecting(tokenizer, keyterms)
        decoded = self._whisper.generate(encoded, seconds, tokenizer, expecting)
        if _ran_away(decoded, tokenizer):
            if not retry:
                return Transcript("", language), seconds
            encoded = self._whisper.encode(samples, FULL_WINDOW)
            decoded = self._whisper.generate(encoded, seconds, tokenizer, expecting)
            if expecting and _ran_away(decoded, tokenizer):  # keyterms tempt it to say things again
                decoded = self._whisper.generate(encoded, seconds, tokenizer, [])
        text = tokenizer.decode(decoded.tokens).strip()
        # What repeats itself even on the full window was said so ("Can you hear me? Can you hear me?").
        if not text or is_silence(decoded.no_speech, decoded.score) or compression(text) > NONSENSE:
            return Transcript("", language), seconds
        words = self._whisper.align(encoded, decoded.tokens, samples, tokenizer)
        confidence = float(np.mean([word.confidence for word in words])) if words else 0.0
        if confidence < GUESSED:
            return Transcript("", language), seconds
        return Transcript(text, language, confidence, words), decoded.until


def _ran_away(decoded: Decoded, tokenizer: Any) -> bool:
    return not decoded.complete or loops(tokenizer.decode(decoded.tokens))


def _expecting(tokenizer: Any, keyterms: Sequence[str]) -> list[int]:
    """Whisper reads what was said before; told that the keyterms were, it spells them that way."""
    if not keyterms:
        return []
    return [tokenizer.sot_prev, *tokenizer.encode(f" {', '.join(keyterms)}.")[:_MOST_TOKENS]]
