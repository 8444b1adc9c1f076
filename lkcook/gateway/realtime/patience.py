"""How long a silence ends a turn: as long as the client says (server VAD), or as long as the turn sounds unfinished
(semantic VAD, by `engines.end_of_turn`; that only shortens the wait, it never decides alone)."""

from __future__ import annotations

import asyncio
import logging

import numpy as np

from lkcook.engines import end_of_turn
from lkcook.engines.recognizer import PREROLL
from lkcook.engines.utterance import SECONDS, Utterance
from lkcook.errors import CookError
from lkcook.gateway.realtime.settings import SemanticVAD, ServerVAD, Turns

logger = logging.getLogger("lkcook.gateway")

# seconds of silence after which the model is asked, and how much of the silence after the last sound it hears then. The
# longer the silence, the more of what is unfinished it takes for finished, so it hears less than there is, and what it
# says counts together with what it said before in the same pause (bench/end_of_turn.py)
_ASK = ((0.2, 0.1), (0.4, 0.3), (0.6, 0.5))
_LEAST_SILENCE = 0.1  # seconds; less is part of a word
_LEAST_WAIT = 0.8  # seconds of silence that a turn which does not sound finished is granted at least
# eagerness -> the most seconds to wait (OpenAI's), and from which probability on a turn is taken to have ended
_EAGERNESS = {"high": (2.0, 0.5), "medium": (4.0, 0.8), "auto": (4.0, 0.8), "low": (8.0, 0.9)}


class Patience:
    """With one turn."""

    def __init__(self) -> None:
        self._pause = 0  # which one: the windows before it
        self._said: list[float] = []  # by the model, in this pause
        self._wait = 0.0  # how long it may last

    async def with_(self, utterance: Utterance, turns: ServerVAD | SemanticVAD) -> float:
        """Seconds of silence that end it."""
        if isinstance(turns, ServerVAD):
            return max(turns.silence, _LEAST_SILENCE)
        most, likely = _EAGERNESS[turns.eagerness]
        silence, pause = utterance.silence * SECONDS, len(utterance.windows) - utterance.silence
        if pause != self._pause:
            self._pause, self._said, self._wait = pause, [], most
        if len(self._said) < len(_ASK) and silence >= _ASK[len(self._said)][0]:
            self._said.append(await _ended(utterance, _ASK[len(self._said)][1]))
            confidence = float(np.mean(self._said)) / likely
            self._wait = silence if confidence >= 1 else max(_LEAST_WAIT, most * (1 - confidence))
        return self._wait


async def _ended(utterance: Utterance, silence: float) -> float:
    """How likely it is that the turn ended, judged by its sound and so many seconds after its last loud window."""
    heard = utterance.windows[: utterance.speech_end + round(silence / SECONDS)]
    sound = np.concatenate(heard[-int(end_of_turn.SECONDS / SECONDS) :])
    try:
        return await asyncio.to_thread(end_of_turn.probability, sound)
    except CookError as error:  # then the longest wait decides
        logger.warning("nobody can tell whether the turn is over: %s", error)
        return 0.0


def onset_of(turns: Turns) -> tuple[float, float]:
    """The probability of speech that begins a turn, and the seconds of sound before it that belong to it."""
    return (turns.threshold, turns.prefix_padding) if isinstance(turns, ServerVAD) else (0.5, PREROLL)
