"""How Whisper's inventions are told from speech: silence that becomes "Thank you.", and words that go round and round."""

from __future__ import annotations

import re
import zlib

NONSENSE = 2.4  # compression ratio; OpenAI's own limit (whisper/transcribe.py)


def is_silence(no_speech: float, score: float) -> bool:
    """Whisper invents "Thank you." in silence; OpenAI's own rule tells it apart (whisper/transcribe.py)."""
    return no_speech > 0.6 and score < -1.0


def loops(text: str) -> bool:
    """True when a few characters, a word three times, or a run of words repeats, or the text compresses too well."""
    if re.search(r"(.{1,8}?)\1{4,}", text):
        return True
    words = text.lower().split()
    if re.search(r"\b(\w+(?: \w+)?)(?: \1\b){2,}", text.lower()):
        return True
    for n in range(3, len(words) // 2 + 1):
        if any(words[i : i + n] == words[i + n : i + 2 * n] for i in range(len(words) - 2 * n + 1)):
            return True
    return len(text) > 40 and compression(text) > 2.0


def compression(text: str) -> float:
    """How many times smaller zlib makes it."""
    return len(text) / len(zlib.compress(text.encode()))
