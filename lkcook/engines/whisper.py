"""Whisper's parts, on CTranslate2 (both MIT): encode a window of sound, decode it, time the words.

Whisper was trained on windows of 30 s and stock runtimes always encode that much. CTranslate2 accepts shorter ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lkcook.engines.transcript import Word
from lkcook.engines.whisper_guards import sounding

SAMPLE_RATE = 16_000
FULL_WINDOW = 30.0  # seconds, what Whisper was trained on
NEAR_THE_END = 0.6  # seconds
_FRAMES_PER_SECOND = 100  # mel frames; the encoder halves them
_BEFORE_A_WORD = "\"'“¿([{-"
_AFTER_A_WORD = "\"'.。,，!！?？:：”)]}、"
_TOKENS_PER_SECOND = 14  # nobody speaks faster, so more tokens than this mean a loop


@dataclass(frozen=True)
class Decoded:
    """tokens: of the text. score: mean log probability. no_speech: the probability that nobody speaks."""

    tokens: list[int]
    score: float
    no_speech: float
    complete: bool  # False: it ran into the token limit, which speech never does
    until: float  # seconds; where it says that the speech ends


class Whisper:
    """Loads it from a CTranslate2 folder (about 0.7 s). Not for several threads at once."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        from faster_whisper import WhisperModel

        self._model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)

    @property
    def languages(self) -> list[str]:
        """ISO 639-1 codes this model knows."""
        return self._model.supported_languages

    def encode(self, samples: np.ndarray, window: float) -> Any:
        """Float32 mono 16 kHz `samples`, cut or filled up with silence to `window` seconds."""
        from ctranslate2 import StorageView

        frames = int(window * _FRAMES_PER_SECOND) // 2 * 2
        padded = np.zeros(frames * SAMPLE_RATE // _FRAMES_PER_SECOND, np.float32)
        padded[: len(samples)] = samples[: len(padded)]
        mel = self._model.feature_extractor(padded, padding=0)[None, :, :frames]
        return self._model.model.encode(StorageView.from_array(np.ascontiguousarray(mel, np.float32)))

    def generate(self, encoded: Any, seconds: float, tokenizer: Any, expecting: list[int]) -> Decoded:
        """What is said in `encoded`, whose sound is `seconds` long; `expecting`: tokens that came before it."""
        prompt = [*expecting, *tokenizer.sot_sequence]
        limit = min(20 + int(seconds * _TOKENS_PER_SECOND), self._model.max_length - len(prompt))
        result = self._model.model.generate(
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
        return Decoded(tokens, result.scores[0], result.no_speech_prob, complete, until or seconds)

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

    def align(self, encoded: Any, tokens: list[int], samples: np.ndarray, tokenizer: Any) -> tuple[Word, ...]:
        """Word timings from the decoder's cross-attention (faster-whisper's own method), within the sound itself:
        the method gives the silence before the first word to it, and that behind the last one too."""
        from faster_whisper.transcribe import merge_punctuations

        first, last = (at / SAMPLE_RATE for at in sounding(samples))
        frames = len(samples) * _FRAMES_PER_SECOND // SAMPLE_RATE
        rows = self._model.find_alignment(tokenizer, [tokens], encoded, frames)[0]
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

    def detect(self, encoded: Any) -> str:
        """The likeliest language, as an ISO 639-1 code."""
        (best, _), *_ = self._model.model.detect_language(encoded)[0]
        return best.strip("<|>")

    def tokenizer(self, language: str) -> Any:
        """faster-whisper's, for transcripts in `language` (ISO 639-1)."""
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(
            self._model.hf_tokenizer,
            self._model.model.is_multilingual,
            task="transcribe",
            language=language,
        )
