"""The menus: what they offer the gateway takes, and the recipe follows the choice."""

from __future__ import annotations

import ast

import pytest

from lkcook import catalog, voices
from lkcook.panel.picker import Picker


def test_the_recipe_holds_what_is_chosen_and_is_python() -> None:
    picker = Picker()
    picker._stt.value, picker._llm.value = "assemblyai/universal-streaming:es", "google/gemini-2.5-flash"
    picker._tts.value = "rime/coda:luna"
    assert (picker.stt, picker.llm, picker.tts) == (
        "assemblyai/universal-streaming:es",
        "google/gemini-2.5-flash",
        "rime/coda:luna",
    )
    for string in (picker.stt, picker.llm, picker.tts, 'lkcook.Line("¿Cuál es la capital de Francia?", language="es")'):
        assert string in picker.code
    compile(picker.code, "recipe", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    assert picker.code.splitlines()[1] in picker._shown.value.replace("&quot;", '"')


def test_every_choice_is_an_id_the_gateway_takes() -> None:
    picker = Picker()
    for menu, kind in ((picker._stt, "stt"), (picker._llm, "llm"), (picker._tts, "tts")):
        for _, string in menu.options:
            model = string.rpartition(":")[0] or string if kind != "llm" else string
            assert model in catalog.ids(kind), string  # type: ignore[arg-type]


@pytest.mark.parametrize("provider", ["cartesia", "deepgram", "inworld", "rime", "xai"])
def test_every_providers_voices_can_be_chosen(provider: str) -> None:
    offered = [string for _, string in Picker()._tts.options]
    assert all(any(o.endswith(f":{v.id}") for o in offered) for v in voices.of_provider(provider))
