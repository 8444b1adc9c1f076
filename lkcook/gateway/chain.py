"""A model and its fallbacks: LiveKit Inference switches between them on the server (`fallback=[…]` of the client)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lkcook import catalog
from lkcook.gateway.failing import why
from lkcook.gateway.models import Models
from lkcook.gateway.requests import Record
from lkcook.gateway.socket import ProtocolError, known_keys


@dataclass(frozen=True)
class Choice:
    """One model that may answer."""

    model: str
    voice: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


class Chain:
    """The choices in order; `serving()` is the first that does not fail."""

    def __init__(self, kind: catalog.Kind, first: Choice, message: dict[str, Any], models: Models) -> None:
        fallbacks = known_keys(message.get("fallback"), "fallback").get("models") or []
        if not isinstance(fallbacks, list):
            raise ProtocolError('"fallback" is {"models": [...]}', fatal=True)
        self.choices = [first, *(_choice(entry) for entry in fallbacks)]
        for choice in self.choices:
            models.check(kind, choice.model)
        self._answering = first.model

    def serving(self, fails: Callable[[str], int], record: Record | None = None) -> Choice:
        """Who answers now; a switch is noted in `record`. Raises ProtocolError when every model fails."""
        for choice in self.choices:
            if not (status := fails(choice.model)):
                break
        else:
            raise ProtocolError(why(self.choices[0].model, status), code=status, fatal=True)
        if record is not None:
            record.answered_by = choice.model
            if choice.model != self._answering:
                back = choice is self.choices[0]
                news = f"{choice.model} answers again" if back else f"{self._answering} fails; {choice.model} answers"
                record.switches.append((time.time(), news))
        self._answering = choice.model
        return choice


def _choice(entry: Any) -> Choice:
    if not isinstance(entry, dict) or not isinstance(entry.get("model"), str):
        raise ProtocolError('a fallback is {"model": "provider/model", ...}', fatal=True)
    return Choice(entry["model"], entry.get("voice") or "", known_keys(entry.get("extra"), "extra"))
