"""Push-to-talk: a button that a caller holds while it speaks, and what a call says when nobody commits a turn."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from livekit.agents import AgentSession
from livekit.agents.utils import is_given

from lkcook.errors import CallError, CookError

Act = Callable[[], Awaitable[Any] | Any]
PushToTalk = tuple[Act, Act]
"""(pressed, released): called without arguments; coroutines are awaited"""

Event = Literal["ready", "pressed", "released"]

_EXAMPLE = (
    "push_to_talk takes two functions: the first calls session.interrupt(), session.clear_user_turn() and "
    "session.input.set_audio_enabled(True), the second session.input.set_audio_enabled(False) and "
    "session.commit_user_turn()."
)
_NOBODY_COMMITTED = (
    "turn_detection is 'manual': nobody called session.commit_user_turn(); pass push_to_talk=(start_turn, end_turn), "
    "or call it yourself when the caller has finished."
)
_NOT_COMMITTED = f"turn_detection is 'manual' and no turn was committed: {_EXAMPLE}"
_NO_BUTTON = (
    "Run this cell in JupyterLab, whose panel has the button; or let a synthetic caller press it: "
    'caller="script" with a script=[…], or LKCOOK_CALLER=script.'
)


class Button:
    """Calls `pressed` and `released` in the order in which the button moves, one at a time.

    held: it is down. follow(event) is told of each Event. error: what the first callable that raised is to blame for,
    at stage "push-to-talk"; nothing raises it here, see `failed()`. One button serves one call.
    """

    def __init__(self, push_to_talk: PushToTalk) -> None:
        if len(push_to_talk) != 2 or not all(map(callable, push_to_talk)):
            raise CookError(f"push_to_talk={push_to_talk!r} is no pair of functions", _EXAMPLE)
        self.held = False
        self.follow: Callable[[Event], None] = lambda event: None
        self.error: CallError | None = None
        self._pressed, self._released = push_to_talk
        self._session: AgentSession | None = None
        self._failed = asyncio.Event()
        self._turn = asyncio.Lock()

    @property
    def ready(self) -> bool:
        """The call runs, it may be pressed."""
        # a closing session has no other sign, and refuses interrupt() and commit_user_turn() before its close event
        return self._session is not None and not self._session._is_closing()

    def open(self, session: AgentSession) -> None:
        """`session` runs: from now on it may be pressed."""
        self._session = session
        self.follow("ready")

    async def press(self) -> None:
        """Returns when `pressed` has; without effect when it is down, or not ready."""
        if self.ready and not self.held:
            self.held = True
            await self._call(self._pressed, "pressed")

    async def release(self) -> None:
        """Returns when `released` has; without effect when it is up: what lets go may be told of in several ways."""
        if self.held:
            self.held = False
            await self._call(self._released, "released")

    async def close(self) -> None:
        """The call ends: whoever still holds it lets go, if there is still a session to tell."""
        await self.release()
        self._session = None

    async def failed(self) -> None:
        """Returns when one of the callables has raised."""
        await self._failed.wait()

    async def _call(self, act: Act, event: Event) -> None:
        async with self._turn:  # first come, first served
            if not self.ready:
                return
            self.follow(event)
            try:
                if inspect.iscoroutine(result := act()):
                    await result
            except Exception as error:
                if self.ready:  # else the session closed meanwhile, and refused for that reason
                    self._blame(act, event, error)

    def _blame(self, act: Act, event: Event, error: Exception) -> None:
        name = getattr(act, "__name__", repr(act))
        cause = f"{name}(), called when the button was {event}, raised {type(error).__name__}: {error}"
        which = "first" if event == "pressed" else "second"
        blamed = CallError("push-to-talk", cause, f"Mend the {which} function of push_to_talk=(pressed, released).")
        blamed.__cause__ = error
        self.error = self.error or blamed
        self._failed.set()


def nobody_presses() -> CookError:
    """For a person who is shown no button."""
    return CookError("Push-to-talk needs a button, and there is none to press here.", _NO_BUTTON)


def why_unanswered(session: AgentSession, button: Button | None, since: float) -> str:
    """The remedy when the session leaves the end of the turn to its user and none was committed since time.time();
    "" otherwise."""
    if not _is_manual(session) or any(_committed(item, since) for item in session.history.items):
        return ""
    return _NOBODY_COMMITTED if button is None else _NOT_COMMITTED


def _is_manual(session: AgentSession) -> bool:
    try:
        own = session.current_agent.turn_detection
    except RuntimeError:  # the session is over
        return session.turn_detection == "manual"
    return (own if is_given(own) else session.turn_detection) == "manual"


def _committed(item: Any, since: float) -> bool:
    return item.type == "message" and item.role == "user" and item.created_at >= since
