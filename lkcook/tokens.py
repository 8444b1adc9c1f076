"""The words of the agent as the session passes them on, before anybody hears them."""

from __future__ import annotations

import time

from livekit.agents.voice import io


class TextTap(io.TextOutput):
    """Notes (time.time(), text) of what the agent is about to say, and hands it on.

    In front of the synchronizer, which holds each word back until it is spoken.
    """

    def __init__(self, next_in_chain: io.TextOutput, tokens: list[tuple[float, str]]) -> None:
        super().__init__(label="lkcook", next_in_chain=next_in_chain)
        self._tokens = tokens

    async def capture_text(self, text: str) -> None:
        self._tokens.append((time.time(), text))
        await self.next_in_chain.capture_text(text)

    def flush(self) -> None:
        self.next_in_chain.flush()
