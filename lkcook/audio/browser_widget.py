"""The smallest widget that carries the browser's sound: a line in the page that says whether it is on."""

from __future__ import annotations

from pathlib import Path

import anywidget

SCRIPT = Path(__file__).with_name("browser.js").read_text("utf-8")
"""Defines `class BrowserSound`; for a widget that puts its own script behind it."""

_SHOW = """
export default () => {
  const on = new Map(), lines = new Set(); // a widget has one microphone, however often it is shown
  const show = () => {
    const sides = [...on.keys()].join(" and ") || "microphone and speaker";
    const state = on.size ? `on (${[...on.values()][0]})` : "off";
    for (const line of lines) line.textContent = `The browser's ${sides} ${on.size === 1 ? "is" : "are"} ${state}.`;
  };
  return {
    initialize({model}) {
      const sound = new BrowserSound((message, buffers) => {
        if (message.sound === "opened") on.set(message.side, message.transport);
        if (message.sound === "closed") on.delete(message.side);
        if (message.side) show();
        model.send(message, undefined, buffers);
      });
      const handle = (message, buffers) => sound.handle(message, buffers);
      model.on("msg:custom", handle);
      return () => { model.off("msg:custom", handle); return sound.close(); };
    },
    render({el}) {
      const line = el.appendChild(document.createElement("div"));
      line.className = "lkcook-sound";
      lines.add(line);
      show();
      return () => lines.delete(line);
    },
  };
};
"""


class SoundWidget(anywidget.AnyWidget):
    """Show it, then pass it to `browser_sound`."""

    _esm = SCRIPT + _SHOW
