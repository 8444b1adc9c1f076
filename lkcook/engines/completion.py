"""A chat completion: what is asked of a language model, and what comes back piece by piece."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """One chat completion. `messages` and `tools` have OpenAI's shapes; None means the default.

    temperature 0 is the default: a small model is most reliable, and repeatable, at its most likely words.
    """

    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] = field(default_factory=list)
    tool_choice: str | dict[str, Any] | None = None
    temperature: float | None = 0.0
    top_p: float | None = None
    seed: int | None = None
    max_tokens: int | None = 512
    stop: list[str] | None = None
    response_format: dict[str, Any] | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: tuple[list[Any], ...] = ()


@dataclass(frozen=True)
class Text:
    """A piece of the reply. prompt_tokens, cached_tokens: as Done has them, where they are known already, else 0."""

    text: str
    prompt_tokens: int = 0
    cached_tokens: int = 0


@dataclass(frozen=True)
class Done:
    """The end of a reply. reason: "stop", "length" or "tool_calls"; counts are tokens.

    prompt_tokens: of which cached_tokens had been read before. stopped_by: which of Request.stop ended it, or "".
    """

    reason: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    stopped_by: str = ""


class ModelRefused(ValueError):
    """The request cannot be answered as it is: too long, or malformed. The text says why."""


class PromptTooLong(ModelRefused):
    """It has more tokens than the model's context."""
