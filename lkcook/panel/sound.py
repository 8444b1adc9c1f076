"""The panel's controls of the caller's sound: which canceller cleans it, which noise is mixed in and how loud."""

from __future__ import annotations

from typing import Any

from lkcook.audio.background import Background
from lkcook.noise import sounds
from lkcook.treatment import Treatment, background

CONTROLS = ("canceller", "noise", "amount")
LOUDEST = 40  # the slider's right end
_QUIETEST = 30  # dB by which speech stands above the noise at the slider's left end, where it is off


class Sound:
    """Changes the `treatment` of one call, before it and during it."""

    def __init__(self, treatment: Treatment) -> None:
        self._treatment = treatment
        mixed = treatment.background
        self._names = list(sounds.NAMES)
        self._known: dict[str, Background] = {}
        self._name = self._names[0]
        if mixed is not None:
            self._name = mixed.name
            self._known[mixed.name] = mixed
            self._names += [] if mixed.name in self._names else [mixed.name]

    def state(self) -> dict[str, Any]:
        """What is drawn: menus as [chosen, [(value, label), …]], the slider's place, and what it means in words."""
        return {
            "canceller": [self._treatment.chosen, self._treatment.options()],
            "noise": [self._name, [(name, name) for name in self._names]],
            "amount": self._amount,
            "loudest": LOUDEST,
            "loudness": _in_words(self._treatment.background),
        }

    async def change(self, what: str, value: Any) -> None:
        """One of `CONTROLS` was moved. Raises CookError when a canceller cannot be had."""
        if what == "canceller":
            await self._treatment.choose(str(value))
        elif what == "noise" and value in self._names:
            amount, self._name = self._amount, value
            self._mix(amount)
        elif what == "amount":
            self._mix(max(0, min(LOUDEST, round(float(value)))))

    @property
    def _amount(self) -> int:
        mixed = self._treatment.background
        return 0 if mixed is None else max(1, min(LOUDEST, round(_QUIETEST - mixed.snr)))

    def _mix(self, amount: int) -> None:
        if amount == 0:
            self._treatment.background = None
            return
        if self._name not in self._known:
            self._known[self._name] = background(self._name)  # type: ignore[assignment]
        noise = self._known[self._name]
        noise.snr = float(_QUIETEST - amount)
        self._treatment.background = noise


def _in_words(noise: Background | None) -> str:
    if noise is None:
        return "off"
    if noise.snr == 0:
        return "as loud as speech"
    return f"{abs(noise.snr):.0f} dB {'below' if noise.snr > 0 else 'above'} speech"
