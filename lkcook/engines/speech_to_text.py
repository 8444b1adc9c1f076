"""Speech to text on this machine: Whisper base on CTranslate2 (both MIT).

Whisper was trained on windows of 30 s and stock runtimes always encode that much. CTranslate2 accepts
shorter ones, so only the speech itself (and a little silence) is encoded: about three times faster.
Short windows sometimes loop ("ten of clubs ten of clubs ..."); a decode that runs away is detected and
repeated on the full window.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lkcook.engines.transcript import Transcript, Word
from lkcook.engines.whisper_guards import NONSENSE, compression, goes_on, is_silence, loops

SAMPLE_RATE = 16_000
FULL_WINDOW = 30.0  # seconds, what Whisper was trained on
TAIL = 0.5  # seconds of silence after the speech: without it the last word is often lost
NEAR_THE_END = 0.6  # seconds
_FRAMES_PER_SECOND = 100  # mel frames; the encoder halves them
_BEFORE_A_WORD = "\"'“¿([{-"
_AFTER_A_WORD = "\"'.。,，!！?？:：”)]}、"
_AUDIBLE = 0.02  # of the loudest sample
_MOST_TOKENS = 200  # of Whisper's 448
_TOKENS_PER_SECOND = 14  # nobody speaks faster, so more tokens than this mean a loop


@dataclass(frozen=True)
class _Decoded:
    tokens: list[int]
    score: float
    no_speech: float
    complete: bool  # False: it ran into the token limit, which speech never does
    until: float  # seconds; where it says that the speech ends


class SpeechToText:
    """Loads Whisper from a CTranslate2 folder (about 0.7 s). One decode at a time, from any thread."""

    sample_rate = SAMPLE_RATE

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        from faster_whisper import WhisperModel

        self._whisper = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)
        self._turn = threading.Lock()
        self.transcribe(np.zeros(SAMPLE_RATE, np.float32))

    @property
    def languages(self) -> list[str]:
        """ISO 639-1 codes this model knows."""
        return self._whisper.supported_languages

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
        """Decode float32 mono 16 kHz `samples`, at most 30 s; longer audio is cut.

        language: ISO 639-1, or None to detect it. retry=False: when the decode runs away, give up (empty text)
        instead of taking a second on the full window; for guesses while the caller still speaks.
        keyterms: words to expect, rare names above all; the first 200 tokens of them count.
        """
        with self._turn:
            return self._transcribe(samples[: int(FULL_WINDOW * SAMPLE_RATE)], language, retry, keyterms)

    def align(self, samples: np.ndarray, text: str, *, language: str = "en") -> tuple[Word, ...]:
        """Where each word of `text`, known to be said in float32 mono 16 kHz `samples` (at most 30 s), was said."""
        samples = samples[: int(FULL_WINDOW * SAMPLE_RATE)]
        tokenizer, seconds = self._tokenizer(language), len(samples) / SAMPLE_RATE
        tokens = tokenizer.encode(f" {text.strip()}")[:_MOST_TOKENS]
        if not tokens or not seconds:
            return ()
        with self._turn:
            encoded = self._encode(samples, min(FULL_WINDOW, seconds + TAIL))
            return self._align(encoded, tokens, samples, tokenizer)

    def _transcribe(
        self, samples: np.ndarray, language: str | None, retry: bool, keyterms: Sequence[str]
    ) -> Transcript:
        """Whisper takes a pause for the end, sometimes; what is spoken behind it is decoded by itself, as it was made to."""
        heard, until = self._decode_once(samples, language, retry, keyterms)
        start = int(until * SAMPLE_RATE)
        if not heard.text or not goes_on(samples, start):
            return heard
        return heard.then(self._transcribe(samples[start:], heard.language, retry, keyterms), until)

    def _decode_once(
        self, samples: np.ndarray, language: str | None, retry: bool, keyterms: Sequence[str]
    ) -> tuple[Transcript, float]:
        """What Whisper hears, and until which second."""
        seconds = len(samples) / SAMPLE_RATE
        encoded = self._encode(samples, min(FULL_WINDOW, seconds + TAIL))
        language = language or self._detect(encoded)
        tokenizer = self._tokenizer(language)
        expecting = _expecting(tokenizer, keyterms)
        decoded = self._generate(encoded, seconds, tokenizer, expecting)
        if _ran_away(decoded, tokenizer):
            if not retry:
                return Transcript("", language), seconds
            encoded = self._encode(samples, FULL_WINDOW)
            decoded = self._generate(encoded, seconds, tokenizer, expecting)
            if expecting and _ran_away(decoded, tokenizer):  # keyterms tempt it to say things again
                decoded = self._generate(encoded, seconds, tokenizer, [])
        text = tokenizer.decode(decoded.tokens).strip()
        # What repeats itself even on the full window was said so ("Can you hear me? Can you hear me?").
        if not text or is_silence(decoded.no_speech, decoded.score) or compression(text) > NONSENSE:
            return Transcript("", language), seconds
        words = self._align(encoded, decoded.tokens, samples, tokenizer)
        confidence = float(np.mean([word.confidence for word in words])) if words else 0.0
        return Transcript(text, language, confidence, words), decoded.until

    def _encode(self, samples: np.ndarray, window: float) -> Any:
        from ctranslate2 import StorageView

        frames = int(window * _FRAMES_PER_SECOND) // 2 * 2
        padded = np.zeros(frames * SAMPLE_RATE // _FRAMES_PER_SECOND, np.float32)
        padded[: len(samples)] = samples[: len(padded)]
        mel = self._whisper.feature_extractor(padded, padding=0)[None, :, :frames]
        return self._whisper.model.encode(StorageView.from_array(np.ascontiguousarray(mel, np.float32)))

    def _generate(self, encoded: Any, seconds: float, tokenizer: Any, expecting: list[int]) -> _Decoded:
        prompt = [*expecting, *tokenizer.sot_sequence]
        limit = min(20 + int(seconds * _TOKENS_PER_SECOND), self._whisper.max_length - len(prompt))
        result = self._whisper.model.generate(
            encoded,
            [prompt],
            beam_size=1,
            max_length=len(prompt) + limit,
            return_scores=True,
            return_no_speech_prob=True,
            max_initial_timestamp_index=50,
        )[0]
        ids = result.sequences_ids[0]
        tokens, until = self._until_end_of_speech(ids, seconds, tokenizer)
        complete = bool(tokens and until >= seconds - NEAR_THE_END) or len(ids) < limit
        return _Decoded(tokens, result.scores[0], result.no_speech_prob, complete, until or seconds)

    @staticmethod
    def _until_end_of_speech(ids: list[int], seconds: float, tokenizer: Any) -> tuple[list[int], float]:
        """Text tokens up to the timestamp near the end of the speech, for what follows it is a loop; and the last
        timestamp behind a text, in seconds, 0 if there is none."""
        text: list[int] = []
        until = 0.0
        for token in ids:
            if token >= tokenizer.timestamp_begin:
                until = (token - tokenizer.timestamp_begin) * 0.02 if text else 0.0
                if text and until >= seconds - NEAR_THE_END:
                    return text, until
            elif token < tokenizer.eot:
                text.append(token)
        return text, until

    def _align(self, encoded: Any, tokens: list[int], samples: np.ndarray, tokenizer: Any) -> tuple[Word, ...]:
        """Word timings from the decoder's cross-attention (faster-whisper's own method), within the sound itself:
        the method gives the silence before the first word to it, and that behind the last one too."""
        from faster_whisper.transcribe import merge_punctuations

        first, last = _sounding(samples)
        frames = len(samples) * _FRAMES_PER_SECOND // SAMPLE_RATE
        rows = self._whisper.find_alignment(tokenizer, [tokens], encoded, frames)[0]
        merge_punctuations(rows, _BEFORE_A_WORD, _AFTER_A_WORD)
        return tuple(
            Word(
                r["word"].strip(),
                min(max(float(r["start"]), first), last),
                min(max(float(r["end"]), first), last),
                float(r["probability"]),
            )
            for r in rows
            if r["word"].strip()
        )

    def _detect(self, encoded: Any) -> str:
        (best, _), *_ = self._whisper.model.detect_language(encoded)[0]
        return best.strip("<|>")

    def _tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(
            self._whisper.hf_tokenizer,
            self._whisper.model.is_multilingual,
            task="transcribe",
            language=language,
        )


def _sounding(samples: np.ndarray) -> tuple[float, float]:
    """Seconds of the first and the last audible sample."""
    audible = np.flatnonzero(np.abs(samples) >= _AUDIBLE * np.abs(samples).max()) if samples.any() else []
    return (audible[0] / SAMPLE_RATE, audible[-1] / SAMPLE_RATE) if len(audible) else (0.0, len(samples) / SAMPLE_RATE)


def _ran_away(decoded: _Decoded, tokenizer: Any) -> bool:
    return not decoded.complete or loops(tokenizer.decode(decoded.tokens))


def _expecting(tokenizer: Any, keyterms: Sequence[str]) -> list[int]:
    """Whisper reads what was said before; told that the keyterms were, it spells them that way."""
    if not keyterms:
        return []
    return [tokenizer.sot_prev, *tokenizer.encode(f" {', '.join(keyterms)}.")[:_MOST_TOKENS]]
