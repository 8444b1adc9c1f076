"""Picture of an echo study: both ends, the microphone, what the canceller leaves, and its ERLE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lkcook.audio.clip import Clip
from lkcook.pcm import resample
from lkcook.report.picture import COLOURS, INK, Plot, inked

if TYPE_CHECKING:
    from lkcook.report.echo_study import EchoStudy

_DRAWN = 8000  # samples a second: a picture of 900 pixels shows no more
_GAP = 0.3  # seconds without an echo, after which the curve begins anew
TITLE = "what each end says, what the microphone picks up, and what the agent hears"
LEGEND = "seconds; shaded: both speak, and the ERLE has no meaning there"


def lanes(study: EchoStudy) -> Plot:
    """Four lanes of sound at one scale, over the canceller's ERLE."""
    (trial,) = [each for each in study.trials if each.cancelled]
    rate = study.near.sample_rate
    sounds = {
        "agent\n(far end)": study.far,
        "caller\n(near end)": study.near,
        "microphone": Clip(trial.microphone, rate),
        "behind the\ncanceller": Clip(trial.heard, rate),
    }

    def paint(figure: Any) -> None:
        figure.suptitle(TITLE, color=INK, fontsize=10)
        every = figure.subplots(5, 1, sharex=True, height_ratios=(1, 1, 1, 1, 1.5))
        top = max(float(np.abs(clip.samples.astype(int)).max()) for clip in sounds.values()) / 32768
        for axes, (label, clip), colour in zip(every, sounds.items(), COLOURS):
            _sound(axes, label, clip, colour, top)
        _erle(every[-1], study)
        for axes in every:
            axes.axvspan(study.begin, study.end, color=COLOURS[4], alpha=0.18, linewidth=0)
            axes.spines[["top", "right"]].set_visible(False)
            inked(axes)
        every[-1].set(xlabel=LEGEND, xlim=(0, study.far.duration))

    return Plot(repr(study), 6.2, paint)


def _sound(axes: Any, label: str, clip: Clip, colour: str, top: float) -> None:
    samples = resample(clip.samples, clip.sample_rate, _DRAWN) / 32768
    axes.plot(np.arange(len(samples)) / _DRAWN, samples, color=colour, linewidth=0.5)
    axes.set(yticks=[], ylim=(-1.1 * top, 1.1 * top))
    axes.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)


def _erle(axes: Any, study: EchoStudy) -> None:
    at, gained = study.erle
    breaks = np.flatnonzero(np.diff(at) > _GAP) + 1
    for times, values in zip(np.split(at, breaks), np.split(gained, breaks)):
        axes.plot(times, values, color=COLOURS[5], linewidth=1.5)
    axes.axhline(0, color=INK, linewidth=0.7)
    axes.set_ylabel("ERLE\ndB", rotation=0, ha="right", va="center", fontsize=9)
