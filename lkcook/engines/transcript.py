"""What a recogniser has heard."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Word:
    """One word; `start` and `end` in seconds from the beginning of the decoded audio."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Transcript:
    """What was heard. `confidence` is the mean token probability (0 to 1); `language` an ISO 639-1 code."""

    text: str
    language: str
    confidence: float = 0.0
    words: tuple[Word, ...] = ()

    def later(self, by: float) -> Transcript:
        """The same words, `by` seconds later."""
        moved = [replace(word, start=word.start + by, end=word.end + by) for word in self.words]
        return replace(self, words=tuple(moved))

    def then(self, rest: Transcript, start: float) -> Transcript:
        """This, and what was heard from `start` (seconds) on."""
        if not rest.text:
            return self
        later = rest.later(start).words
        confidence = float(np.mean([word.confidence for word in (*self.words, *later)])) if self.words or later else 0.0
        return Transcript(f"{self.text} {rest.text}", self.language, confidence, (*self.words, *later))
