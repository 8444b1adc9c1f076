"""What was really heard: every block the caller handed out and the listener played, on one clock."""

from __future__ import annotations

import numpy as np

from lkcook.audio.clip import Clip
from lkcook.audio.line import AUDIBLE  # one measure for the caller's last syllable and the agent's first sound
from lkcook.pcm import resample

RATE = 24_000
JITTER = 0.04  # seconds a block may be early or late before that counts as a gap


class Sounds:
    """When a side was audible, block by block: what is asked of a voice in a noise that is known."""

    def __init__(self) -> None:
        self._spans: list[tuple[float, float, float]] = []  # time.time() of the block, its first and last sound

    def add(self, samples: np.ndarray, rate: int, at: float) -> None:
        """A block whose first sample sounded at `at` (time.time()); the samples are not kept."""
        if len(audible := np.flatnonzero(_audible(samples))):
            self._spans.append((at, at + audible[0] / rate, at + audible[-1] / rate))

    def first_sound(self, after: float, before: float) -> float | None:
        """The time of the first audible sample in a window of time.time(), None if it is silent."""
        return next((first for at, first, _ in self._spans if after <= at < before), None)

    def last_sound(self, after: float, before: float) -> float | None:
        """The time of the last audible sample in a window of time.time(), None if it is silent."""
        return max((last for at, _, last in self._spans if after <= at < before), default=None)


class Track(Sounds):
    """One side of the call: blocks of int16 mono samples at `rate` Hz, each with its wall-clock time."""

    def __init__(self) -> None:
        super().__init__()
        self.rate = 0
        self.blocks: list[tuple[float, np.ndarray]] = []
        self._peak = 0

    def add(self, samples: np.ndarray, rate: int, at: float) -> None:
        """Append a block whose first sample sounded at `at` (time.time())."""
        super().add(samples, rate, at)
        self.rate = self.rate or rate
        self.blocks.append((at, resample(np.array(samples, np.int16), rate, self.rate)))
        self._peak = max(self._peak, _loudest(samples))

    def peak(self) -> float:
        """The loudest sample since this was last asked, 0 to 1."""
        peak, self._peak = self._peak, 0
        return peak / 32768

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
    """Three tracks of a running call. caller: what the microphone had; cleaned: what of it the agent heard, after noise
    cancellation; agent. voice: when the caller spoke, whatever noise was mixed in.
    """

    def __init__(self) -> None:
        self.caller = Track()
        self.cleaned = Track()
        self.agent = Track()
        self.voice = Sounds()
        self.agent_heard_at = 0.0

    def hear_caller(self, samples: np.ndarray, rate: int, at: float) -> None:
        """The caller's tap."""
        self.caller.add(samples, rate, at)

    def hear_cleaned(self, samples: np.ndarray, rate: int, at: float) -> None:
        """The caller's tap behind noise cancellation."""
        self.cleaned.add(samples, rate, at)

    def hear_agent(self, samples: np.ndarray, rate: int, at: float) -> None:
        """The listener's tap."""
        self.agent.add(samples, rate, at)
        if _audible(samples).any():
            self.agent_heard_at = at + len(samples) / rate

    def levels(self) -> tuple[float, float, float]:
        """(caller, caller after noise cancellation, agent): the loudest sample of each since this was last asked, 0 to 1."""
        return self.caller.peak(), self.cleaned.peak(), self.agent.peak()

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

    def cleaned_clip(self, origin: float) -> Clip:
        """What the agent heard of the caller from `origin` on: int16 (n,) at 24 kHz."""
        return Clip(self.cleaned.laid_out(origin), RATE)


def _audible(samples: np.ndarray) -> np.ndarray:
    return np.abs(samples.astype(np.int32)) >= AUDIBLE

def _loudest(samples: np.ndarray) -> int:
    return int(np.abs(samples.astype(np.int32)).max(initial=0))
