"""How long a silence ends a turn: as long as the client says (server VAD), or as long as the turn sounds unfinished
(semantic VAD, by LiveKit's end-of-turn model)."""

from __future__ import annotations

import asyncio

import numpy as np

from lkcook.engines import end_of_turn
from lkcook.engines.recognizer import PREROLL
from lkcook.engines.utterance import SECONDS, Utterance
from lkcook.gateway.realtime.settings import SemanticVAD, ServerVAD, Turns

# seconds of silence after which the model is asked: 0.2 is the SDK's own minimum; what sounds finished often does so only
# when more of the silence is heard ("Are you open on Sunday?": 0.32, 0.41, 0.64)
_ASK = (0.2, 0.4, 0.6)
_LEAST_SILENCE = 0.1  # seconds; less is part of a word
_LEAST_WAIT = 0.8  # seconds of silence that a turn which does not sound finished is granted at least
# eagerness -> the most seconds to wait (OpenAI's), and what the likely end of a turn is multiplied by
_EAGERNESS = {"high": (2.0, 0.7), "medium": (4.0, 1.0), "auto": (4.0, 1.0), "low": (8.0, 1.3)}


class Patience:
    """With one turn."""

    def __init__(self) -> None:
        self._pause = self._asked = 0  # which pause (the windows before it), and how often the model was asked in it
        self._wait = 0.0  # how long it may last

    async def with_(self, utterance: Utterance, turns: ServerVAD | SemanticVAD, language: str | None) -> float:
        """Seconds of silence that end it."""
        if isinstance(turns, ServerVAD):
            return max(turns.silence, _LEAST_SILENCE)
        most, factor = _EAGERNESS[turns.eagerness]
        silence, pause = utterance.silence * SECONDS, len(utterance.windows) - utterance.silence
        if pause != self._pause:
            self._pause, self._asked, self._wait = pause, 0, most
        if self._asked < len(_ASK) and silence >= _ASK[self._asked]:
            self._asked += 1
            recent = np.concatenate(utterance.windows[-int(end_of_turn.SECONDS / SECONDS) :])
            ended = await asyncio.to_thread(end_of_turn.probability, recent)
            confidence = ended / (end_of_turn.likely(language) * factor)
            self._wait = silence if confidence >= 1 else max(_LEAST_WAIT, most * (1 - confidence))
        return self._wait


def onset_of(turns: Turns) -> tuple[float, float]:
    """The probability of speech that begins a turn, and the seconds of sound before it that belong to it."""
    return (turns.threshold, turns.prefix_padding) if isinstance(turns, ServerVAD) else (0.5, PREROLL)
