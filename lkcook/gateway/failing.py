"""Models that fail because somebody wants to see what happens then.

PUT /failing {"models": ["deepgram/nova-3"], "status": 503} replaces the caller's own list; only that caller's requests
are refused. LKCOOK_FAIL, when the gateway starts, fails models for everybody.
"""

from __future__ import annotations

import os
import time
from typing import ClassVar

from aiohttp import web

from lkcook.gateway.auth import OWNER, error_response
from lkcook.gateway.requests import RequestLog

_STATUSES = (429, 500, 503)


class Failing:
    """Who wants which models to fail, and how."""

    KEY: ClassVar[web.AppKey[Failing]]

    def __init__(self) -> None:
        self._everybody = {model: 503 for model in os.environ.get("LKCOOK_FAIL", "").replace(",", " ").split()}
        self._own: dict[str, dict[str, int]] = {}

    def set(self, owner: str, models: list[str], status: int) -> None:
        """Replace the list of one owner."""
        self._own[owner] = {model: status for model in models}

    def status(self, owner: str, model: str) -> int:
        """The HTTP status `model` shall fail with, 0 when it works."""
        return self._own.get(owner, {}).get(model) or self._everybody.get(model, 0)


Failing.KEY = web.AppKey("failing", Failing)


async def handle_failing(request: web.Request) -> web.Response:
    """The route."""
    try:
        body = await request.json()
        models, status = body["models"], body.get("status", 503)
    except (ValueError, KeyError, TypeError, AttributeError):
        return error_response(400, 'the body is {"models": [...], "status": 503}', "invalid_request_error")
    if not isinstance(models, list) or not all(isinstance(model, str) for model in models) or status not in _STATUSES:
        return error_response(400, f"models is a list of ids, status one of {_STATUSES}", "invalid_request_error")
    request.app[Failing.KEY].set(request[OWNER], models, status)
    return web.json_response({"failing": models, "status": status})


def why(model: str, status: int) -> str:
    """The sentence a client reads."""
    reason = "its quota is used up" if status == 429 else "the model is down"
    return f"{model} fails as it was told to ({reason}): LKCOOK_FAIL or lkcook.failing"


def quota_headers(log: RequestLog, owner: str) -> dict[str, str]:
    """LiveKit Inference's headers of a 429 (inference/_utils.py: extract_quota_usage), with what was really used.

    The limits are set to what is used up, because that is what a 429 says.
    """
    recent = [r for r in log.of(owner, time.time() - 60) if r.stage == "language model"]
    used = {"RPM": len(recent), "TPM": sum(record.tokens for record in recent)}
    return {
        f"X-LiveKit-Inference-{name}-{column}": str(value) for name, value in used.items() for column in ("Limit", "Used")
    }
