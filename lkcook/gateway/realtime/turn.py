"""One turn of the caller: when it was, and what was understood of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from lkcook.engines.recognizer import Recognizer
from lkcook.gateway.realtime.items import new_id


@dataclass(eq=False)
class Turn:
    """What the caller says until it is the model's turn. start and end: seconds since the first sound.

    utterances: how many the recogniser cut it into; the transcript is there when all of them are.
    """

    start: float
    recognizer: Recognizer
    id: str = field(default_factory=lambda: new_id("item"))
    end: float = 0.0
    utterances: int = 0
    texts: list[str] = field(default_factory=list)
    over: bool = False
    transcript: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def settle(self) -> None:
        """The transcript is known once the turn is over and each of its utterances understood."""
        if self.over and len(self.texts) >= self.utterances and not self.transcript.done():
            self.transcript.set_result(self.text())

    def text(self, more: str = "") -> str:
        """All that is understood, and `more`."""
        return " ".join(text for text in [*self.texts, more] if text)
