"""A live person who speaks: until the call ends, somebody hangs up, or the microphone is lost."""

from __future__ import annotations

import asyncio

from lkcook.audio.caller import Caller, Conversation


class Person(Caller):
    """While `muted` is True the agent, and the recording, get silence."""

    person = True

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self._hung_up = asyncio.Event()

    async def converse(self, conversation: Conversation) -> None:
        """Returns when the call ends or `hang_up()` is called; raises DeviceError when the microphone is lost for good."""
        await self.prepare()
        lost = asyncio.ensure_future(self._until_lost())
        waits = [lost, *(asyncio.ensure_future(wait) for wait in (conversation.ended(), self._hung_up.wait()))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        if not lost.cancelled():
            lost.result()

    def hang_up(self) -> None:
        """End the call from the caller's side."""
        self._hung_up.set()

    async def aclose(self) -> None:
        self.hang_up()

    async def _until_lost(self) -> None:
        """Waits as long as the microphone works; raises DeviceError when it is gone."""
        raise NotImplementedError
