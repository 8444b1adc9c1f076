"""Text to speech on this machine: hibari (8 MB, one fast voice) and Kokoro-82M (many voices), both Apache-2.0.

One sentence at a time: the first sentence of a reply can sound while the next is still being written. hibari's
grapheme-to-phoneme step (US and British English) serves both; Spanish has rules of its own.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from lkcook import pcm
from lkcook.engines import spanish, weights
from lkcook.engines.kokoro import Kokoro
from lkcook.engines.phonemes import parts
from lkcook.engines.prosody import NEUTRAL, Prosody, melody, stretched
from lkcook.engines.voices import DEFAULT, VOICES, Voice

SAMPLE_RATE = 24_000
_AUDIBLE = 100  # of 32768, about -50 dBFS
_BEFORE, _AFTER = SAMPLE_RATE // 50, SAMPLE_RATE // 5  # samples kept: 20 ms, and 0.2 s of pause between sentences
_COUNTLESS = re.compile(r"\d(?:,?\d){36,}")  # hibari knows no word for numbers of more than 36 digits
_LOUDNESS = 0.07  # RMS of every voice where it speaks: Kokoro's speakers differ threefold


class TextToSpeech:
    """Loads the fast voice at once (about 0.4 s), the others when first asked; safe to call from several threads."""

    sample_rate = SAMPLE_RATE

    def __init__(self, *, threads: int = 2) -> None:
        from hibari import Hibari

        self._threads = threads
        self._hibari = Hibari(threads=threads)
        self._british: Any = None
        self._kokoro: Kokoro | None = None
        self._lock = threading.Lock()  # the grapheme-to-phoneme step builds its tables lazily; one load of Kokoro
        self.synthesize("Ready.")

    def load_all_voices(self) -> None:
        """Load now what would else be loaded with the first word of another voice. Raises WeightsError."""
        self.synthesize("Ready.", voice="isabella")

    def stream(
        self, text: str, *, voice: str = DEFAULT, prosody: Prosody = NEUTRAL, seed: int = 0
    ) -> Iterator[np.ndarray]:
        """Yield one int16 mono 24 kHz array per sentence of `text`, each as soon as it is ready.

        The same seed gives the same samples. Raises KeyError for a voice that is not in `VOICES`.
        """
        speaker = VOICES[voice]
        rng = np.random.default_rng(seed)
        for phonemes in self._phonemes(text, speaker):
            ids = self._hibari.ids(phonemes)
            if len(ids) > 2:
                wave = self._speak(ids, speaker, prosody, rng)
                yield closely_cut(pcm.to_int16(leveled(wave) * prosody.volume), prosody.speed)

    def synthesize(
        self, text: str, *, voice: str = DEFAULT, prosody: Prosody = NEUTRAL, seed: int = 0
    ) -> np.ndarray:
        """The whole of `text` as one int16 mono 24 kHz array; empty when nothing is pronounceable."""
        parts = list(self.stream(text, voice=voice, prosody=prosody, seed=seed))
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)

    def _phonemes(self, text: str, speaker: Voice) -> list[str]:
        if speaker.language == "es":
            return spanish.phonemize(text)
        text = _COUNTLESS.sub(lambda number: " ".join(re.findall(r"\d", number[0])), text)
        with self._lock:
            sentences = self._in_british(text) if speaker.british else self._hibari.phonemize(text)
        return [part for sentence in sentences for part in parts(sentence)]

    def _in_british(self, text: str) -> list[str]:
        from hibari.g2p import G2P

        self._british = self._british or G2P(british=True)
        return [self._british(sentence) for sentence in self._hibari.split_sentences(text)]

    def _speak(self, ids: list[int], speaker: Voice, prosody: Prosody, rng: np.random.Generator) -> np.ndarray:
        if speaker.engine == "kokoro":
            return self._loaded_kokoro().speak(ids, speaker.style, prosody)
        from hibari import dsp

        frames = self._predict(ids, 1.0 / speaker.pitch)
        if prosody.speed != 1.0:
            length = round(frames[0].shape[-1] / prosody.speed)
            frames = [stretched(part, length) for part in self._predict(ids, prosody.speed / speaker.pitch)]
        *spectrum, f0 = frames
        return lowered(dsp.synth(*spectrum, melody(f0, prosody), rng), speaker.pitch)

    def _predict(self, ids: list[int], speed: float) -> list[np.ndarray]:
        """hibari's spectrum in five parts (601, n frames of 12.5 ms), and its pitch curve (n,)."""
        inputs = {"ids": np.asarray([ids], np.int64), "speed": np.asarray([speed], np.float32)}
        return [output[0] for output in self._hibari.sess.run(None, inputs)]

    def _loaded_kokoro(self) -> Kokoro:
        with self._lock:
            self._kokoro = self._kokoro or Kokoro(weights.fetch("kokoro-82m"), threads=self._threads)
            return self._kokoro


def leveled(wave: np.ndarray) -> np.ndarray:
    """As loud as every other voice, without clipping."""
    loud = wave[np.abs(wave) > 0.02]
    if not len(loud):
        return wave
    peak, rms = float(np.abs(wave).max()), float(np.sqrt(np.mean(loud**2)))
    return wave * min(_LOUDNESS / rms, 0.98 / peak)


def lowered(wave: np.ndarray, pitch: float) -> np.ndarray:
    """Played slower: `pitch` times as high, and longer by as much.

    Not by pcm.resample: LiveKit's resampler adds another noise (2 of 32768) each time.
    """
    if pitch == 1.0 or not len(wave):
        return wave
    length = round(len(wave) / pitch)
    return np.fft.irfft(np.fft.rfft(wave), length) * (length / len(wave))


def closely_cut(samples: np.ndarray, speed: float = 1.0) -> np.ndarray:
    """Without most of the silence around a sentence: the voices leave 0.3 s before it, and a caller waits for them."""
    audible = np.flatnonzero(np.abs(samples.astype(np.int32)) >= _AUDIBLE)
    if not len(audible):
        return samples
    before, after = round(_BEFORE / speed), round(_AFTER / speed)
    return samples[max(0, audible[0] - before) : audible[-1] + after]
