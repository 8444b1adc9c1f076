"""How Whisper's inventions are told from speech: silence that becomes "Thank you.", and words that go round and round."""

from __future__ import annotations

import re
import zlib

import numpy as np

_AUDIBLE = 0.02  # of the loudest sample
_LEAD = 16_000  # samples, 1 s: in it Whisper has to place the first word (whisper.py, max_initial_timestamp_index)
_LOUD = 0.2  # of the loudest sample: speech, beside that which was understood
_BLOCK = 320  # samples: 20 ms
_WORD = 0.3  # seconds of loud sound
_BEFORE = 10  # blocks

# Mean probability of the words. What Whisper makes of humming, "in the" or "4C", mostly has less; of 40 single words in
# four voices the least sure that it understood had 0.23.
GUESSED = 0.2
NONSENSE = 2.4  # compression ratio; OpenAI's own limit (whisper/transcribe.py)


def is_silence(no_speech: float, score: float) -> bool:
    """Whisper invents "Thank you." in silence; OpenAI's own rule tells it apart (whisper/transcribe.py)."""
    return no_speech > 0.6 and score < -1.0


def sounding(samples: np.ndarray) -> tuple[int, int]:
    """The first and the last audible sample; (0, their number) where none is."""
    audible = np.flatnonzero(np.abs(samples) >= _AUDIBLE * np.abs(samples).max()) if samples.any() else []
    return (int(audible[0]), int(audible[-1])) if len(audible) else (0, len(samples))


def silence_ahead(samples: np.ndarray) -> int:
    """How many samples to leave out at the beginning of float 16 kHz sound, for there is nothing in them.

    With seconds of silence ahead of it, a sentence that breaks off is likely to be written down twice.
    """
    first, _ = sounding(samples)
    return first - _BEFORE * _BLOCK if first > _LEAD else 0


def speech_after(samples: np.ndarray, start: int) -> int | None:
    """Where somebody speaks behind sample `start` of float 16 kHz sound, as loudly as before it; None: nobody does.

    Just before the first sound: with a pause ahead of it, Whisper is likely to take few words for silence.
    """
    rest = np.abs(samples[start : start + len(samples[start:]) // _BLOCK * _BLOCK])
    if not len(rest):
        return None
    loud = rest.reshape(-1, _BLOCK).max(axis=1) >= _LOUD * np.abs(samples).max()
    return start + max(0, int(loud.argmax()) - _BEFORE) * _BLOCK if float(loud.sum()) * 0.02 >= _WORD else None


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
