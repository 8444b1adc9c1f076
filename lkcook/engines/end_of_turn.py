"""Has the caller finished, or only paused? LiveKit's turn detector v1-mini, which listens to the last 1.2 s of sound.

Its weights are part of livekit-local-inference (about 108 MB in memory, 0.2 s to load, 45 ms per answer on two cores).
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import numpy as np

from lkcook import pcm
from lkcook.engines.speech_to_text import SAMPLE_RATE

SECONDS = 1.2  # of sound the model takes
_LIKELY = 0.36  # livekit-agents 1.8.9, inference/eot/languages.py: English, and what it knows no better for


def probability(samples: np.ndarray) -> float:
    """How likely it is (0 to 1) that a turn ended with float32 mono 16 kHz `samples`; the last 1.2 s count."""
    with _turn:
        return float(_model().predict(pcm.to_int16(samples[-int(SECONDS * SAMPLE_RATE) :])))


def likely(language: str | None) -> float:
    """From which probability on a turn in `language` (ISO 639-1) is taken to have ended: LiveKit's own choice."""
    from livekit.agents.inference.eot.languages import LOCAL_LANGUAGES

    return LOCAL_LANGUAGES.get(language or "en", _LIKELY)


_turn = threading.Lock()


@cache
def _model() -> Any:
    from livekit.local_inference import EOT

    return EOT()
