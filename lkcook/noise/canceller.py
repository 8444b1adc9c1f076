"""A noise canceller on this machine, in the slot where LiveKit Cloud's go: `noise_cancellation=` of a room's options.

A suppressor's core works on pieces of one length at one sample rate. Around it everything else is the same for all of
them: any rate, any length of frames, one or two channels, and a delay that does not change.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from livekit import rtc

from lkcook.noise.core import Core
from lkcook.noise.polyphase import Polyphase, held_back

RAW = "raw"
USUAL_RATE = 24_000  # Hz: of the frames in LiveKit's rooms
_FADE = 0.25  # seconds: WebRTC's high-pass filter rings for 0.2 after loud noise


def added_delay(core: Core | type[Core], rate: int) -> float:
    """Seconds by which sound of `rate` Hz comes later: what must be kept in hand, and the core's own."""
    return held_back(rate, core.rate, core.hop) / rate + core.delay / core.rate


class Canceller(rtc.FrameProcessor[rtc.AudioFrame]):
    """What `lkcook.canceller(name)` gives. For one stream: it remembers what it heard.

        room_options=room_io.RoomOptions(audio_input=room_io.AudioInputOptions(noise_cancellation=canceller))

    A frame of int16 at any rate comes back as long as it was, with sound that is `delay` seconds older; it begins with
    silence. How the sound is cut into frames changes no sample. Of two channels the mean is cleaned, and both get it.
    Each cleaned frame carries the one it took the place of, which is `delay` seconds ahead of it, for a recogniser that
    hears better without help: in an stt_node, `frame.userdata.get("raw", frame)`; the silence that LiveKit puts there
    while the caller shall not be heard has none. enabled=False lets every frame pass as it is. Another sample rate
    begins anew, and so does a frame after the end: a session closes what is in its slot, and the next one may use it.
    """

    def __init__(self, name: str, make: Callable[[], Core]) -> None:
        self.name, self._make = name, make
        self._core, self._closed = make(), False  # loaded now, and not while somebody speaks
        self._enabled, self._begun, self._used, self._rate = True, False, False, USUAL_RATE

    @property
    def delay(self) -> float:
        """Seconds by which the sound comes later, the same for every frame; before the first one, at 24 kHz."""
        return added_delay(self._core, self._rate)

    @property
    def enabled(self) -> bool:
        """Whether it cleans."""
        return self._enabled

    @enabled.setter
    def enabled(self, value: bool) -> None:
        self._begun = self._begun and value  # else what it held back would be heard when it is enabled again
        self._enabled = value

    def clean(self, samples: np.ndarray, rate: int) -> np.ndarray:
        """int16 (n,) or (n, 2) at `rate` Hz → the same shape, `delay` seconds later; the next piece goes on there."""
        if not self._begun or rate != self._rate:
            self._begin(rate)
        mono = samples if samples.ndim == 1 else samples.mean(axis=1).astype(np.int16)
        self._waiting = np.concatenate([self._waiting, self._down.push(mono)])
        whole = len(self._waiting) // self._core.hop * self._core.hop
        hops, self._waiting = self._waiting[:whole].reshape(-1, self._core.hop), self._waiting[whole:]
        cleaned = [np.zeros(0, np.int16), *(self._core.clean(hop) for hop in hops)]
        self._ready = np.concatenate([self._ready, self._up.push(np.concatenate(cleaned))])
        out, self._ready = self._ready[: len(mono)], self._ready[len(mono) :]
        return out if samples.ndim == 1 else np.stack([out] * samples.shape[1], axis=1)

    def _begin(self, rate: int) -> None:
        if self._closed:
            self._core, self._closed, self._used = self._make(), False, False
        if self._used:
            self._fade()
        self._begun, self._used, self._rate = True, True, rate
        self._down, self._up = Polyphase(rate, self._core.rate), Polyphase(self._core.rate, rate)
        held = held_back(rate, self._core.rate, self._core.hop)
        self._waiting, self._ready = np.zeros(0, np.int16), np.zeros(held, np.int16)

    def _fade(self) -> None:
        """Let the core hear silence until it sounds no longer of what was before; what it learnt of the noise stays."""
        for _ in range(round(_FADE * self._core.rate / self._core.hop)):
            self._core.clean(np.zeros(self._core.hop, np.int16))

    def _process(self, frame: rtc.AudioFrame) -> rtc.AudioFrame:
        if not self._enabled or not frame.samples_per_channel:
            return frame
        shape = (frame.samples_per_channel, frame.num_channels)
        samples = np.frombuffer(frame.data, np.int16)[: shape[0] * shape[1]]
        cleaned = self.clean(samples if shape[1] == 1 else samples.reshape(shape), frame.sample_rate)
        data = {**frame.userdata, RAW: frame}
        return rtc.AudioFrame(cleaned.tobytes(), frame.sample_rate, shape[1], shape[0], userdata=data)

    def _close(self) -> None:
        self._core.close()
        self._closed, self._begun = True, False

    def __repr__(self) -> str:
        return f"<noise canceller {self.name}, {1000 * self.delay:.0f} ms at {self._rate / 1000:g} kHz>"
