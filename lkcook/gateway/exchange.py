"""One client and the gateway: whose it is, what it sent, and which models it wants to see fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from lkcook.gateway.auth import OWNER
from lkcook.gateway.failing import Failing, why
from lkcook.gateway.requests import Record, RequestLog
from lkcook.gateway.socket import ProtocolError


@dataclass(frozen=True)
class Exchange:
    """One client's request or connection. stage: which of the models it asks for."""

    request: web.Request
    stage: str

    def record(self, model: Any, message: dict[str, Any]) -> Record:
        """Keep one message; the record can still be completed."""
        return self.request.app[RequestLog.KEY].add(self.request, self.stage, str(model), message)

    @contextmanager
    def recorded(self, model: str, message: dict[str, Any]) -> Iterator[Record]:
        """Keep the message that opens a session; a ProtocolError inside is noted as its refusal, and goes on."""
        record = self.record(model, message)
        try:
            yield record
        except ProtocolError as error:
            record.notes.append(f"refused: {error}")
            raise
        record.answered_by = record.model

    def fails(self, model: str) -> int:
        """The HTTP status with which `model` shall fail, 0 when it works."""
        return self.request.app[Failing.KEY].status(self.request[OWNER], model)

    def refuse_if_failing(self, model: str) -> None:
        """Raises ProtocolError when somebody wants to see `model` fail."""
        if status := self.fails(model):
            raise ProtocolError(why(model, status), code=status, fatal=True)
