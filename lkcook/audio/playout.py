"""What the agent has said and nobody has heard yet: filled by LiveKit, emptied by a sound card or a clock."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

import numpy as np


@dataclass
class _Segment:
    """One utterance of the agent, as LiveKit delimits it by flush()."""

    chunks: deque[np.ndarray] = field(default_factory=deque)
    played: int = 0  # samples
    complete: bool = False
    sounding: bool = True  # until it runs dry, and again once enough is there

    def enough(self, cushion: int) -> bool:
        """So many samples are there, or all there will be."""
        return self.complete or sum(map(len, self.chunks)) >= cushion


@dataclass(frozen=True)
class Block:
    """What one read took: `samples` always has the length asked for; the first `heard` of them are the agent's.

    events, in order: None for a segment whose first sample is in this block, and for a segment that ended the
    number of its samples that were played.
    """

    samples: np.ndarray
    heard: int
    events: tuple[int | None, ...]


class Playout:
    """A thread-safe queue of int16 mono samples in segments. Sample counts, no clock, no device.

    cushion: samples that are there before a segment that ran dry goes on. A duplex model's voice comes at the pace of the
    clock: without a cushion each frame that is a little late would be a gap in a word. What comes faster never waits.
    """

    def __init__(self, cushion: int = 0) -> None:
        self._cushion = cushion
        self._segments: deque[_Segment] = deque()
        self._lock = threading.Lock()
        self._paused = False
        self._dropping = False

    def write(self, samples: np.ndarray) -> None:
        """Append to the open segment, opening one if need be (`samples` may be empty)."""
        with self._lock:
            if self._dropping:
                return  # the rest of an utterance that was cut off
            if not self._segments or self._segments[-1].complete:
                self._segments.append(_Segment())
            if len(samples):
                self._segments[-1].chunks.append(samples)

    def complete(self) -> None:
        """The open segment is whole: when its last sample was read it is finished."""
        with self._lock:
            self._dropping = False
            if self._segments:
                self._segments[-1].complete = True

    def clear(self) -> list[int]:
        """Forget everything unheard; returns the samples played of each segment that this cuts off."""
        with self._lock:
            if self._segments:  # else a second clear(): what the first one cut off is dropped until it is complete
                self._dropping = not self._segments[-1].complete
            cut = [segment.played for segment in self._segments]
            self._segments.clear()
            self._paused = False
            return cut

    def waiting(self) -> int:
        """Samples that are written and not yet read."""
        with self._lock:
            return sum(len(chunk) for segment in self._segments for chunk in segment.chunks)

    def pause(self) -> None:
        """Reads give silence until resume()."""
        with self._lock:
            self._paused = True

    def resume(self) -> None:
        """Go on where pause() stopped."""
        with self._lock:
            self._paused = False

    def read(self, count: int) -> Block:
        """Take `count` samples, silence where there are none. Never blocks for long: safe in a callback."""
        out = np.zeros(count, np.int16)
        heard = 0
        events: list[int | None] = []
        with self._lock:
            while not self._paused and self._segments:
                segment = self._segments[0]
                segment.sounding = segment.sounding or segment.enough(self._cushion)
                if not segment.sounding:
                    break
                if heard < count and segment.chunks:
                    if segment.played == 0:
                        events.append(None)
                    heard += self._take(segment, out[heard:])
                elif segment.complete and not segment.chunks:
                    events.append(segment.played)
                    self._segments.popleft()
                else:
                    segment.sounding = heard == count
                    break
        return Block(out, heard, tuple(events))

    @staticmethod
    def _take(segment: _Segment, room: np.ndarray) -> int:
        chunk = segment.chunks.popleft()
        taken = min(len(chunk), len(room))
        room[:taken] = chunk[:taken]
        if taken < len(chunk):
            segment.chunks.appendleft(chunk[taken:])
        segment.played += taken
        return taken
