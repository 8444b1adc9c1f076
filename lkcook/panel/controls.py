"""Which of the panel's controls do something now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lkcook.audio.listener import Listener
from lkcook.push_to_talk import Button

if TYPE_CHECKING:
    from lkcook.call import Call

Phase = Literal["choosing", "calling", "ending"]


def possible(
    phase: Phase, script: bool, call: Call | None, listener: Listener | None, button: Button | None
) -> dict[str, bool]:
    """By name. script: there is one to play. button: that of push-to-talk, which only a person can press."""
    choosing = phase == "choosing"
    caller = call.caller if call is not None and phase == "calling" else None
    speaking = caller is not None and caller.person
    return {
        "talk": choosing,
        "script": choosing and script,
        "stop": choosing or caller is not None,
        "mute": speaking,
        "hold": speaking and button is not None and button.ready,
        "input": choosing or hasattr(caller, "use"),
        "output": choosing or (caller is not None and hasattr(listener, "use")),
        "check": choosing,
        "sound": choosing or caller is not None,
    }
