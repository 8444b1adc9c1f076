"""Background noises for trials and for the panel's slider: what there is, where it comes from, and how it sounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from lkcook.audio.clip import Clip
from lkcook.errors import CookError
from lkcook.noise import scenes
from lkcook.report.html import CELL, TABLE, columns

RATE = scenes.RATE
LEVEL = 0.03  # RMS of every noise, full scale is 1
SHOWN = 6.0  # seconds in the table
_SEED = 7
_FADE = int(0.1 * RATE)  # samples over which the end goes over into the beginning
_CREST = 8.0  # what is so many times louder than the RMS is rounded off: keys and doors would clip
_OWN = "generated (lkcook/noise/scenes.py), Apache-2.0"
_VOICES = "voices of this machine (bench/noise_recordings.py), Apache-2.0"
_TYPED = "keyboard-typing.ogg and keyboard-typing2.ogg by Anton (freesound.org/s/137), CC BY 4.0"


@dataclass(frozen=True)
class _Source:
    make: Callable[[int, np.random.Generator], np.ndarray]
    origin: str

    @property
    def what(self) -> str:
        return (self.make.__doc__ or "").strip()


_SOURCES = {
    "office": _Source(scenes.office, f"{_OWN}; its colleagues are {_VOICES}"),
    "street": _Source(scenes.street, _OWN),
    "crowd": _Source(scenes.crowd, _VOICES),
    "music": _Source(scenes.music, _OWN),
    "keyboard": _Source(scenes.keyboard, _TYPED),
    "second talker": _Source(scenes.second_talker, _VOICES),
    "hiss": _Source(scenes.hiss, _OWN),
}
NAMES = tuple(_SOURCES)


def noise(name: str, seconds: float = 10.0) -> Clip:
    """A background noise, always the same: int16 mono at 24 kHz, RMS `LEVEL`; its end fits its beginning.

    Raises CookError for a name that is not in `NAMES`.
    """
    if name not in NAMES:
        raise CookError(f"There is no noise {name!r}.", f"There are {', '.join(NAMES)}.")
    count = int(seconds * RATE)
    fade = min(_FADE, count // 2)
    looped = _looped(_SOURCES[name].make(count + fade, np.random.default_rng(_SEED)), fade)
    limited = np.tanh(looped / looped.std() / _CREST)
    return Clip(np.round(limited / limited.std() * LEVEL * 32768).clip(-32768, 32767).astype(np.int16), RATE)


def noises() -> Noises:
    """The background noises there are: name, what it is, whose it is, and how it sounds."""
    return Noises()


class Noises:
    """What `lkcook.noises()` returns. rows: dicts of name, what, origin (maker and licence), clip."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = [
            {"name": name, "what": source.what, "origin": source.origin, "clip": noise(name, SHOWN)}
            for name, source in _SOURCES.items()
        ]

    def _repr_html_(self) -> str:
        cells = "".join(
            f'<tr><th style="{CELL} text-align: left">{escape(row["name"])}</th><td style="{CELL} text-align: left">'
            f"{escape(row['what'])}<br><small>{escape(row['origin'])}</small></td>"
            f'<td style="{CELL}">{row["clip"]._repr_html_()}</td></tr>'
            for row in self.rows
        )
        return f'<table style="{TABLE}"><tbody>{cells}</tbody></table>'

    def __repr__(self) -> str:
        return columns(("noise", "what", "origin"), [[row["name"], row["what"], row["origin"]] for row in self.rows])


def _looped(samples: np.ndarray, fade: int) -> np.ndarray:
    """The last `fade` samples go over into the first ones: as much shorter, and without a click when repeated."""
    if not fade:
        return samples
    rising = np.sqrt(np.linspace(0, 1, fade))
    out = samples[:-fade].copy()
    out[:fade] = out[:fade] * rising + samples[-fade:] * rising[::-1]
    return out
