"""How tests ask a model through LiveKit's clients: once, and with the patience that two busy cores need."""

from livekit.agents import APIConnectOptions

ONCE = APIConnectOptions(max_retry=0, timeout=40.0)
