"""Kokoro-82M (hexgrad, Apache-2.0), int8, on ONNX Runtime: many voices, about 4 times real time on two cores.

The published graph goes from phonemes to sound in one step. It is cut in two where the pitch curve passes from the
prosody predictor to the decoder, so that the melody can be changed; uncut it gives the very same samples.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from lkcook.engines.prosody import Prosody, melody, stretched

_CONTENT, _F0, _NOISE = "/encoder/MatMul_1_output_0", "/encoder/Reshape_output_0", "/encoder/Reshape_1_output_0"
_FLOAT = 1  # onnx.TensorProto.FLOAT


class Kokoro:
    """Loads the weights (about 0.7 s). `speak` is safe to call from several threads."""

    def __init__(self, path: Path, *, threads: int = 2) -> None:
        self._predictor, self._decoder = (_session(part, threads) for part in _cut(path))

    def speak(self, ids: list[int], style: str, prosody: Prosody) -> np.ndarray:
        """float32 mono at 24 kHz. ids: up to 510 of Kokoro's alphabet between two 0s; style: a file's name."""
        row = _styles(style)[len(ids) - 2]
        content, f0, noise = self._predict(ids, row, 1.0)
        if prosody.speed != 1.0:
            frames = round(content.shape[-1] / prosody.speed)
            content, f0, noise = self._predict(ids, row, prosody.speed)
            content, f0, noise = stretched(content, frames), stretched(f0, 2 * frames), stretched(noise, 2 * frames)
        bent = melody(f0, prosody)
        return self._decoder.run(None, {_CONTENT: content, _F0: bent, _NOISE: noise, "style": row})[0].reshape(-1)

    def _predict(self, ids: list[int], row: np.ndarray, speed: float) -> list[np.ndarray]:
        """What is said when (1, 512, n frames of 25 ms), its pitch and its noise (1, 2n)."""
        inputs = {"tokens": np.asarray([ids], np.int64), "style": row, "speed": np.asarray([speed], np.float32)}
        return self._predictor.run(None, inputs)


def _cut(path: Path) -> tuple[bytes, bytes]:
    """The graph before and after the pitch curve."""
    import onnx
    from onnx.utils import Extractor

    model = onnx.load(str(path))
    for name, shape in ((_CONTENT, [1, 512, "frames"]), (_F0, [1, "halves"]), (_NOISE, [1, "halves"])):
        model.graph.value_info.append(onnx.helper.make_tensor_value_info(name, _FLOAT, shape))
    extractor = Extractor(model)
    predictor = extractor.extract_model(["tokens", "style", "speed"], [_CONTENT, _F0, _NOISE])
    decoder = extractor.extract_model([_CONTENT, _F0, _NOISE, "style"], ["audio"])
    return predictor.SerializeToString(), decoder.SerializeToString()


def _session(graph: bytes, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


@cache
def _styles(name: str) -> np.ndarray:
    """A voice: float32 (510, 1, 256), one row for each number of phonemes."""
    data = (resources.files("lkcook.engines") / "kokoro_styles" / f"{name}.bin").read_bytes()
    return np.frombuffer(data, "<f4").reshape(-1, 1, 256)
