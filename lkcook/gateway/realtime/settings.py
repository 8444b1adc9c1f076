"""How a realtime conversation is to be held. Immutable: a change is a new one (dataclasses.replace)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

LONGEST_REPLY = 512  # tokens, unless the client asks for fewer: the model here has a context of 4096

Modality = Literal["audio", "text"]


@dataclass(frozen=True)
class ServerVAD:
    """A turn ends with a silence. All times in seconds; the defaults are OpenAI's."""

    threshold: float = 0.5  # probability of speech
    prefix_padding: float = 0.3  # of sound before the onset that belongs to the turn
    silence: float = 0.5
    create_response: bool = True
    interrupt_response: bool = True
    idle_timeout: float | None = None  # after the last answer was played; then the model speaks up


@dataclass(frozen=True)
class SemanticVAD:
    """A turn ends when it sounds finished; when it does not, the model waits the longer the less it does."""

    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True


Turns = ServerVAD | SemanticVAD | None  # None: the client commits its turns itself


@dataclass(frozen=True)
class Settings:
    """language: ISO 639-1 of what is heard and said, None for English. transcribes: tell the client what was heard.

    listens: nobody answers; guesses are told even while the client decides when a turn is over. detects: what is heard
    may be in any language.
    voice: the provider's name for it, "" for its default. speed: 1 is the usual tempo. tools and tool_choice have the
    shapes of chat completions. truncates: estimate what was heard of an interrupted answer by the clock.
    """

    instructions: str = ""
    voice: str = ""
    speed: float = 1.0
    language: str | None = None
    modality: Modality = "audio"
    tools: tuple[dict[str, Any], ...] = ()
    tool_choice: str | dict[str, Any] | None = None
    max_tokens: int = LONGEST_REPLY
    temperature: float = 0.0
    turns: Turns = field(default_factory=ServerVAD)
    transcribes: bool = True
    keyterms: tuple[str, ...] = ()
    truncates: bool = False
    listens: bool = False
    detects: bool = False

    @property
    def heard_language(self) -> str | None:
        """ISO 639-1 of what is heard, None to detect it."""
        return None if self.detects else self.language or "en"


@dataclass(frozen=True)
class Ask:
    """One answer, where it differs from the settings (None: it does not).

    items: answer these (see `items`) instead of the conversation. apart: the answer does not join the conversation.
    metadata comes back with the response. audio_format: of its sound, for the dialect that encodes it.
    """

    instructions: str | None = None
    voice: str | None = None
    modality: Modality | None = None
    tools: tuple[dict[str, Any], ...] | None = None
    tool_choice: str | dict[str, Any] | None = None
    max_tokens: int | None = None
    items: tuple[Any, ...] | None = None
    apart: bool = False
    metadata: dict[str, Any] | None = None
    audio_format: dict[str, Any] | None = None
