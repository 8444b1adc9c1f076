"""How long a silence may last before it ends a turn that sounds unfinished (`engines.end_of_turn`).

The model only shortens the wait, it never decides alone: when nobody can ask it, the longest wait decides.
"""

from __future__ import annotations

import asyncio
import logging

import numpy as np

from lkcook.engines import end_of_turn
from lkcook.engines.utterance import SECONDS, Utterance
from lkcook.errors import CookError

logger = logging.getLogger("lkcook.gateway")

# seconds of silence after which the model is asked, and how much of the silence after the last sound it hears then. The
# longer the silence, the more of what is unfinished it takes for finished, so it hears less than there is, and what it
# says counts together with what it said before in the same pause (bench/end_of_turn.py)
_ASK = ((0.2, 0.1), (0.4, 0.3), (0.6, 0.5))
_LEAST_WAIT = 0.8  # seconds of silence that a turn which does not sound finished is granted at least


class Patience:
    """With one turn."""

    def __init__(self) -> None:
        self._pause = 0  # which one: the windows before it
        self._said: list[float] = []  # by the model, in this pause
        self._wait = 0.0  # how long it may last

    @property
    def confidence(self) -> float:
        """That the turn is over, as far as it was asked in this pause: a probability."""
        return float(np.mean(self._said)) if self._said else 0.0

    async def with_(self, utterance: Utterance, *, most: float, likely: float) -> float:
        """Seconds of silence that end it: `most`, or less the nearer the probability that it ended comes to `likely`."""
        silence, pause = utterance.silence * SECONDS, len(utterance.windows) - utterance.silence
        if pause != self._pause:
            self._pause, self._said, self._wait = pause, [], most
        if len(self._said) < len(_ASK) and silence >= _ASK[len(self._said)][0]:
            self._said.append(await _ended(utterance, _ASK[len(self._said)][1]))
            confidence = self.confidence / likely
            self._wait = silence if confidence >= 1 else min(max(_LEAST_WAIT, most * (1 - confidence)), most)
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
