"""A live person who speaks: frames come when they come, and the source of them may be lost in mid-call."""

from __future__ import annotations

import asyncio

from lkcook.audio.caller import Caller, Conversation
from lkcook.errors import DeviceError


class Person(Caller):
    """Talks until the call ends, `hang_up()` is called, or `_lose(error)` says that the microphone is gone."""

    person = True

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self._hung_up = asyncio.Event()
        self._failed: asyncio.Future[None] | None = None

    async def converse(self, conversation: Conversation) -> None:
        """Returns when the call ends or `hang_up()` is called; raises DeviceError when the microphone is lost."""
        await self.prepare()
        assert self._failed is not None
        waits = [asyncio.ensure_future(w) for w in (conversation.ended(), self._hung_up.wait())]
        try:
            await asyncio.wait([*waits, self._failed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        if self._failed.done():
            self._failed.result()

    def hang_up(self) -> None:
        """End the call from the caller's side."""
        self._hung_up.set()

    async def aclose(self) -> None:
        self.hang_up()

    def _pick_up(self) -> None:
        """A new call begins, on the loop that runs now."""
        self._hung_up.clear()
        self._failed = asyncio.get_running_loop().create_future()

    def _lose(self, error: DeviceError) -> None:
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)
            self._failed.exception()  # seen, also when the call ends for another reason and nobody awaits it
