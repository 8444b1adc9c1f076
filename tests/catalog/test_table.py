"""Filters, and how the table looks."""

from __future__ import annotations

import sys
import types
from dataclasses import replace
from typing import Any, get_args

import pytest

import lkcook
from lkcook import catalog
from lkcook.errors import CookError
from lkcook.model_strings import Models
from tests.catalog.rows import REFERENCE_VOICES
from tests.catalog.cells import Cells

KINDS: tuple[catalog.Kind, ...] = get_args(catalog.Kind)


def test_filters_narrow_the_table_together() -> None:
    found = lkcook.models("tts", provider="cartesia", status="newer exists")
    assert [entry.model for entry in found] == ["cartesia/sonic-3", "cartesia/sonic-2"]
    assert found == lkcook.models().where("tts").where(provider="cartesia").where(status="newer exists")
    assert isinstance(found.where(search="sonic-2"), Models) and len(found.where(search="sonic-2")) == 1


def test_a_search_finds_rows_with_all_of_its_words_whatever_the_case() -> None:
    assert [entry.reference for entry in lkcook.models(search="JACQUELINE female")] == [REFERENCE_VOICES[0][2]]
    assert [entry.model for entry in lkcook.models(search="arcana luna")] == ["rime/arcana"]
    assert lkcook.models(search="") == lkcook.models() and lkcook.models(search="nobody") == []


def test_what_is_served_offline_can_be_picked() -> None:
    assert {entry.kind for entry in lkcook.models().where(embedded=False)} == set(KINDS) - {"stt", "llm", "tts", "realtime", "duplex"}


def test_a_filter_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(CookError, match="no kind 'speech'(.|\n)*stt, llm, tts"):
        lkcook.models("speech")
    with pytest.raises(CookError, match="no status 'gone'(.|\n)*works, newer exists"):
        lkcook.models(status="gone")


def test_nobody_can_change_the_table_for_others() -> None:
    lkcook.models().clear()
    assert len(lkcook.models()) > 100


def test_a_notebook_shows_a_table() -> None:
    found = lkcook.models("voice")
    cells = Cells(found._repr_html_())
    assert cells.tags["tr"] == 1 + 6 and "Model strings: 6" in cells.text
    assert 'elevenlabs.TTS(voice_id="cgSgspJ2msm6clMCkdW9", model="eleven_turbo_v2_5")' in cells.text


def test_a_terminal_shows_the_same_as_text() -> None:
    lines = repr(lkcook.models("voice")).splitlines()
    assert len(lines) == 1 + 6 and lines[0].startswith("kind   status")
    assert repr(lkcook.models(search="nobody")) == "no model string matches"


def test_markup_in_a_string_is_shown_and_not_obeyed() -> None:
    entry = replace(lkcook.models()[0], string="<script>alert(1)</script>")
    html = Models([entry])._repr_html_() + lkcook.parse('a/<img src="x">')._repr_html_()
    assert not {"script", "img"} & set(Cells(html).tags)


def test_a_frame_has_a_column_for_each_field(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Any] = {}
    pandas: Any = types.ModuleType("pandas")
    pandas.DataFrame = lambda data, columns: made.update(rows=list(data), columns=columns) or "frame"
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    assert lkcook.models("vad").frame() == "frame"  # type: ignore[comparison-overlap]
    assert made["columns"][:4] == ["kind", "provider", "model", "string"] and len(made["columns"]) == 9
    assert [row["model"] for row in made["rows"]] == ["silero"]


def test_without_pandas_a_frame_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(CookError, match="pip install pandas"):
        lkcook.models().frame()
