"""What is done to a caller's sound on its way to the session, also in mid-call: noise mixed in, noise cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from lkcook.audio.background import Background
from lkcook.audio.clip import Clip
from lkcook.audio.slot import Load, Processor
from lkcook.errors import CookError
from lkcook.noise import catalogue, sounds
from lkcook.room_options import Asked, name_of

if TYPE_CHECKING:
    from lkcook.audio.caller import Caller

Noise = str | Clip | tuple[str | Clip, float] | None
"""a noise's name (lkcook.noise.sounds.NAMES) or a recording of one, alone or with the dB that speech stands above it"""

SNR = 10.0  # dB, of a noise without a number
OFF, USUAL, CODE = "off", "usual", "code"
_EXAMPLE = 'Write noise=("street", 10), or a name or Clip alone.'
_BESIDES = (
    "This browser's microphone suppresses noise, too. Chosen before the call, the canceller is the only one: "
    "the browser is asked to leave that to it."
)


def background(noise: Noise) -> Background | None:
    """`noise` in a form that can be mixed in. Raises CookError."""
    if noise is None or isinstance(noise, str | Clip):
        noise = noise and (noise, SNR)
    if noise is None:
        return None
    try:
        what, snr = noise
        snr = float(snr)
    except (TypeError, ValueError):
        raise CookError(f"noise={noise!r} is no noise.", _EXAMPLE) from None
    sound = what if isinstance(what, Clip) else sounds.noise(what)
    if not len(sound.samples):
        raise CookError("The noise is an empty clip.", "Take a recording with sound in it.")
    return Background(what if isinstance(what, str) else "recording", sound, snr)


class Treatment:
    """Of one call. asked: what its room_options say. chosen: `OFF`, `CODE` (what was asked for), a canceller's name, or
    before the call `USUAL`: what was asked for, else what the caller usually has. load: what its cancellers have cost.
    """

    def __init__(self, asked: Asked | None = None, noise: Noise = None) -> None:
        self.asked = asked or Asked()
        self.chosen = CODE if self.asked.name else USUAL
        self.load = Load()
        self._background = background(noise)
        self._caller: Caller | None = None
        self._note: Callable[[str], None] = lambda text: None
        self._told = False

    @property
    def in_force(self) -> str:
        """The canceller's name: of this machine's, as the code has it, or "off"."""
        if self.chosen == CODE:
            return self.asked.name if self.asked.processor else OFF
        return OFF if self.chosen == USUAL else self.chosen

    @property
    def background(self) -> Background | None:
        """The noise that is mixed in."""
        return self._background

    @background.setter
    def background(self, noise: Background | None) -> None:
        self._background = noise
        if self._caller is not None:
            self._caller.background = noise

    def options(self) -> list[tuple[str, str]]:
        """(value of `chosen`, in words) of everything that can be chosen now."""
        own = [(OFF, "off"), *((name, name) for name in catalogue.NAMES)]
        if self.chosen not in (OFF, USUAL, CODE, *catalogue.NAMES):
            own.append((self.chosen, self.chosen))  # set by call.canceller = …
        if self.asked.name:
            state = "as in the code" if self.asked.processor else "not in force here"
            return [(CODE, f"{self.asked.name}: {state}"), *own]
        return own if self._caller is not None else [(USUAL, "microphone: webrtc"), *own]

    async def begin(self, caller: Caller, note: Callable[[str], None]) -> None:
        """Before the caller gets ready; note(text) is told what goes otherwise than asked. Raises CookError."""
        self._caller, self._note = caller, note
        caller.background = self._background
        caller.slot.on_failure, caller.slot.load = self._failed, self.load
        if self.chosen == USUAL:
            self.chosen = caller.usual_canceller or OFF
        elif self.chosen == CODE:
            for text in self.asked.notes:
                note(text)
        processor = await self._made(self.chosen)
        caller.slot.use(processor, own=self._own(processor), at_once=True)

    async def choose(self, chosen: str) -> None:
        """Another canceller, also in mid-call: it is made meanwhile, and takes over without a gap. Raises CookError."""
        caller = self._caller
        if caller is None:
            self.chosen = chosen
            return
        processor = await self._made(chosen)
        if caller is self._caller:
            self.use(processor, chosen)
        elif processor is not None and self._own(processor):
            processor._close()  # the call ended meanwhile

    def use(self, processor: Processor | None, chosen: str = "") -> None:
        """`processor` takes over, None for none."""
        if self._caller is None:
            raise CookError("There is no call whose noise could be cancelled.", "Choose before it, in room_options.")
        self.chosen = chosen or (name_of(processor) if processor else OFF)
        self._caller.slot.use(processor, own=self._own(processor))
        if processor is not None and self._caller.suppresses_noise and not self._told:
            self._told = True
            self._note(_BESIDES)

    async def close(self) -> None:
        """The call is over: nothing is in the slot any more."""
        caller, self._caller = self._caller, None
        if caller is not None:
            caller.slot.close()
        if self.asked.processor is not None and not self.asked.lent:
            self.asked.processor._close()

    async def _made(self, chosen: str) -> Processor | None:
        if chosen in (CODE, OFF):
            return self.asked.processor if chosen == CODE else None
        catalogue.get_ready(chosen)
        return await asyncio.to_thread(catalogue.canceller, chosen)

    def _own(self, processor: Processor | None) -> bool:
        return processor is not self.asked.processor  # that one may be chosen again

    def _failed(self, error: Exception) -> None:
        what = f"{type(error).__name__}: {error}"
        self._note(f"The noise canceller {self.in_force} raised {what}. What it does not clean passes as it is.")


class Treated:
    """What of a call's sound can be changed while it runs."""

    treatment: Treatment

    @property
    def noise(self) -> tuple[str, float] | None:
        """The noise mixed into the caller, and the dB that speech stands above it; None for none. Set as talk(noise=…)."""
        mixed = self.treatment.background
        return (mixed.name, mixed.snr) if mixed is not None else None

    @noise.setter
    def noise(self, noise: Noise) -> None:
        self.treatment.background = background(noise)

    @property
    def canceller(self) -> str:
        """The noise canceller in force, "off" for none; set it to a name, or to one that lkcook.canceller made."""
        return self.treatment.in_force

    @canceller.setter
    def canceller(self, canceller: str | Processor | None) -> None:
        if isinstance(canceller, str):
            canceller = None if canceller == OFF else catalogue.canceller(canceller)
        self.treatment.use(canceller)

    @property
    def canceller_load(self) -> float:
        """Seconds that the noise canceller took per second of sound: by the clock on the wall, beside all else that ran.

        From 1 on it makes the call late. All that were in force in this call together; 0.0 with none, and for one that
        LiveKit runs in a connected room.
        """
        return self.treatment.load.factor
