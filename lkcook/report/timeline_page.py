"""The timeline to click and hear: a page of its own in an iframe, which needs neither a kernel nor the network.

An iframe, because its style and its script then meet no other cell's. `timeline.js` plays and points, `timeline.css`
follows the theme; what they need to know is in the data attributes of the drawing (seconds from the call's start).
"""

from __future__ import annotations

import base64
from functools import cached_property
from html import escape
from importlib.resources import files

from lkcook.audio.clip import Clip
from lkcook.report.timeline import Timeline
from lkcook.report.timeline_drawing import drawing, height

HINT = "Click to play from there. Space: play, pause. ← →: one second, with Shift five."
SILENT = "Nothing was recorded."
CONTROLS = 120  # pixels above and below the lanes


class Page:
    """What `Timeline.interactive()` shows. document: the whole page, also for a browser without a notebook."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    @cached_property
    def document(self) -> str:
        """HTML with everything in it: drawing, sound (mp3), style and script."""
        style, script = (files(__package__).joinpath(f"timeline.{kind}").read_text("utf-8") for kind in ("css", "js"))
        sound = _sound(self._timeline)
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Timeline of a call</title>'
            f"<style>{style}</style></head><body>{sound}"
            f"<p class=hint>{HINT if sound else SILENT}</p>{drawing(self._timeline)}"
            f'<div id="tip" hidden></div><script>{script}</script></body></html>'
        )

    def _repr_html_(self) -> str:
        style = f"width: 100%; height: {height(self._timeline) + CONTROLS}px; border: 0; background: none"
        return (
            f'<iframe title="Timeline of a call" allow="autoplay" style="{style}" '
            f'srcdoc="{escape(self.document, quote=True)}"></iframe>'
        )

    def __repr__(self) -> str:
        return repr(self._timeline)


def _sound(timeline: Timeline) -> str:
    """An audio element with what was heard between start and end; "" when that is nothing."""
    whole = timeline.sound
    first, last = (round(at * whole.sample_rate) for at in (timeline.start, timeline.end))
    clip = Clip(whole.samples[first:last], whole.sample_rate)
    if not len(clip.samples):
        return ""
    data = base64.b64encode(clip.mp3()).decode()
    return f'<audio controls preload="auto" src="data:audio/mpeg;base64,{data}"></audio>'
