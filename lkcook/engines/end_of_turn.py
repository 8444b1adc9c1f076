"""Has the caller finished, or only paused? Smart Turn v3.2 (Daily, BSD-2-Clause), which listens to the turn's last 8 s.

It is the encoder of Whisper tiny with one output. About 60 MB in memory, 0.1 s to load, 50 ms per answer on one core.
A hint, never more: it takes some unfinished turns for finished ones, the more so the longer the silence after them that
it hears, and some finished ones for unfinished (bench/end_of_turn.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from lkcook.engines import weights
from lkcook.engines.speech_to_text import SAMPLE_RATE
from lkcook.errors import WeightsError

Probability = Callable[[np.ndarray], float]  # as `probability` below

SECONDS = 8.0  # of sound the model takes
_SAMPLES = int(SECONDS * SAMPLE_RATE)
_LEAST_VARIANCE = 1e-7  # silence has none
_WEIGHT = "smart-turn-v3.2"

_turn = threading.Lock()


def load() -> None:
    """Fetch the model if need be, and load it. Raises WeightsError."""
    weights.fetch(_WEIGHT)
    probability(np.zeros(0, np.float32))


def probability(samples: np.ndarray) -> float:
    """How likely it is (0 to 1) that a turn ended with float32 mono 16 kHz `samples`, the silence after it included.

    Give it the whole turn; the last 8 s count. Any number of samples will do. Raises WeightsError at once, and fetches
    nothing, when the model is not here: somebody waits in the middle of a call.
    """
    with _turn:
        session, extractor = _model()
        return float(session.run(None, {"input_features": _features(samples, extractor)})[0][0, 0])


def _features(samples: np.ndarray, extractor: Any) -> np.ndarray:
    """Whisper's: float32 (1, 80 mels, 800 frames of 10 ms), of sound whose mean is 0 and whose variance is 1.

    What is missing of the 8 s is put before the sound: the model knows the end of the turn by its place.
    """
    sound = np.zeros(_SAMPLES, np.float32)
    if recent := min(len(samples), _SAMPLES):
        sound[-recent:] = samples[-recent:]
    sound = (sound - sound.mean()) / np.sqrt(sound.var() + _LEAST_VARIANCE)
    return extractor(sound, padding=0)[None].astype(np.float32)


@cache
def _model() -> tuple[Any, Any]:
    """ONNX Runtime's session, and what makes features."""
    import onnxruntime
    from faster_whisper.feature_extractor import FeatureExtractor

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = 1, 1, 3
    path = weights.locate(_WEIGHT)
    if path is None:
        raise WeightsError(f"{_WEIGHT} is not here.", "Run `python cook.py lab`, which fetches it.")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session, FeatureExtractor(chunk_length=int(SECONDS))
