"""Who takes part in a call when the reader does not say: a person with devices, or a script and a recorder."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lkcook import notebook
from lkcook.audio.caller import Caller, ClipCaller, ScriptedCaller
from lkcook.audio.clip import Clip
from lkcook.audio.line import Line
from lkcook.audio.listener import Listener, RecordedListener
from lkcook.errors import CookError

Script = Sequence[str | Line]


def somebody_at_the_keyboard() -> bool:
    """True when a person runs this: JupyterLab's cells may ask for input, a machine's (nbval, papermill) may not."""
    if (kernel := notebook.kernel()) is not None:
        # ipykernel keeps the allow_stdin flag of the cell being executed here and nowhere public
        return bool(getattr(kernel, "_allow_stdin", False))
    return sys.stdin is not None and sys.stdin.isatty()


def person_present() -> bool:
    """LKCOOK_CALLER=microphone|script decides; otherwise whether somebody is at the keyboard."""
    wish = os.environ.get("LKCOOK_CALLER", "")
    if wish not in ("", "script", "microphone"):
        raise CookError(f"LKCOOK_CALLER={wish} is not known.", "Set it to script or microphone, or unset it.")
    return wish == "microphone" or (not wish and somebody_at_the_keyboard())


def choose_caller(script: Script | None, wish: Caller | Clip | Path | str | None = None) -> Caller:
    """The caller `talk()` was asked for, or the one that fits: see `talk`."""
    if isinstance(wish, Caller):
        return wish
    if wish is None:
        wish = _fitting(script)
    if wish == "script":
        return _scripted(script)
    if wish == "microphone":
        from lkcook.audio.microphone import Microphone  # imports PortAudio

        return Microphone()
    if wish == "browser":
        raise CookError(
            "The browser's microphone needs a notebook in a browser.",
            "Run this cell in JupyterLab, or take the machine's own: caller=\"microphone\".",
        )
    return ClipCaller(wish)


def choose_listener(wish: Listener | None = None) -> Listener:
    """`wish`, else the speaker when a person is there to hear it, else a listener that only records."""
    if wish is not None:
        return wish
    if person_present():
        from lkcook.audio import devices

        if devices.have_output():
            from lkcook.audio.speaker import Speaker  # imports PortAudio

            return Speaker()
    return RecordedListener()


def _fitting(script: Script | None) -> str:
    if not person_present():
        return "script"
    from lkcook.audio import devices

    if os.environ.get("LKCOOK_CALLER") == "microphone" or devices.have_input():
        return "microphone"
    if script:
        print("No microphone was found: the script is spoken for you.")
    return "script"


def _scripted(script: Script | None) -> Caller:
    if not script:
        raise CookError(
            "There is nobody to call the agent: no microphone (or no person) and no script.",
            'Say what the caller says: talk(session, agent, script=["Hello, who are you?"]).',
        )
    return ScriptedCaller(script)
