"""Choose a recogniser, a language model and a voice from menus; the recipe's code follows.

The code stands in the picker itself. JupyterLab started by `cook.py lab` also exposes its application to the page
(LabApp.expose_app_in_browser), and there the cell tagged `recipe` is rewritten as well.
"""

from __future__ import annotations

import json
from typing import Any

import ipywidgets as widgets

from lkcook import catalog, voices
from lkcook.report.html import code

_MODELS = {
    "cartesia": "cartesia/sonic-3",
    "deepgram": "deepgram/aura-2",
    "inworld": "inworld/inworld-tts-1",
    "rime": "rime/coda",
    "xai": "xai/tts-1",
}
_RECIPE = """session = AgentSession(
    stt="{stt}",
    llm="{llm}",
    tts="{tts}",
)
call = await lkcook.talk(session, Agent(instructions="Be brief."), script=[{line}])
call.recording"""
_LINES = {
    "en": '"What is the capital of France?"',
    "es": 'lkcook.Line("¿Cuál es la capital de Francia?", language="es")',  # by a caller who speaks it
}
# `shell.currentWidget` is the notebook in front; a cell that is gone, or an application that is not exposed, is no error
_REWRITE = """
(() => {
  const cells = window.jupyterapp?.shell.currentWidget?.content?.widgets ?? [];
  const recipe = [...cells].find(cell => (cell.model.getMetadata?.("tags") ?? []).includes("recipe"));
  if (recipe) recipe.model.sharedModel.setSource(%s);
})();
"""


class Picker:
    """Three menus. `stt`, `llm` and `tts` are the strings chosen, `code` is the recipe made of them."""

    def __init__(self) -> None:
        self._stt = _menu("STT", _recognisers(), "deepgram/nova-3:en")
        self._llm = _menu("LLM", [(name, name) for name in catalog.ids("llm")], "openai/gpt-4.1-mini")
        self._tts = _menu("Voice", _voices(), _voices()[0][1])
        self._shown = widgets.HTML()
        self._script = widgets.Output(layout=widgets.Layout(height="0px", overflow="hidden"))
        for menu in (self._stt, self._llm, self._tts):
            menu.observe(self._on_choice, names="value")
        self._show()

    @property
    def stt(self) -> str:
        """The recogniser's string, with its language."""
        return self._stt.value

    @property
    def llm(self) -> str:
        """The language model's string."""
        return self._llm.value

    @property
    def tts(self) -> str:
        """The string of model and voice."""
        return self._tts.value

    @property
    def code(self) -> str:
        """A recipe to run and to ship."""
        language = self.stt.rpartition(":")[2]
        return _RECIPE.format(stt=self.stt, llm=self.llm, tts=self.tts, line=_LINES.get(language, _LINES["en"]))

    def _on_choice(self, _change: Any) -> None:
        self._show()
        from IPython.display import Javascript, display

        self._script.clear_output()
        with self._script:
            display(Javascript(_REWRITE % json.dumps(self.code)))

    def _show(self) -> None:
        self._shown.value = code(self.code)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return widgets.VBox([self._stt, self._llm, self._tts, self._shown, self._script])._repr_mimebundle_(**options)

    def __repr__(self) -> str:
        return self.code


def _menu(title: str, options: list[tuple[str, str]], value: str) -> widgets.Dropdown:
    return widgets.Dropdown(
        description=title, options=options, value=value, layout=widgets.Layout(width="560px", max_width="100%")
    )


def _recognisers() -> list[tuple[str, str]]:
    strings = [
        f"{model}:{language}"
        for model in catalog.ids("stt")
        for language in (("en",) if model.endswith("-en") else ("en", "es", "multi"))  # "-en" hears nothing else
    ]
    return [(string, string) for string in strings]


def _voices() -> list[tuple[str, str]]:
    return [
        (f"{voice.name} — {voice.description} ({_MODELS[voice.provider]})", f"{_MODELS[voice.provider]}:{voice.id}")
        for voice in voices.PROVIDER_VOICES
        if voice.provider in _MODELS
    ]
