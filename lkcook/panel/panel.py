"""The control panel of a call: Talk · Play the script · Stop · Mute · Hold to talk, devices, levels, transcript, times.

One panel, one call: a call that starts in another cell hangs up the one that runs.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lkcook import parties
from lkcook.audio.browser import BrowserMicrophone, BrowserSpeaker, browser_sound
from lkcook.audio.browser_link import BrowserLink
from lkcook.audio.caller import Caller
from lkcook.audio.listener import Listener
from lkcook.errors import CookError
from lkcook.line import accept_interruption
from lkcook.panel.controls import Phase, possible
from lkcook.panel.live import View, Wish
from lkcook.panel.meanwhile import Meanwhile
from lkcook.panel.menus import BROWSER, Menus, loudness
from lkcook.panel.picture import Picture
from lkcook.panel.sound import CONTROLS, Sound
from lkcook.panel.widget import PanelWidget
from lkcook.push_to_talk import Button
from lkcook.report.latency import segments
from lkcook.treatment import Treatment

if TYPE_CHECKING:
    from lkcook.call import Call

_SPEAK = "Speak to the agent. Stop hangs up."
_HOLD = "Hold the button, or the space bar on it, while you speak. Stop hangs up."
_LISTEN = "A synthetic caller speaks its lines in real time. You hear the agent; the recording has both."
_AWAY = "Another call was started: this one was hung up."
_REFUSED = "The browser did not give its microphone ({}): allow it in the address bar, or choose another."

_current: Panel | None = None


class Panel(View):
    """phase: "choosing" (who calls?), "calling", "ending". Only its public methods are for `talk`."""

    def __init__(self, display: Callable[..., Any], button: Button | None, treatment: Treatment) -> None:
        self.picture, self.button, self._script = Picture(), button, False
        self._phase: Phase = "choosing"
        self._call: Call | None = None
        self._listener: Listener | None = None
        self._calling: asyncio.Task[Any] | None = None
        self._chosen: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._meanwhile = Meanwhile(self.picture, self._draw)
        self._sounding = Sound(treatment)
        self._over = asyncio.Event()
        self._widget = PanelWidget(self._press)
        self._menus = Menus(self._widget.send)
        self._draw()
        self._handle = display(self._widget, display_id=True)

    async def parties(
        self, script: parties.Script | None, caller: Wish, listener: Listener | None
    ) -> tuple[Caller, Listener]:
        await self._hang_up_the_other()
        self._script = bool(script)
        if caller == BROWSER:
            caller = self._sound[0]
        elif caller is None and not os.environ.get("LKCOOK_CALLER"):
            caller = await self._choice()
        who = parties.choose_caller(script, caller)
        self._listener = listener or self._ear(who)
        return who, self._listener

    def follow(self, call: Call) -> None:
        self._call, self._phase, self._calling = call, "calling", asyncio.current_task()
        self.picture.hint = _LISTEN if not call.caller.person else _SPEAK if self.button is None else _HOLD
        self._meanwhile.begin(self._meanwhile.move_the_meters(call, self._widget.send))
        self._meanwhile.begin(self._meanwhile.watch_the_models())
        self._draw()

    def show(self, kind: str, payload: Any) -> None:
        self.picture.take(kind, payload)
        if kind in ("agent", "state") and self._call is not None and (turns := self._call.turns):
            self.picture.bar = segments(turns[-1])
        self._draw()

    async def close(self) -> None:
        global _current
        await self._meanwhile.close()
        self.picture.finish()
        self._handle.update(self.picture)  # in place of the widget, which a saved notebook could not draw
        self._widget.close()
        self._over.set()
        if _current is self:
            _current = None

    # -- who calls ------------------------------------------------------------------------------

    async def _hang_up_the_other(self) -> None:
        global _current
        other, _current = _current, self
        if other is not None:
            other.show("note", _AWAY)
            other._stop()
            await other._over.wait()

    async def _choice(self) -> Caller | str:
        """Wait until somebody presses Talk or Play the script."""
        self.picture.hint, self.picture.state = "Press Talk and speak.", ""
        if self._script:
            self.picture.hint = "Press Talk and speak, or let a synthetic caller play the script."
        self._draw()
        try:
            pressed = await self._chosen
        except (asyncio.CancelledError, KeyboardInterrupt):  # the panel's Stop, or the cell's
            accept_interruption()
            raise CookError(
                "Nobody called the agent.", "Run the cell again, and press Talk or Play the script."
            ) from None
        return "script" if pressed == "script" else self._menus.caller(self._sound[0])

    def _ear(self, who: Caller) -> Listener:
        if isinstance(who, BrowserMicrophone):
            return self._sound[1]  # the browser's echo canceller knows what the browser plays
        return self._menus.listener(self._sound[1]) if parties.person_present() else parties.choose_listener()

    @cached_property
    def _sound(self) -> tuple[BrowserMicrophone, BrowserSpeaker]:
        return browser_sound(BrowserLink(self._widget, notify=lambda text: self.show("note", text)))

    # -- what is pressed ------------------------------------------------------------------------

    def _press(self, what: str, value: Any) -> None:
        if what in ("talk", "script") and not self._chosen.done():
            self._chosen.set_result(what)
        elif what == "stop":
            self._stop()
        elif what == "mute" and self._call is not None:
            self._call.caller.muted = bool(value)
        elif what == "hold" and self.button is not None:
            self._meanwhile.begin(self.button.press() if value else self.button.release())
        elif what in self._menus.chosen:
            self._menus.chosen[what] = str(value)
            self._meanwhile.begin(self._change_device(what, str(value)))
        elif what in CONTROLS:
            self._meanwhile.begin(self._sounding.change(what, value))
        elif what in ("refresh", "tone", "check") and self._phase == "choosing":
            self._meanwhile.begin({"refresh": self._menus.refresh, "tone": self._menus.tone, "check": self._check}[what]())
        elif what == "heard":
            self.picture.state = loudness(float(value))
        elif what == "refused":
            self.picture.take("note", _REFUSED.format(value))
        self._draw()

    def _stop(self) -> None:
        """As if the cell were stopped: `talk` hangs up and returns what it has."""
        if self._phase == "choosing":
            self._chosen.cancel()
        elif self._phase == "calling" and self._calling is not None:
            self._phase, self.picture.state = "ending", "hanging up …"
            self._calling.cancel()

    async def _change_device(self, side: str, name: str) -> None:
        """In mid-call under way; before it, the choice is only kept."""
        if self._call is not None:
            await (self._call.caller if side == "input" else self._listener).use(name)  # type: ignore[union-attr]

    async def _check(self) -> None:
        self.picture.state = "say something …"
        self._draw()
        self.picture.state = await self._menus.check() or self.picture.state

    def _draw(self) -> None:
        caller = self._call.caller if self._call is not None else None
        can = possible(self._phase, self._script, self._call, self._listener, self.button)
        muted = bool(caller and caller.muted)
        self._widget.draw(self.picture, self._menus, self._sounding, can, muted, self.button)
