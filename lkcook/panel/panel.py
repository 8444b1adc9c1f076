"""The control panel of a call: Talk · Play the script · Stop · Mute, devices, levels, transcript, latency.

One panel, one call: a call that starts in another cell hangs up the one that runs.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lkcook import backend, parties
from lkcook.audio.browser import BrowserMicrophone, BrowserSpeaker, browser_sound
from lkcook.audio.browser_link import BrowserLink
from lkcook.audio.caller import Caller
from lkcook.audio.listener import Listener
from lkcook.errors import CookError
from lkcook.line import accept_interruption
from lkcook.panel.live import View, Wish
from lkcook.panel.menus import BROWSER, Menus, loudness
from lkcook.panel.picture import Picture
from lkcook.panel.widget import PanelWidget
from lkcook.report.latency import segments

if TYPE_CHECKING:
    from lkcook.call import Call

FPS = 25  # of the level meters
_HINTS = {
    True: "Speak to the agent. Stop hangs up.",
    False: "A synthetic caller speaks its lines in real time. You hear the agent; the recording has both.",
}
_AWAY = "Another call was started: this one was hung up."
_REFUSED = "The browser did not give its microphone ({}): allow it in the address bar, or choose another."

_current: Panel | None = None


class Panel(View):
    """phase: "choosing" (who calls?), "calling", "ending". Only its public methods are for `talk`."""

    def __init__(self, display: Callable[..., Any]) -> None:
        self.picture = Picture()
        self._phase, self._script = "choosing", False
        self._call: Call | None = None
        self._listener: Listener | None = None
        self._calling: asyncio.Task[Any] | None = None
        self._chosen: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._work: set[asyncio.Task[None]] = set()
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
        self.picture.hint = _HINTS[call.caller.person]
        self._meanwhile(self._move_the_meters(call))
        self._meanwhile(self._watch_the_models())
        self._draw()

    def show(self, kind: str, payload: Any) -> None:
        self.picture.take(kind, payload)
        if kind in ("agent", "state") and self._call is not None and (turns := self._call.turns):
            self.picture.bar = segments(turns[-1])
        self._draw()

    async def close(self) -> None:
        global _current
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
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
        elif what in self._menus.chosen:
            self._menus.chosen[what] = str(value)
            self._meanwhile(self._change_device(what, str(value)))
        elif what in ("refresh", "tone", "check") and self._phase == "choosing":
            self._meanwhile({"refresh": self._menus.refresh, "tone": self._menus.tone, "check": self._check}[what]())
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

    # -- what goes on meanwhile -----------------------------------------------------------------

    def _meanwhile(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(self._told(work))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        """A device that refuses is told of, and no reason to end anything."""
        try:
            await work
        except CookError as error:
            self.picture.take("note", f"{error.what}: {error.remedy}")
        self._draw()

    async def _move_the_meters(self, call: Call) -> None:
        while True:
            self._widget.send({"levels": call.recorder.levels()})
            await asyncio.sleep(1 / FPS)

    async def _watch_the_models(self) -> None:
        while loading := await asyncio.to_thread(backend.loading):
            self.picture.state = f"loading {', '.join(loading)} …"
            self._draw()
            await asyncio.sleep(0.5)  # a gateway that loads gives no event

    def _draw(self) -> None:
        caller = self._call.caller if self._call is not None else None
        self._widget.draw(self.picture, self._menus, self._possible(), bool(caller and caller.muted))

    def _possible(self) -> dict[str, bool]:
        choosing, calling = self._phase == "choosing", self._phase == "calling"
        return {
            "talk": choosing,
            "script": choosing and self._script,
            "stop": choosing or calling,
            "mute": calling and self._call.caller.person,  # type: ignore[union-attr]
            "input": choosing or (calling and hasattr(self._call.caller, "use")),  # type: ignore[union-attr]
            "output": choosing or (calling and hasattr(self._listener, "use")),
            "check": choosing,
        }
