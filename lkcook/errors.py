"""Errors that speak to the reader of a notebook: what failed, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lkcook.call import Call


class CookError(Exception):
    """Something the reader can act on. `what` failed; `remedy` is the next step."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}\n  → {remedy}")
        self.what = what
        self.remedy = remedy

    def _render_traceback_(self) -> list[str]:
        """IPython shows this instead of a traceback from inside lkcook."""
        return [f"{type(self).__name__}: {self}"]


class WeightsError(CookError):
    """Model weights are missing, damaged, or could not be fetched."""


class BackendError(CookError):
    """No backend could be put in force."""


class DeviceError(CookError):
    """A microphone or speaker is missing or failed."""


class CallError(CookError):
    """A call failed at `stage`; everything said until then is in `call`.

    stage: "speech to text", "language model", "text to speech", "realtime model", "reply", "caller", …
    """

    def __init__(self, stage: str, cause: str, remedy: str, call: Call | None = None) -> None:
        super().__init__(f"The call failed at the {stage} stage: {cause}", remedy)
        self.stage = stage
        self.cause = cause
        self.call = call
