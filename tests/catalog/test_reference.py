"""All of the reference stands in the table, with what became of it and what to write today."""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from typing import Any, get_args

import pytest
from livekit.agents.llm._realtime import openai_types
from livekit.plugins import elevenlabs

import lkcook
from lkcook import catalog, reference
from tests.catalog.rows import REFERENCE_STT, REFERENCE_LLM, REFERENCE_TTS, REFERENCE_VOICES, REFERENCE_REALTIME, TODAY, references, row

KINDS: tuple[catalog.Kind, ...] = get_args(catalog.Kind)


def test_the_table_has_every_string_of_the_reference_in_its_order() -> None:
    assert references("stt") == REFERENCE_STT and len(REFERENCE_STT) == 8 + 2
    assert references("llm") == REFERENCE_LLM and len(REFERENCE_LLM) == 16
    assert references("tts") == REFERENCE_TTS and len(REFERENCE_TTS) == 7
    assert references("voice") == [string for _, _, string in REFERENCE_VOICES] and len(REFERENCE_VOICES) == 6
    assert references("realtime") == REFERENCE_REALTIME


def test_nothing_else_claims_to_be_in_the_reference() -> None:
    listed = [*REFERENCE_STT, *REFERENCE_LLM, *REFERENCE_TTS, *REFERENCE_REALTIME]
    listed += [string for _, _, string in REFERENCE_VOICES]
    assert Counter(entry.reference for entry in lkcook.models() if entry.reference) == Counter(listed)


@pytest.mark.parametrize("string", TODAY)
def test_a_string_of_the_reference_has_its_status_and_what_to_write_today(string: str) -> None:
    assert (row(string).status, row(string).string) == TODAY[string]


@pytest.mark.parametrize("name, description, string", REFERENCE_VOICES)
def test_a_popular_voice_tells_whose_it_is(name: str, description: str, string: str) -> None:
    assert row(string).kind == "voice" and row(string).note.startswith(f"{name}, {description}")
    assert lkcook.parse(string).note.startswith(f"{name}, {description}")


def test_whatever_does_not_simply_work_says_why() -> None:
    assert all(entry.note for entry in lkcook.models() if entry.status != "works")


def test_a_new_name_belongs_to_todays_provider_and_is_also_found_by_the_old_one() -> None:
    assert row("gemini/gemini-2.5-pro").provider == "google"
    assert row("deepseek/deepseek-v3").provider == "deepseek-ai"
    assert {entry.provider for entry in lkcook.models(provider="gemini")} == {"google"}
    assert len(lkcook.models(provider="Gemini")) == 5 and len(lkcook.models(provider="deepseek")) == 2


@pytest.mark.parametrize("kind, old", [(kind, old) for kind, known in reference.SUCCESSORS.items() for old in known])
def test_every_successor_is_an_id_of_the_sdk_and_what_it_replaces_is_none(kind: catalog.Kind, old: str) -> None:
    new, why = reference.SUCCESSORS[kind][old]
    assert new in catalog.ids(kind) and old not in catalog.ids(kind) and why


def test_every_newer_generation_is_an_id_of_the_sdk_as_is_the_one_before() -> None:
    for old, new in reference.NEWER.items():
        assert any(old in catalog.ids(kind) and new in catalog.ids(kind) for kind in KINDS), (old, new)


def test_a_newer_generation_is_named_in_a_note_only_if_it_exists() -> None:
    known = {model for kind in KINDS for model in catalog.ids(kind)}
    notes = [entry.note for entry in lkcook.models() if "newer: " in entry.note]
    assert len(notes) >= 6
    assert all(note.rpartition("newer: ")[2] in known for note in notes)


def test_plugin_code_is_accepted_by_the_installed_plugin() -> None:
    removed = lkcook.models(status="removed")
    assert len(removed) == 3
    for entry in removed:
        call: Any = ast.parse(entry.string, mode="eval").body
        values = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
        assert call.func.value.id == "elevenlabs" and "from livekit.plugins import elevenlabs" in entry.note
        inspect.signature(getattr(elevenlabs, call.func.attr)).bind(**values)


def test_the_realtime_models_of_the_openai_plugin_are_known_to_it() -> None:
    known = get_args(openai_types.RealtimeModels)
    assert reference.REALTIME[0].model in known and "gpt-realtime" in known


def test_all_plugin_code_is_python() -> None:
    for entry in lkcook.models():
        if "(" in entry.string:
            ast.parse(entry.string, mode="eval")
