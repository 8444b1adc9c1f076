"""How something is said: tempo, pitch and loudness, and the emotions made of them.

Both engines predict a pitch curve before they make sound, so an emotion changes the melody of the very same voice.
It is prosody only: nothing here changes the words or the timbre.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

_VOICED = 40.0  # Hz; what is lower means: no voice here


@dataclass(frozen=True)
class Prosody:
    """Factors; 1.0 is the voice's own way.

    speed: 2.0 takes half as long (0.5 to 2.0). pitch: of the whole melody. pitch_range: how far it rises and falls
    around its middle. volume: of the samples.
    """

    speed: float = 1.0
    pitch: float = 1.0
    pitch_range: float = 1.0
    volume: float = 1.0

    def faster(self, factor: float) -> Prosody:
        """The same at `factor` times the tempo, within what a voice can do."""
        return replace(self, speed=min(max(self.speed * factor, 0.5), 2.0))

    def louder(self, factor: float) -> Prosody:
        """The same at `factor` times the volume."""
        return replace(self, volume=self.volume * factor)


NEUTRAL = Prosody()
_FAMILIES = {
    Prosody(): "neutral",
    Prosody(pitch=1.10, pitch_range=1.7): "cheerful happy content enthusiastic friendly curious flirtatious amazed",
    Prosody(speed=1.08, pitch=1.16, pitch_range=2.0): "excited elated euphoric triumphant surprised scared panicked",
    Prosody(speed=1.06, pitch=1.04, pitch_range=1.5, volume=1.3): "angry mad outraged frustrated agitated threatened",
    Prosody(speed=0.92, pitch=0.97, pitch_range=0.7): "calm serene peaceful grateful trust sympathetic contemplative",
    Prosody(speed=0.86, pitch=0.92, pitch_range=0.45): "sad dejected melancholic disappointed hurt tired bored resigned",
}
EMOTIONS: dict[str, Prosody] = {name: prosody for prosody, names in _FAMILIES.items() for name in names.split()}
"""Cartesia's words for emotions (docs.cartesia.ai, "Volume, speed and emotion"), and what they do here."""


def melody(f0: np.ndarray, prosody: Prosody) -> np.ndarray:
    """The pitch curve `f0` (Hz, any frame rate; below 40 Hz: unvoiced) as `prosody` wants it; the shape stays."""
    voiced = f0 > _VOICED
    if not voiced.any() or (prosody.pitch == 1.0 and prosody.pitch_range == 1.0):
        return f0
    middle = np.median(f0[voiced])
    bent = middle * prosody.pitch * (np.maximum(f0, _VOICED) / middle) ** prosody.pitch_range
    return np.where(voiced, np.clip(bent, 60.0, 500.0), f0).astype(f0.dtype)


def stretched(frames: np.ndarray, length: int) -> np.ndarray:
    """The last axis brought to `length`: phonemes are rounded to whole frames, which misses a tempo by up to a tenth."""
    nearest = np.minimum((np.arange(length) + 0.5) * (frames.shape[-1] / length), frames.shape[-1] - 1)
    return np.ascontiguousarray(frames[..., nearest.astype(int)])
