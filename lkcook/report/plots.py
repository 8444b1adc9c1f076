"""Pictures of sound: words over the waveform, and melodies one above the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lkcook.audio.clip import Clip
from lkcook.report.answers import Spoken, TimedWord
from lkcook.report.picture import COLOURS, INK, Plot, on_axes
from lkcook.report.pitch import pitch


def plot_words(sound: Clip | Spoken, words: Sequence[TimedWord]) -> Plot:
    """The waveform of `sound`, and over it where each of `words` begins and ends."""
    clip = sound.clip if isinstance(sound, Spoken) else sound
    samples = clip.mono(clip.sample_rate) / 32768

    def draw(axes: Any) -> None:
        axes.plot(np.arange(len(samples)) / clip.sample_rate, samples, color=COLOURS[0], linewidth=0.5)
        top = float(np.abs(samples).max()) or 1.0
        for i, word in enumerate(words):
            axes.axvspan(word.start, word.end, color=COLOURS[1], alpha=0.25 if i % 2 else 0.12, linewidth=0)
            height = top * (1.25 if i % 2 else 1.08)
            middle = (word.start + word.end) / 2
            axes.text(middle, height, word.text, color=INK, ha="center", fontsize=9, parse_math=False)
        axes.set(xlabel="seconds", yticks=[], ylim=(-1.1 * top, 1.5 * top), xlim=(0, clip.duration))

    return Plot(" ".join(f"{word.text}[{word.start:.2f}-{word.end:.2f}]" for word in words), 2.4, on_axes(draw))


def plot_pitch(sounds: Mapping[str, Clip | Spoken]) -> Plot:
    """The melody of each of `sounds`, by label: pitch in hertz over seconds."""
    clips = {label: sound.clip if isinstance(sound, Spoken) else sound for label, sound in sounds.items()}

    def draw(axes: Any) -> None:
        for (label, clip), colour in zip(clips.items(), COLOURS * len(clips)):
            axes.plot(*pitch(clip), ".", color=colour, markersize=3, label=label)
        axes.set(xlabel="seconds", ylabel="Hz")
        legend = axes.legend(frameon=False, labelcolor=INK, markerscale=3)
        legend.set_loc("upper right")

    return Plot(f"Pitch over time: {', '.join(clips)}", 3.0, on_axes(draw))
