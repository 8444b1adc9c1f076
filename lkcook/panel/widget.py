"""The panel's front end as Python sees it: what it is given to draw, and how what is pressed comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from lkcook.audio.browser_widget import SCRIPT as BROWSER_SOUND
from lkcook.panel.menus import SIDES, Menus
from lkcook.panel.picture import Picture
from lkcook.panel.sound import Sound
from lkcook.push_to_talk import Button

_HERE = Path(__file__).parent


class PanelWidget(anywidget.AnyWidget):
    """Draws `state`; carries the browser's sound beside (audio/browser.py).

    press(what, value) is called on the event loop in which the widget was made: the messages of the page may arrive on
    another thread (JupyterLab's subshells).
    """

    _esm = BROWSER_SOUND + (_HERE / "panel.js").read_text("utf-8")
    _css = (_HERE / "panel.css").read_text("utf-8")
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, press: Callable[[str, Any], None]) -> None:
        super().__init__()
        loop = asyncio.get_running_loop()

        def receive(_widget: Any, content: Any, _buffers: Any) -> None:
            if isinstance(content, dict) and "do" in content:
                loop.call_soon_threadsafe(press, content["do"], content.get("value"))

        self.on_msg(receive)

    def draw(
        self,
        picture: Picture,
        menus: Menus,
        sound: Sound,
        possible: Mapping[str, bool],
        muted: bool,
        button: Button | None,
    ) -> None:
        """Everything there is to see, but the meters. possible: which controls do something now."""
        self.state = {
            "hint": picture.hint,
            "state": picture.state,
            "said": [[line.who, line.text, line.interrupted] for line in picture.said],
            "interim": picture.interim,
            "notes": list(picture.notes),
            "bar": [list(part) for part in picture.parts()],
            "menus": {side: [menus.chosen[side], menus.options(side)] for side in SIDES},
            "sound": sound.state(),
            "can": dict(possible),
            "muted": muted,
            "button": None if button is None else "held" if button.held else "up",
        }
