"""The room of a call: what its listener plays comes back later, with the room's answer, into its caller's blocks."""

from __future__ import annotations

import numpy as np
from livekit import rtc

from lkcook import pcm
from lkcook.audio.echo import RATE, Room
from lkcook.audio.frames import Block
from lkcook.noise.acoustics import Acoustics

LATE = 0.05  # seconds after which it is certain what was played; the rest of the echo's delay comes on top
JITTER = 0.025  # seconds that a block may be told early or late before that counts as a gap
HELD = 0.011  # seconds that the microphone keeps back: less than a step, and what resampling takes
_STEP = RATE // 100  # WebRTC works on 10 ms


class Air:
    """Between the loudspeaker and the microphone of one call; set as `air` of its caller and of its listener.

    echo_canceller: WebRTC's, as lkcook's real microphone has it, between the simulated microphone and the agent.
    """

    def __init__(self, acoustics: Acoustics, *, echo_canceller: bool = True) -> None:
        self._played, self._path, self._room = _Timeline(), acoustics.path(early=LATE), Room()
        self._room.enabled = echo_canceller
        self._room.set_delay("output", acoustics.delay - LATE)
        self._speaker_rate = self._rate = 0

    def played(self, samples: np.ndarray, rate: int, at: float) -> None:
        """A block of the listener, silence too: int16 mono at `rate` Hz that begins to sound at `at` (time.time())."""
        if rate != self._speaker_rate:
            self._speaker_rate, self._from_speaker = rate, _quick(rate, RATE)
        self._played.write(self._from_speaker.push(samples), at)

    def picked_up(self, samples: np.ndarray, rate: int, at: float) -> Block:
        """A block of the caller → as long a block of what the microphone delivers; its sound is 11 ms older."""
        if rate != self._rate:
            self._rate, self._up, self._down = rate, _quick(rate, RATE), _quick(RATE, rate)
            self._waiting, self._ready = np.zeros(0, np.int16), np.zeros(round(HELD * rate), np.int16)
        waiting = np.concatenate([self._waiting, self._up.push(samples)])
        whole = len(waiting) // _STEP * _STEP
        steps, self._waiting = waiting[:whole].reshape(-1, _STEP), waiting[whole:]
        heard = [self._heard(step, at + i * _STEP / RATE) for i, step in enumerate(steps)]
        ready = np.concatenate([self._ready, *map(self._down.push, heard)])
        self._ready = ready[len(samples) :]
        return ready[: len(samples)], rate, at - HELD

    def _heard(self, said: np.ndarray, at: float) -> np.ndarray:
        played = self._played.read(_STEP, at - LATE)
        self._room.played(played)
        return self._room.cleaned(self._path.picked_up(played, said))


def _quick(source: int, target: int) -> pcm.Resampler:
    """Cubic interpolation: it keeps back 0.1 ms, where better resamplers keep 40. There and back, the error is 64 dB down."""
    return pcm.Resampler(source, target, rtc.AudioResamplerQuality.QUICK)


class _Timeline:
    """Samples by their time: both sides tell theirs with jitter, and neither is torn as long as it is small."""

    def __init__(self) -> None:
        self._samples = np.zeros(0, np.int16)
        self._start = 0  # in samples since the epoch

    def write(self, samples: np.ndarray, at: float) -> None:
        """Append; silence goes before it where its time is clearly later than the end."""
        late = round(at * RATE) - self._start - len(self._samples)
        if late > JITTER * RATE:
            self._pad(late)
        self._samples = np.concatenate([self._samples, samples])

    def read(self, count: int, at: float) -> np.ndarray:
        """Take the next `count`, those of `at` unless it is near enough. What was not written by now was silence."""
        ahead = round(at * RATE) - self._start
        if ahead > JITTER * RATE:
            self._drop(ahead)
        elif ahead < -JITTER * RATE and len(self._samples):
            self._samples = np.concatenate([np.zeros(-ahead, np.int16), self._samples])
            self._start += ahead
        self._pad(count - len(self._samples))
        taken = self._samples[:count]
        self._drop(count)
        return taken

    def _pad(self, count: int) -> None:
        if not len(self._samples) and count > RATE:  # the first block of all, or after a long stall
            self._start += count
        elif count > 0:
            self._samples = np.concatenate([self._samples, np.zeros(count, np.int16)])

    def _drop(self, count: int) -> None:
        self._samples = self._samples[count:]
        self._start += count
