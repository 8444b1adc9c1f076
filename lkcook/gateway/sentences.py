"""Text that comes in pieces → sentences, each of which can be said as soon as it is complete."""

from __future__ import annotations

from livekit.agents import tokenize

_tokenizer = tokenize.blingfire.SentenceTokenizer(retain_format=True)


def split(text: str) -> tuple[list[str], str]:
    """The complete sentences, and the one that is still being written."""
    *complete, rest = _tokenizer.tokenize(text) or [""]
    if complete and not rest.strip():  # the space behind a sentence does not tell that it is complete
        rest = complete.pop() + rest
    return complete, rest
