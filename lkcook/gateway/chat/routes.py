"""All routes of the chat protocols, and what they keep between requests."""

from __future__ import annotations

from lkcook.gateway.chat import (
    anthropic,
    bedrock,
    completions,
    conversations,
    gemini,
    listing,
    ollama,
    responses_socket,
)
from lkcook.gateway.chat.responses import Kept

__all__ = ["Kept"]
ROUTES = [
    *completions.ROUTES,
    *anthropic.ROUTES,
    *bedrock.ROUTES,
    *conversations.ROUTES,
    *gemini.ROUTES,
    *responses_socket.ROUTES,
    *ollama.ROUTES,
    *listing.ROUTES,
]
