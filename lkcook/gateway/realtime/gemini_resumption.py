"""Conversations that can be gone on with on another connection: Gemini Live's session resumption."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar

from aiohttp import web

from lkcook.gateway.realtime.gemini_fields import POLICY, Refused
from lkcook.gateway.realtime.items import Item, Items

_KEPT = 500  # conversations of everybody, as far as they had got
_VALID = 2 * 3600.0  # seconds: Google's


@dataclass(frozen=True)
class _Saved:
    owner: str
    model: str
    items: Items
    at: float


class Handles:
    """What each handle stands for; it belongs to the one it was given to."""

    KEY: ClassVar[web.AppKey[Handles]]

    def __init__(self) -> None:
        self._saved: OrderedDict[str, _Saved] = OrderedDict()

    def save(self, owner: str, model: str, items: Items) -> str:
        """A new handle for the conversation as it is now."""
        kept = Items()
        for item in items.copies():
            kept.add(item)
        handle = secrets.token_urlsafe(24)
        self._saved[handle] = _Saved(owner, model, kept, time.monotonic())
        while len(self._saved) > _KEPT:
            self._saved.popitem(last=False)
        return handle

    def restore(self, owner: str, model: str, handle: str) -> list[Item]:
        """What was said. Everything about a conversation may be changed when it is resumed, but not its model."""
        saved = self._saved.get(handle)
        if saved is None or saved.owner != owner or time.monotonic() - saved.at > _VALID:
            raise Refused("BidiGenerateContent session not found: its handle is unknown, or older than two hours.", POLICY)
        if saved.model != model:
            raise Refused(f"The session to be resumed is one of {saved.model}, not of {model}.")
        return saved.items.copies()


Handles.KEY = web.AppKey("handles", Handles)
