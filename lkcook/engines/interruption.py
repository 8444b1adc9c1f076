"""Does the caller interrupt, or only make a sound ("mm-hmm", a cough, a noise)? Judged while the sound still goes on.

Two of the four layers of Smart Turn's encoder (Whisper tiny's, see `end_of_turn`) hear up to 1.6 s of the newest sound,
and a network of this project with 24 hidden units, trained on what they make of it (bench/interruption.py), judges it.

Measured on voices that were left out of the training one by one (eight of Kokoro's, asked 0.2, 0.3, 0.4, 0.6, 0.8 and
1.2 s after the onset, as long as they spoke): 88 % of the interruptions are found within 0.4 s of their onset, 90 %
within 0.6 s, 91 % within 0.8 s; 4 % of the back-channels are taken for one at some time. With words left out as well as
voices the AUC falls from 0.99 to 0.92, and 2 % of the judgements of back-channels are wrong. No made-up cough or noise
was taken for an interruption. All that is synthetic, but for one person who reads: expect more errors with people, with
back-channels that are not among those of bench/interruption_sounds.py, and in languages other than English.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from lkcook.engines import weights
from lkcook.engines.speech_to_text import SAMPLE_RATE

THRESHOLD = 0.95  # rather a late interruption than an agent that stops for a cough
_WEIGHT = "smart-turn-v3.2"
_POSITIONS = 80  # that the encoder hears, 20 ms each
_HOP = SAMPLE_RATE // 50
_LAYER, _WIDTH = "add_268", 384  # what the second layer gives
_PLACES, _COUNT = "inner.encoder.embed_positions.weight", "val_21"  # which depend on how many positions there are
_LEVEL = SAMPLE_RATE // 100  # samples
_ABOVE_THE_ROOM, _AUDIBLE = 10.0, -50.0  # dB, dBFS
_PAUSE = 30  # levels; what comes after a longer one is another sound
_BEFORE = 3  # levels kept before the onset
_BEGINNING, _END = 15, 10  # positions
_LEAST_VARIANCE = 1e-7  # silence has none
_EXTREME = 6.0  # standard deviations


@dataclass(frozen=True)
class Judged:
    """probability (0 to 1): that the newest sound interrupts. seconds: since its onset, 0 when there is no sound."""

    probability: float = 0.0
    seconds: float = 0.0


class Interruption:
    """Judges one sound at a time, from any thread, in about 20 ms. Loads in 0.3 s. Raises WeightsError."""

    def __init__(self) -> None:
        self._ear, self._turn = Ear(), threading.Lock()
        with (resources.files("lkcook.engines") / "interruption.npz").open("rb") as file:
            self._weights = {name: array.astype(np.float32) for name, array in np.load(file).items()}
        self.judge(np.ones(SAMPLE_RATE, np.float32))

    def judge(self, samples: np.ndarray) -> Judged:
        """float32 mono 16 kHz, best with about 1 s of the room before the sound; any number of samples will do."""
        start = onset(samples)
        if start is None:
            return Judged()
        with self._turn:
            heard = self._ear.features(samples, start)
        return Judged(float(likely(heard, self._weights)), (len(samples) - start) / SAMPLE_RATE)


def onset(samples: np.ndarray) -> int | None:
    """The sample at which the newest sound begins that stands out from the room; None when nothing does."""
    levels = _levels(samples)
    loud = _loud(levels)
    if not len(loud):
        return None
    gaps = np.flatnonzero(np.diff(loud) > _PAUSE)
    first = loud[gaps[-1] + 1] if len(gaps) else loud[0]
    return int(len(samples) % _LEVEL + max(0, first - _BEFORE) * _LEVEL)


def likely(heard: np.ndarray, weights: dict[str, np.ndarray]) -> np.ndarray:
    """Features (…, n) → probability (…): standardised, one hidden layer (ReLU), one logistic unit."""
    known = np.clip((heard - weights["mean"]) / weights["deviation"], -_EXTREME, _EXTREME)
    hidden = np.maximum(known @ weights["hidden"] + weights["hidden_bias"], 0)
    return 1 / (1 + np.exp(-(hidden @ weights["output"] + weights["output_bias"][0])))


class Ear:
    """What is heard of a sound, as numbers."""

    def __init__(self) -> None:
        from faster_whisper.feature_extractor import FeatureExtractor

        self._mel = FeatureExtractor(chunk_length=8)
        self._encoder = _first_layers()

    def features(self, samples: np.ndarray, start: int) -> np.ndarray:
        """float32 (1539,): of the encoder's output the mean, the maximum, the mean of the first 0.3 s and that of the
        last 0.2 s; then the seconds since the onset, those of quiet at the end, and the share that is loud."""
        sound = samples[start:][-_POSITIONS * _HOP :]
        count = min(_POSITIONS, max(2, len(sound) // _HOP))
        encoded = self._encoder.run(None, {"input_features": self._seen(sound)})[0][0, :count]
        pooled = encoded.mean(0), encoded.max(0), encoded[:_BEGINNING].mean(0), encoded[-_END:].mean(0)
        levels = _levels(samples)
        loud = _loud(levels)
        first = loud[loud * _LEVEL + len(samples) % _LEVEL >= start][0]
        since, quiet = len(levels) - first, len(levels) - 1 - loud[-1]
        course = np.array([since / 100, quiet / 100, np.sum(loud >= first) / since])
        return np.concatenate([*pooled, course]).astype(np.float32)

    def _seen(self, sound: np.ndarray) -> np.ndarray:
        """Whisper's mel frames (1, 80, 160) of a sound with mean 0 and variance 1, silence after it."""
        padded = np.zeros(_POSITIONS * _HOP, np.float32)
        padded[: len(sound)] = sound
        padded = (padded - padded.mean()) / np.sqrt(padded.var() + _LEAST_VARIANCE)
        return self._mel(padded, padding=0)[None, :, : 2 * _POSITIONS].astype(np.float32)


def _levels(samples: np.ndarray) -> np.ndarray:
    """dBFS of every 10 ms; what is left over is at the beginning."""
    parts = samples[len(samples) % _LEVEL :].reshape(-1, _LEVEL)
    return 20 * np.log10(np.sqrt(np.mean(parts**2, axis=1)) + 1e-6)


def _loud(levels: np.ndarray) -> np.ndarray:
    """The numbers of those that stand out."""
    room = np.percentile(levels, 10) if len(levels) else 0.0
    return np.flatnonzero(levels > max(room + _ABOVE_THE_ROOM, _AUDIBLE))


def _first_layers() -> Any:
    """ONNX Runtime's session of Smart Turn's encoder: as far as its second layer, and for 1.6 s instead of 8."""
    import onnx
    import onnxruntime
    from onnx import numpy_helper
    from onnx.utils import Extractor

    model = onnx.load(str(weights.fetch(_WEIGHT)))
    for tensor in model.graph.initializer:
        if tensor.name == _PLACES:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor)[:_POSITIONS].copy(), _PLACES))
        elif tensor.name == _COUNT:
            tensor.CopyFrom(numpy_helper.from_array(np.array([_POSITIONS]), _COUNT))
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 2 * _POSITIONS
    output = onnx.helper.make_tensor_value_info(_LAYER, onnx.TensorProto.FLOAT, ["sounds", _POSITIONS, _WIDTH])
    del model.graph.value_info[:]  # the shapes for 8 s
    model.graph.value_info.append(output)
    graph = Extractor(model).extract_model(["input_features"], [_LAYER]).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = 1, 1, 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
