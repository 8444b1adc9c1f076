"""How much of what was said was understood."""

from __future__ import annotations

import re

import jiwer

_SPELLED = {"7": "seven", "8": "eight", "2": "two", "4": "four", "mr": "mister", "i'm": "i am"}


def plain(text: str) -> str:
    """Lower case, no punctuation, small numbers spelled: what is compared, not how it is written."""
    text = re.sub(r"\b([ap])\.m\.?", r"\1m", text.lower().replace("-", " "))
    words = re.sub(r"[^\w' ]", " ", text).split()
    return " ".join(_SPELLED.get(word, word) for word in words)


def word_error_rate(said: str | list[str], heard: str | list[str]) -> float:
    """Words wrong, missing and too many, per word said: 0 is perfect, more than 1 is possible.

    Two texts, or two lists of as many. Case, punctuation and the spelling of small numbers do not count.
    """
    said, heard = ([text] if isinstance(text, str) else text for text in (said, heard))
    return jiwer.wer([plain(text) for text in said], [plain(text) for text in heard])
