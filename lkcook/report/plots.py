"""Pictures of sound: words over the waveform, and melodies one above the other.

Drawn with matplotlib, on no background and in colours that read in light and dark themes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lkcook.audio.clip import Clip
from lkcook.report.answers import Spoken, TimedWord
from lkcook.report.pitch import pitch

_INK = "#888888"
_COLOURS = ("#1f8fd6", "#e0702a", "#2ca25f", "#b35fc0", "#c9a227", "#d6455d")
_INCH = 100  # dots


class Plot:
    """A picture; a PNG in a notebook, its description elsewhere. `png` holds the bytes."""

    def __init__(self, description: str, height: float, draw: Callable[[Any], None]) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.description = description
        figure = Figure(figsize=(9, height), dpi=_INCH, layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        axes.tick_params(colors=_INK)
        for part in (axes.xaxis.label, axes.yaxis.label, axes.title):
            part.set_color(_INK)
        for edge in axes.spines.values():
            edge.set_color(_INK)
        out = io.BytesIO()
        FigureCanvasAgg(figure)
        figure.savefig(out, format="png", transparent=True)
        self.png = out.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png

    def __repr__(self) -> str:
        return self.description


def plot_words(sound: Clip | Spoken, words: Sequence[TimedWord]) -> Plot:
    """The waveform of `sound`, and over it where each of `words` begins and ends."""
    clip = sound.clip if isinstance(sound, Spoken) else sound
    samples = clip.mono(clip.sample_rate) / 32768

    def draw(axes: Any) -> None:
        axes.plot(np.arange(len(samples)) / clip.sample_rate, samples, color=_COLOURS[0], linewidth=0.5)
        top = float(np.abs(samples).max()) or 1.0
        for i, word in enumerate(words):
            axes.axvspan(word.start, word.end, color=_COLOURS[1], alpha=0.25 if i % 2 else 0.12, linewidth=0)
            height = top * (1.25 if i % 2 else 1.08)
            axes.text((word.start + word.end) / 2, height, word.text, color=_INK, ha="center", fontsize=9)
        axes.set(xlabel="seconds", yticks=[], ylim=(-1.1 * top, 1.5 * top), xlim=(0, clip.duration))

    return Plot(" ".join(f"{word.text}[{word.start:.2f}-{word.end:.2f}]" for word in words), 2.4, draw)


def plot_pitch(sounds: Mapping[str, Clip | Spoken]) -> Plot:
    """The melody of each of `sounds`, by label: pitch in hertz over seconds."""
    clips = {label: sound.clip if isinstance(sound, Spoken) else sound for label, sound in sounds.items()}

    def draw(axes: Any) -> None:
        for (label, clip), colour in zip(clips.items(), _COLOURS * len(clips)):
            axes.plot(*pitch(clip), ".", color=colour, markersize=3, label=label)
        axes.set(xlabel="seconds", ylabel="Hz")
        legend = axes.legend(frameon=False, labelcolor=_INK, markerscale=3)
        legend.set_loc("upper right")

    return Plot(f"Pitch over time: {', '.join(clips)}", 3.0, draw)
