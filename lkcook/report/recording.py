"""What was really heard: every block the caller handed out and the listener played, on one clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from lkcook.audio.clip import Clip
from lkcook.audio.line import AUDIBLE  # one measure for the caller's last syllable and the agent's first sound
from lkcook.pcm import resample

RATE = 24_000
JITTER = 0.04  # seconds a block may be early or late before that counts as a gap


@dataclass
class Track:
    """One side of the call: blocks of int16 mono samples at `rate` Hz, each with its wall-clock time."""

    rate: int = 0
    blocks: list[tuple[float, np.ndarray]] = field(default_factory=list)
    _peak: int = 0

    def add(self, samples: np.ndarray, rate: int, at: float) -> None:
        """Append a block whose first sample sounded at `at` (time.time())."""
        self.rate = self.rate or rate
        self.blocks.append((at, resample(np.array(samples, np.int16), rate, self.rate)))
        self._peak = max(self._peak, _loudest(samples))

    def peak(self) -> float:
        """The loudest sample since this was last asked, 0 to 1."""
        peak, self._peak = self._peak, 0
        return peak / 32768

    def first_sound(self, after: float, before: float) -> float | None:
        """The time of the first audible sample in a window of time.time(), None if it is silent."""
        return next(self._sounds(after, before), None)

    def last_sound(self, after: float, before: float) -> float | None:
        """The time of the last audible sample in a window of time.time(), None if it is silent."""
        return max(self._sounds(after, before), default=None)

    def _sounds(self, after: float, before: float) -> Iterator[float]:
        """First and last audible sample of every block that begins in the window."""
        for at, samples in self.blocks:
            if after <= at < before and len(audible := np.flatnonzero(_audible(samples))):
                yield at + audible[0] / self.rate
                yield at + audible[-1] / self.rate

    def laid_out(self, origin: float) -> np.ndarray:
        """The whole side from `origin` on, at RATE; jitter of the clock is smoothed, gaps are silent."""
        if not self.blocks:
            return np.zeros(0, np.int16)
        pieces, cursor = [], 0
        for at, samples in self.blocks:
            start = round((at - origin) * self.rate)
            late = start - cursor
            if late < -JITTER * self.rate and not _audible(samples).any():
                continue  # time lost in a stall is won back in silence
            if late > JITTER * self.rate:
                pieces.append(np.zeros(late, np.int16))
                cursor += late
            pieces.append(samples)
            cursor += len(samples)
        return resample(np.concatenate(pieces), self.rate, RATE)


class Recorder:
    """Two tracks of a running call; set `caller.add` and `agent.add` behind the taps."""

    def __init__(self) -> None:
        self.caller = Track()
        self.agent = Track()
        self.agent_heard_at = 0.0

    def hear_caller(self, samples: np.ndarray, rate: int, at: float) -> None:
        """The caller's tap."""
        self.caller.add(samples, rate, at)

    def hear_agent(self, samples: np.ndarray, rate: int, at: float) -> None:
        """The listener's tap."""
        self.agent.add(samples, rate, at)
        if _audible(samples).any():
            self.agent_heard_at = at + len(samples) / rate

    def levels(self) -> tuple[float, float]:
        """(caller, agent): the loudest sample of each since this was last asked, 0 to 1."""
        return self.caller.peak(), self.agent.peak()

    @property
    def agent_heard(self) -> bool:
        """True when any sound of the agent was played."""
        return self.agent_heard_at > 0

    def clip(self, origin: float) -> Clip:
        """Both sides from `origin` (time.time()): int16 (n, 2) at 24 kHz, left the caller, right the agent."""
        sides = [track.laid_out(origin) for track in (self.caller, self.agent)]
        both = np.zeros((max(map(len, sides)), 2), np.int16)
        for channel, side in enumerate(sides):
            both[: len(side), channel] = side
        return Clip(both, RATE)


def _audible(samples: np.ndarray) -> np.ndarray:
    return np.abs(samples.astype(np.int32)) >= AUDIBLE

def _loudest(samples: np.ndarray) -> int:
    return int(np.abs(samples.astype(np.int32)).max(initial=0))
