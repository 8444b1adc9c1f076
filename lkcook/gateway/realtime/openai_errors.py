"""OpenAI's error events, of the Realtime API and of GPT-Live: they differ in how they name the client's event at fault."""

from __future__ import annotations

from typing import Any, Literal

from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.socket import ProtocolError

Named = Literal["event_id", "client_event_id"]  # the Realtime API's, GPT-Live's


def error_event(
    why: str,
    reason: str | None,
    *,
    kind: str = "invalid_request_error",
    param: str = "",
    cause: Any = None,
    named: Named = "event_id",
) -> dict[str, Any]:
    """cause: the id of the client's event at fault."""
    cause = cause if isinstance(cause, str) else None
    error = {"type": kind, "code": reason, "message": why, "param": param or None, named: cause}
    return {"type": "error", "error": error}


def complaint(error: ProtocolError, cause: Any, named: Named = "event_id") -> dict[str, Any]:
    """What is wrong with the client's event `cause`."""
    reason, param = (error.reason, error.param) if isinstance(error, Rejected) else (None, "")
    kind = "server_error" if error.code >= 500 else "invalid_request_error"
    return error_event(str(error), reason, kind=kind, param=param, cause=cause, named=named)
