"""An answer as OpenAI's Realtime API shows it (openai 3.57, types/realtime/realtime_response.py)."""

from __future__ import annotations

from typing import Any

from lkcook.gateway.realtime import openai_items
from lkcook.gateway.realtime.openai_session import Session
from lkcook.gateway.realtime.response import Response


def shown(response: Response, conversation: str, session: Session) -> dict[str, Any]:
    """As response.created and response.done have it. conversation: its id."""
    output = {"format": response.audio_format or session.formats[1], "voice": response.voice}
    return {
        "object": "realtime.response",
        "id": response.id,
        "status": response.status,
        "status_details": _details(response),
        "output": [openai_items.shown(item) for item in response.output],
        "conversation_id": None if response.apart else conversation,
        "output_modalities": [response.modality],
        "max_output_tokens": response.max_tokens or session.max_output_tokens,
        "audio": {"output": output},
        "metadata": response.metadata,
        "usage": _usage(response) if response.status != "in_progress" else None,
    }


def _details(response: Response) -> dict[str, Any] | None:
    if response.status in ("in_progress", "completed"):
        return None
    if response.status == "failed":
        limited = response.error_code == 429
        kind, code = ("rate_limit_error", "rate_limit_exceeded") if limited else ("server_error", "server_error")
        return {"type": "failed", "error": {"type": kind, "code": code, "message": response.error}}
    return {"type": response.status, "reason": response.reason}


def _usage(response: Response) -> dict[str, Any]:
    usage = response.usage
    read, written = usage.read + usage.heard, usage.written + usage.said
    cached = {"text_tokens": usage.cached, "audio_tokens": 0, "image_tokens": 0}
    return {
        "total_tokens": read + written,
        "input_tokens": read,
        "output_tokens": written,
        "input_token_details": {
            "text_tokens": usage.read,
            "audio_tokens": usage.heard,
            "image_tokens": 0,
            "cached_tokens": usage.cached,
            "cached_tokens_details": cached,
        },
        "output_token_details": {"text_tokens": usage.written, "audio_tokens": usage.said},
    }
