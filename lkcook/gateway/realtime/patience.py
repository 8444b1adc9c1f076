"""How long a silence ends a turn: as long as the client says (server VAD), or as long as the turn sounds unfinished
(semantic VAD)."""

from __future__ import annotations

from lkcook.engines.recognizer import PREROLL
from lkcook.engines.utterance import Utterance
from lkcook.gateway.patience import Patience
from lkcook.gateway.realtime.settings import SemanticVAD, ServerVAD, Turns

_LEAST_SILENCE = 0.1  # seconds; less is part of a word
# eagerness -> the most seconds to wait (OpenAI's), and from which probability on a turn is taken to have ended
_EAGERNESS = {"high": (2.0, 0.5), "medium": (4.0, 0.8), "auto": (4.0, 0.8), "low": (8.0, 0.9)}


async def longest_silence(utterance: Utterance, turns: ServerVAD | SemanticVAD, patience: Patience) -> float:
    """Seconds of silence that end the turn."""
    if isinstance(turns, ServerVAD):
        return max(turns.silence, _LEAST_SILENCE)
    most, likely = _EAGERNESS[turns.eagerness]
    return await patience.with_(utterance, most=most, likely=likely)


def onset_of(turns: Turns) -> tuple[float, float]:
    """The probability of speech that begins a turn, and the seconds of sound before it that belong to it."""
    return (turns.threshold, turns.prefix_padding) if isinstance(turns, ServerVAD) else (0.5, PREROLL)
