"""Pictures of a noise study: what came out of each canceller, and how a metric compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.signal import spectrogram

from lkcook.audio.clip import Clip
from lkcook.report.noise_metrics import Metric
from lkcook.report.picture import COLOURS, INK, Plot, inked, on_axes

_ROW = 0.95  # inches
_WINDOW = 0.025  # seconds
_QUIET, _LOUD = -110, -45  # dB of the spectrogram's colours
_HIGHEST = 8000  # Hz
_GROUP = 0.84  # of the distance between two groups of bars
_ABOVE_LEGEND = 28  # points between the axes and the title
_HATCHES = ("", "//", "..", "\\\\", "xx", "--")  # so that colour is not all that tells bars apart


def sounds(clips: Mapping[str, Clip], title: str) -> Plot:
    """A row for each clip, all as long: waveform and spectrogram."""
    top = max(float(np.abs(clip.samples.astype(float)).max(initial=1.0)) for clip in clips.values()) / 32768

    def paint(figure: Any) -> None:
        figure.suptitle(title, color=INK, fontsize=10)
        every = figure.subplots(len(clips), 2, sharex=True, squeeze=False)
        for (wave, picture), (label, clip) in zip(every, clips.items()):
            _wave(wave, label, clip, top)
            _spectrogram(picture, clip)
        every[0][0].set_title("waveform", fontsize=9)
        every[0][1].set_title(f"spectrogram, 0 to {_HIGHEST // 1000} kHz", fontsize=9)
        for axes in every.flat:
            inked(axes)
        for axes in every[-1]:
            axes.set_xlabel("seconds")

    told = f"{title}: waveforms and spectrograms of {', '.join(clips)}"
    return Plot(told, 0.9 + _ROW * len(clips), paint)


def bars(metric: Metric, noises: Sequence[str], values: Mapping[str, Sequence[float | None]]) -> Plot:
    """A group of bars for each noise, one for each canceller; the first, without one, is grey."""
    title, form = metric.title, metric.form

    def draw(axes: Any) -> None:
        width = _GROUP / len(values)
        looks = [(INK, ""), *zip(COLOURS * len(values), _HATCHES * len(values))]
        for i, ((who, row), (colour, hatch)) in enumerate(zip(values.items(), looks)):
            places = np.arange(len(noises)) + (i - (len(values) - 1) / 2) * width
            heights = [0.0 if value is None else value for value in row]
            look = {"color": colour, "hatch": hatch, "edgecolor": "white", "linewidth": 0}
            axes.bar(places, heights, 0.88 * width, label=who, **look)
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.set_xticks(np.arange(len(noises)), noises)
        axes.set_ylabel(title)
        if "%" in form:
            axes.yaxis.set_major_formatter(lambda value, place: f"{value:.0%}")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=min(6, len(values)), frameon=False, labelcolor=INK)
        axes.set_title(metric.headline, loc="left", color=INK, fontsize=10, pad=_ABOVE_LEGEND)

    told = [f"{who}: {', '.join(_told(form, noises, row))}" for who, row in values.items()]
    return Plot("\n".join([title, *told]), 3.7, on_axes(draw))


def _told(form: str, noises: Sequence[str], row: Sequence[float | None]) -> list[str]:
    return [f"{noise} {'–' if value is None else form.format(value)}" for noise, value in zip(noises, row)]


def _wave(axes: Any, label: str, clip: Clip, top: float) -> None:
    seconds = np.arange(len(clip.samples)) / clip.sample_rate
    axes.plot(seconds, clip.samples / 32768, color=COLOURS[0], linewidth=0.4)
    axes.set(ylim=(-1.05 * top, 1.05 * top), yticks=[], xlim=(0, clip.duration))
    axes.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9, parse_math=False)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _spectrogram(axes: Any, clip: Clip) -> None:
    length = int(_WINDOW * clip.sample_rate)
    hertz, _, power = spectrogram(clip.samples / 32768, clip.sample_rate, nperseg=length, noverlap=length // 2)
    shown = 10 * np.log10(np.maximum(power[hertz <= _HIGHEST], 1e-14))
    extent = (0, clip.duration, 0, _HIGHEST)
    axes.imshow(shown, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=_QUIET, vmax=_LOUD)
    axes.set_yticks([])
