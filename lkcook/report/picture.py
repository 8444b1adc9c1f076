"""What all plots share: matplotlib, no background, and colours that read in light and dark themes."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from lkcook.errors import CookError

INK = "#888888"
COLOURS = ("#1f8fd6", "#e0702a", "#2ca25f", "#b35fc0", "#c9a227", "#d6455d")
DOTS = 100  # an inch
WIDTH = 9.0  # inches
SUFFIXES = (".png", ".svg")


class Plot:
    """A picture; a PNG in a notebook, its description elsewhere.

    height: inches. paint: draws on a matplotlib Figure of that size, whenever a format is asked for.
    """

    def __init__(self, description: str, height: float, paint: Callable[[Any], None]) -> None:
        self.description = description
        self._height, self._paint = height, paint

    @cached_property
    def png(self) -> bytes:
        """The picture as a PNG file, 900 pixels wide."""
        return self._rendered("png")

    @cached_property
    def svg(self) -> str:
        """The picture as an SVG document."""
        return self._rendered("svg").decode()

    def save(self, path: str | Path) -> Path:
        """Write the picture; the suffix (.png or .svg) decides how. Raises CookError for any other."""
        path = Path(path)
        if path.suffix.lower() not in SUFFIXES:
            raise CookError(f"A picture cannot be saved as {path.name!r}.", f"End its name in {' or '.join(SUFFIXES)}.")
        path.write_bytes(self.png if path.suffix.lower() == ".png" else self.svg.encode())
        return path

    def _rendered(self, kind: str) -> bytes:
        # a Figure of our own, not pyplot's: that would keep it for ever, and meddle with the reader's plots
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(WIDTH, self._height), dpi=DOTS, layout="constrained")
        FigureCanvasAgg(figure)
        self._paint(figure)
        out = io.BytesIO()
        figure.savefig(out, format=kind, transparent=True)
        return out.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png

    def __repr__(self) -> str:
        return self.description


def on_axes(draw: Callable[[Any], None]) -> Callable[[Any], None]:
    """A `paint` for `Plot` that draws on one pair of axes."""

    def paint(figure: Any) -> None:
        axes = figure.add_subplot()
        draw(axes)
        inked(axes)

    return paint


def inked(axes: Any) -> None:
    """Give axes, ticks and titles the ink that reads on white and on black."""
    axes.tick_params(colors=INK)
    for part in (axes.xaxis.label, axes.yaxis.label, axes.title):
        part.set_color(INK)
    for edge in axes.spines.values():
        edge.set_color(INK)
