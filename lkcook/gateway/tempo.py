"""Faster and slower than a voice can speak: FFmpeg's atempo changes the tempo of sound and keeps its pitch."""

from __future__ import annotations

import av
import av.filter
import numpy as np

from lkcook.engines.text_to_speech import SAMPLE_RATE

_MOST_SLOWLY = 0.5  # of one atempo filter


class Tempo:
    """int16 mono at 24 kHz, piece by piece, at `factor` times the tempo (0.25 or more); a factor of 1 costs nothing."""

    def __init__(self, factor: float) -> None:
        self._graph = _graph(factor) if abs(factor - 1) > 1e-6 else None

    def push(self, samples: np.ndarray) -> np.ndarray:
        """What `samples` let out; a few milliseconds are kept back."""
        if self._graph is None or not len(samples):
            return samples
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        self._graph.push(frame)
        return self._pulled()

    def flush(self) -> np.ndarray:
        """What was kept back. It is spent then."""
        if self._graph is None:
            return np.zeros(0, np.int16)
        self._graph.push(None)
        return self._pulled()

    def _pulled(self) -> np.ndarray:
        assert self._graph is not None
        parts = [np.zeros(0, np.int16)]
        try:
            while True:
                parts.append(self._graph.pull().to_ndarray().reshape(-1))
        except (av.BlockingIOError, av.EOFError):  # it wants more, or has no more
            return np.concatenate(parts)


def _graph(factor: float) -> av.filter.Graph:
    graph = av.filter.Graph()
    factors = [factor] if factor >= _MOST_SLOWLY else [_MOST_SLOWLY, factor / _MOST_SLOWLY]
    filters = [graph.add("atempo", f"{part:.6f}") for part in factors]
    source = graph.add_abuffer(sample_rate=SAMPLE_RATE, format="s16", layout="mono")
    graph.link_nodes(source, *filters, graph.add("aformat", "sample_fmts=s16"), graph.add("abuffersink")).configure()
    return graph
