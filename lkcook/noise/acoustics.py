"""A loudspeaker and a microphone in one room, simulated: what the microphone picks up of what the loudspeaker plays.

The path is that of every acoustic echo canceller's textbook: buffers and air delay the sound, a small loudspeaker
distorts it, the room answers with reverberation, and the microphone adds its own noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from lkcook.errors import CookError

RATE = 48_000
LEAST_DELAY = 0.06  # seconds
MOST_DISTORTION = 0.1  # with more of it the loudspeaker's curve would turn back
_SEED = 11  # every room of the same numbers is the same room


@dataclass(frozen=True)
class Acoustics:
    """A loudspeaker, a microphone, and the room between them.

    echo_level: dB, the echo at the microphone against what was played (RMS, measured with white noise). The caller's
        own voice arrives as it is, so that this sets the signal-to-echo ratio; the synthetic part of Microsoft's AEC
        Challenge (Sridhar et al., ICASSP 2021) takes from -10 to 10 dB of that.
    delay: seconds from the played sample to its direct sound, almost all of it in the buffers of sound cards and of the
        operating system (the air takes 3 ms for a metre); at least 0.06. PulseAudio's virtual devices took 0.12.
    reverberation: RT60, seconds in which the room's answer falls by 60 dB: noise that decays exponentially (Polack,
        1988). Furnished rooms have 0.3 to 0.6; 0 is an echo without a room.
    direct: dB, the direct sound against all reverberation. An assumption, as a laptop's microphone is near its speaker.
    distortion: third harmonic of a full-scale sine at the loudspeaker, as a share of the fundamental, 0 to 0.1.
    noise_level: dB of full scale, the microphone's own white noise. An assumption.

    Raises CookError for a delay or a distortion out of range.
    """

    name: str = "a room"
    echo_level: float = -6.0
    delay: float = 0.12
    reverberation: float = 0.3
    direct: float = 6.0
    distortion: float = 0.0
    noise_level: float = -70.0

    def __post_init__(self) -> None:
        if self.delay < LEAST_DELAY:
            raise CookError(f"An echo after {self.delay:g} s is not simulated.", f"Give at least {LEAST_DELAY:g} s.")
        if not 0 <= self.distortion <= MOST_DISTORTION:
            raise CookError(f"distortion={self.distortion:g} is out of range.", f"Give 0 to {MOST_DISTORTION:g}.")

    @classmethod
    def laptop(cls) -> Acoustics:
        """A laptop at moderate volume: the agent is 6 dB softer in the microphone than it was played."""
        return cls("laptop")

    @classmethod
    def loudspeaker(cls) -> Acoustics:
        """A loudspeaker at full volume in a livelier room: the agent is 3 dB louder, with 3 % distortion."""
        return cls("loudspeaker", echo_level=3.0, delay=0.18, reverberation=0.45, direct=0.0, distortion=0.03)

    @classmethod
    def headphones(cls) -> Acoustics:
        """Headphones leak: -50 dB. 3GPP TS 26.132 (8.7.1) asks a telephone for an echo loss of 46 dB."""
        return cls("headphones", echo_level=-50.0, reverberation=0.0)

    @cached_property
    def impulse_response(self) -> np.ndarray:
        """float (n,) at 48 kHz from the direct sound on, of energy 1: level and delay come on top of it."""
        count = round(self.reverberation * RATE)
        if not count:
            return np.ones(1)
        decay = 10.0 ** (-3.0 * np.arange(1, count + 1) / count)  # 60 dB of amplitude
        tail = np.random.default_rng(_SEED).standard_normal(count) * decay
        tail *= 10 ** (-self.direct / 20) / np.sqrt(np.sum(tail**2))
        response = np.concatenate([[1.0], tail])
        return response / np.sqrt(np.sum(response**2))

    def spectrum(self, size: int) -> np.ndarray:
        """The impulse response's Fourier transform of `size` points."""
        return _spectrum(self, size)

    def path(self, *, early: float = 0.0) -> EchoPath:
        """The way of one stream through this room. early: seconds that it comes sooner than `delay`."""
        return EchoPath(self, round((self.delay - early) * RATE))


@lru_cache(maxsize=8)
def _spectrum(acoustics: Acoustics, size: int) -> np.ndarray:
    return np.fft.rfft(acoustics.impulse_response, size)


class EchoPath:
    """Turns what is played into what the microphone hears of it, piece by piece; the pieces' lengths do not matter."""

    def __init__(self, acoustics: Acoustics, delay: int) -> None:
        self._acoustics = acoustics
        self._late = np.zeros(delay)
        self._tail = np.zeros(len(acoustics.impulse_response) - 1)
        self._noise = np.random.default_rng(_SEED)

    def picked_up(self, played: np.ndarray, said: np.ndarray) -> np.ndarray:
        """int16 (n,) at 48 kHz that is played, and that the caller says at that time → what the microphone delivers."""
        echo = 10 ** (self._acoustics.echo_level / 20) * self._reverberated(self._distorted(played / 32768))
        hiss = 10 ** (self._acoustics.noise_level / 20) * self._noise.standard_normal(len(played))
        late = np.concatenate([self._late, echo])
        echo, self._late = late[: len(played)], late[len(played) :]
        return np.rint(32768 * (echo + hiss) + said).clip(-32768, 32767).astype(np.int16)

    def _distorted(self, samples: np.ndarray) -> np.ndarray:
        share = self._acoustics.distortion
        return samples - 4 * share / (1 + 3 * share) * samples**3

    def _reverberated(self, samples: np.ndarray) -> np.ndarray:
        """Overlap and add: what of the room's answer comes after these samples waits in the tail."""
        whole = len(samples) + len(self._tail)
        size = 1 << (whole - 1).bit_length()
        answer = np.fft.irfft(np.fft.rfft(samples, size) * self._acoustics.spectrum(size), size)[:whole]
        answer[: len(self._tail)] += self._tail
        self._tail = answer[len(samples) :]
        return answer[: len(samples)]
