"""How much of what OpenAI bills was used: seconds of Whisper, tokens of every other model that hears or speaks."""

from __future__ import annotations

from typing import Any

from lkcook.gateway.realtime.response import HEARD_TOKENS, SAID_TOKENS

_LETTERS = 4  # per token of text, OpenAI's rule of thumb: no tokenizer of theirs is here


def transcribed(model: str, text: str, seconds: float) -> dict[str, Any]:
    """Of `seconds` of sound that became `text`. model: with its provider."""
    if "/whisper" in model:
        return {"type": "duration", "seconds": round(seconds, 3)}
    heard = round(seconds * HEARD_TOKENS)
    details = {"text_tokens": 0, "audio_tokens": heard}
    return {"type": "tokens", **_total(heard, _tokens(text)), "input_token_details": details}


def spoken(text: str, seconds: float) -> dict[str, int]:
    """Of `text` that became `seconds` of sound."""
    return _total(_tokens(text), round(seconds * SAID_TOKENS))


def _total(read: int, written: int) -> dict[str, int]:
    return {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}


def _tokens(text: str) -> int:
    return -(-len(text) // _LETTERS)
