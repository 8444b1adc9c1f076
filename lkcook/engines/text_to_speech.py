"""Text to speech on this machine: hibari, an 8 MB voice that ships inside its package (Apache-2.0).

One sentence at a time: the first sentence of a reply can sound while the next is still being written.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lkcook import pcm

SAMPLE_RATE = 24_000
_AUDIBLE = 100  # of 32768, about -50 dBFS
_BEFORE, _AFTER = SAMPLE_RATE // 50, SAMPLE_RATE // 5  # samples kept: 20 ms, and 0.2 s of pause between sentences


@dataclass(frozen=True)
class Voice:
    """`pitch` < 1 lowers pitch and formants together: another, larger speaker from the same weights."""

    name: str
    pitch: float = 1.0


VOICES = {voice.name: voice for voice in (Voice("heart"), Voice("caller", pitch=0.82))}


class TextToSpeech:
    """Loads the voice once (about 0.4 s); safe to call from several threads."""

    sample_rate = SAMPLE_RATE

    def __init__(self, *, threads: int = 2) -> None:
        from hibari import Hibari

        self._hibari = Hibari(threads=threads)
        self._lock = threading.Lock()  # the grapheme-to-phoneme step builds its tables lazily
        self.synthesize("Ready.")

    def stream(
        self, text: str, *, voice: str = "heart", speed: float = 1.0, seed: int = 0
    ) -> Iterator[np.ndarray]:
        """Yield one int16 mono 24 kHz array per sentence of `text`, each as soon as it is ready.

        speed: 1.0 is the voice's own pace, 0.5 half, 2.0 double. The same seed gives the same samples.
        Raises KeyError for a voice that is not in `VOICES`.
        """
        pitch = VOICES[voice].pitch
        rng = np.random.default_rng(seed)
        with self._lock:
            sentences = self._hibari.phonemize(text)
        for phonemes in sentences:
            wave = self._hibari.from_ids(self._hibari.ids(phonemes), speed / pitch, rng)
            yield closely_cut(pcm.to_int16(lowered(wave, pitch)))

    def synthesize(
        self, text: str, *, voice: str = "heart", speed: float = 1.0, seed: int = 0
    ) -> np.ndarray:
        """The whole of `text` as one int16 mono 24 kHz array; empty when nothing is pronounceable."""
        parts = list(self.stream(text, voice=voice, speed=speed, seed=seed))
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)


def lowered(wave: np.ndarray, pitch: float) -> np.ndarray:
    """Played slower: `pitch` times as high, and longer by as much.

    Not by pcm.resample: LiveKit's resampler adds another noise (2 of 32768) each time.
    """
    if pitch == 1.0 or not len(wave):
        return wave
    length = round(len(wave) / pitch)
    return np.fft.irfft(np.fft.rfft(wave), length) * (length / len(wave))


def closely_cut(samples: np.ndarray) -> np.ndarray:
    """Without most of the silence around a sentence: the voice leaves 0.3 s before it, and a caller waits for them."""
    audible = np.flatnonzero(np.abs(samples.astype(np.int32)) >= _AUDIBLE)
    if not len(audible):
        return samples
    return samples[max(0, audible[0] - _BEFORE) : audible[-1] + _AFTER]
