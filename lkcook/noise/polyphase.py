"""Resampling as a stream whose result does not depend on how it is cut, and which tells how much it holds back.

Not pcm.Resampler: sox adds a dither, lets sound out in lumps, and keeps 39 ms back from 24 to 48 kHz, as many on the
way back. This keeps `reach` samples back (1.3 ms there), lets out all that follows from the rest, and shifts nothing in
time.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, gcd

import numpy as np

_LOBES = 32  # of the sinc on each side, at the lower rate: what passes ends at 0.87 of its Nyquist frequency
_CUTOFF = 0.93  # half of the amplitude there; the Nyquist frequency and all above are 70 dB down
_KAISER = 6.0
_PIECE = 256  # samples computed at once: what that needs stays in the processor's cache


class Polyphase:
    """From `source` to `target` Hz by a windowed sinc; int16 mono. Equal rates let everything pass at once."""

    def __init__(self, source: int, target: int) -> None:
        common = gcd(source, target)
        self.up, self.down = target // common, source // common
        self.reach = 0 if self.up == self.down else ceil(_LOBES * max(1.0, self.down / self.up))
        self._taps = self._filter() if self.reach else None
        self._heard = np.zeros(max(self.reach - 1, 0), np.float32)  # from the oldest on that is still needed
        self._pushed = self._given = 0

    def push(self, samples: np.ndarray) -> np.ndarray:
        """What follows from `samples` and those before."""
        if self._taps is None:
            return samples
        self._heard = np.concatenate([self._heard, samples], dtype=np.float32)
        self._pushed += len(samples)
        first, last = self._given, self.given(self._pushed)
        if first == last:
            return np.zeros(0, np.int16)
        at, phase = np.divmod(np.arange(first, last) * self.down, self.up)
        start = first * self.down // self.up
        windows = np.lib.stride_tricks.sliding_window_view(self._heard, 2 * self.reach)
        pieces = [slice(i, i + _PIECE) for i in range(0, last - first, _PIECE)]
        sound = [np.einsum("ij,ij->i", windows[at[piece] - start], self._taps[phase[piece]]) for piece in pieces]
        self._heard, self._given = self._heard[last * self.down // self.up - start :], last
        return np.clip(np.rint(np.concatenate(sound)), -32768, 32767).astype(np.int16)

    def given(self, pushed: int) -> int:
        """How many samples have come out when `pushed` have gone in."""
        return max(0, -(-(pushed - self.reach) * self.up // self.down))

    def needed(self, given: int) -> int:
        """The fewest samples after which `given` (at least one) have come out."""
        return self.reach + (given - 1) * self.down // self.up + 1

    def _filter(self) -> np.ndarray:
        """(up, 2 reach): one row for each place an output sample can have between two input samples."""
        lower = min(1.0, self.up / self.down) * _CUTOFF
        places = np.arange(self.up)[:, None] / self.up
        distance = np.arange(1 - self.reach, self.reach + 1) - places
        window = np.i0(_KAISER * np.sqrt(np.clip(1 - (distance / self.reach) ** 2, 0, None)))
        taps = np.sinc(lower * distance) * window
        return (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)  # a constant stays what it is


@lru_cache(64)
def held_back(source: int, target: int, hop: int) -> int:
    """Samples at `source` Hz that must be kept in hand where sound goes to `target` Hz, `hop` samples there at a time,
    and back: the most that has been pushed and cannot have come out, however it is cut.

    Most is missing one sample before a hop is whole. Which fraction of a sample then counts repeats after `down` hops.
    """
    there, back = Polyphase(source, target), Polyphase(target, source)
    hops = range(there.down + back.reach // hop + 2)
    return max(there.needed((done + 1) * hop) - 1 - back.given(done * hop) for done in hops)
