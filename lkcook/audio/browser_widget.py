"""The smallest widget that carries the browser's sound: a line in the page that says whether it is on."""

from __future__ import annotations

from pathlib import Path

import anywidget

SCRIPT = Path(__file__).with_name("browser.js").read_text("utf-8")
"""Defines `class BrowserSound`; for a widget that puts its own script behind it."""

_SHOW = """
const sounds = new WeakMap(); // a widget's model has one microphone, however often it is shown

export default {
  initialize({model}) {
    const sound = new BrowserSound((message, buffers) => {
      if (message.sound !== "microphone") sounds.get(model).show(message);
      model.send(message, undefined, buffers);
    });
    sounds.set(model, {sound, show: () => {}});
    const handle = (message, buffers) => sound.handle(message, buffers);
    model.on("msg:custom", handle);
    return () => { model.off("msg:custom", handle); return sound.close(); };
  },
  render({model, el}) {
    const line = el.appendChild(document.createElement("div"));
    line.className = "lkcook-sound";
    line.textContent = "The browser's microphone and speaker are off.";
    const on = new Set();
    sounds.get(model).show = ({sound, side, transport}) => {
      if (sound === "opened") on.add(side); else if (sound === "closed") on.delete(side); else return;
      line.textContent = `The browser's ${[...on].join(" and ") || "microphone and speaker"} ${on.size === 1 ? "is" : "are"} `
        + (on.size ? "on" : "off") + (transport ? ` (${transport}).` : ".");
    };
  },
};
"""


class SoundWidget(anywidget.AnyWidget):
    """Show it, then pass it to `browser_sound`."""

    _esm = SCRIPT + _SHOW
