"""The table of model strings: all of the reference, all of the installed SDK, and what to write today."""

from __future__ import annotations

import ast
import inspect
import json
import sys
import types
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from importlib import metadata
from pathlib import Path
from typing import Any, get_args

import pytest
from livekit.agents import inference
from livekit.agents.inference import stt as sdk_stt, tts as sdk_tts
from livekit.agents.llm._realtime import openai_types
from livekit.plugins import elevenlabs

import lkcook
from lkcook import catalog, reference
from lkcook.errors import CookError
from lkcook.model_strings import Entry, Models

SNAPSHOT = Path(__file__).with_name("catalog_literals.json")
REGENERATE = "python -m tests.test_catalog"
KINDS: tuple[catalog.Kind, ...] = get_args(catalog.Kind)

# copied from the models reference by hand, on purpose: this is what the data has to agree with
REFERENCE_STT = [
    "assemblyai/universal-streaming:en",
    "assemblyai/universal-streaming-multilingual:en",
    "cartesia/ink",
    "deepgram/flux-general:en",
    "deepgram/nova-3:en",
    "deepgram/nova-3:multi",
    "deepgram/nova-2:en",
    "elevenlabs/scribe_v1:en",
    "auto:en",
    "auto:es",
]
REFERENCE_LLM = [
    "openai/gpt-4.1-mini",
    "openai/gpt-4.1",
    "openai/gpt-4.1-nano",
    "openai/gpt-5",
    "openai/gpt-5-mini",
    "openai/gpt-5-nano",
    "openai/gpt-5.1",
    "openai/gpt-5.2",
    "openai/gpt-oss-120b",
    "gemini/gemini-3-pro",
    "gemini/gemini-3-flash",
    "gemini/gemini-2.5-pro",
    "gemini/gemini-2.5-flash",
    "gemini/gemini-2.0-flash",
    "deepseek/deepseek-v3",
    "deepseek/deepseek-v3.2",
]
REFERENCE_TTS = [
    "cartesia/sonic-3:{voice_id}",
    "cartesia/sonic-2:{voice_id}",
    "deepgram/aura-2:{voice}",
    "elevenlabs/eleven_turbo_v2_5:{voice_id}",
    "inworld/inworld-tts-1:{voice_name}",
    "rime/arcana:{voice}",
    "rime/mist:{voice}",
]
REFERENCE_VOICES = [
    ("Jacqueline", "American female", "cartesia/sonic-3:9626c31c-bec5-4cca-baa8-f8ba9e84c8bc"),
    ("Blake", "American male", "cartesia/sonic-3:a167e0f3-df7e-4d52-a9c3-f949145efdab"),
    ("Apollo", "casual male", "deepgram/aura-2:apollo"),
    ("Athena", "professional female", "deepgram/aura-2:athena"),
    ("Jessica", "playful female", "elevenlabs/eleven_turbo_v2_5:cgSgspJ2msm6clMCkdW9"),
    ("Luna", "excitable female", "rime/arcana:luna"),
]
REFERENCE_REALTIME = [
    'openai.realtime.RealtimeModel(voice="coral", model="gpt-4o-realtime-preview")',
    'google.realtime.RealtimeModel(voice="Puck")',
    'xai.realtime.RealtimeModel(voice="aurora")',
]
TODAY = {
    "assemblyai/universal-streaming:en": ("newer exists", "assemblyai/universal-streaming:en"),
    "cartesia/ink": ("renamed", "cartesia/ink-whisper"),
    "deepgram/nova-3:multi": ("works", "deepgram/nova-3:multi"),
    "elevenlabs/scribe_v1:en": ("removed", "elevenlabs.STT()"),
    "auto:es": ("works", "auto:es"),
    "openai/gpt-4.1-mini": ("works", "openai/gpt-4.1-mini"),
    "gemini/gemini-3-pro": ("renamed", "google/gemini-3.1-pro"),
    "gemini/gemini-3-flash": ("renamed", "google/gemini-3-flash"),
    "gemini/gemini-2.5-pro": ("renamed", "google/gemini-2.5-pro"),
    "gemini/gemini-2.5-flash": ("renamed", "google/gemini-2.5-flash"),
    "gemini/gemini-2.0-flash": ("renamed", "google/gemini-2.5-flash-lite"),
    "deepseek/deepseek-v3": ("renamed", "deepseek-ai/deepseek-v3"),
    "deepseek/deepseek-v3.2": ("renamed", "deepseek-ai/deepseek-v3.2"),
    "cartesia/sonic-3:{voice_id}": ("newer exists", "cartesia/sonic-3:{voice}"),
    "cartesia/sonic-2:{voice_id}": ("newer exists", "cartesia/sonic-2:{voice}"),
    "deepgram/aura-2:{voice}": ("works", "deepgram/aura-2:{voice}"),
    "elevenlabs/eleven_turbo_v2_5:{voice_id}": (
        "removed",
        'elevenlabs.TTS(voice_id=..., model="eleven_turbo_v2_5")',
    ),
    "inworld/inworld-tts-1:{voice_name}": ("newer exists", "inworld/inworld-tts-1:{voice}"),
    "rime/arcana:{voice}": ("renamed", "rime/coda:{voice}"),
    "rime/mist:{voice}": ("newer exists", "rime/mist:{voice}"),
    "deepgram/aura-2:apollo": ("works", "deepgram/aura-2:apollo"),
    "elevenlabs/eleven_turbo_v2_5:cgSgspJ2msm6clMCkdW9": (
        "removed",
        'elevenlabs.TTS(voice_id="cgSgspJ2msm6clMCkdW9", model="eleven_turbo_v2_5")',
    ),
    "rime/arcana:luna": ("renamed", "rime/coda:luna"),
    REFERENCE_REALTIME[0]: (
        "newer exists",
        'openai.realtime.RealtimeModel(voice="coral", model="gpt-realtime")',
    ),
    REFERENCE_REALTIME[1]: ("works", REFERENCE_REALTIME[1]),
    REFERENCE_REALTIME[2]: ("renamed", 'xai.realtime.RealtimeModel(voice="ara")'),
}
BARE = ["cartesia", "deepgram", "rime", "inworld", "fishaudio"]


def references(kind: str) -> list[str]:
    return [entry.reference for entry in lkcook.models(kind) if entry.reference]


def row(reference_string: str) -> Entry:
    [entry] = [entry for entry in lkcook.models() if entry.reference == reference_string]
    return entry


@pytest.fixture
def forgetful() -> Iterator[None]:
    """What was read from the SDK is read anew, before and after."""
    catalog.ids.cache_clear(), catalog._entries.cache_clear()
    yield
    catalog.ids.cache_clear(), catalog._entries.cache_clear()


# --- the reference


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


# --- the installed SDK


def test_ids_come_from_the_sdk_itself() -> None:
    assert set(catalog.ids("vad")) == set(get_args(inference.VADModels))
    assert set(catalog.ids("decision")) == set(get_args(inference.DecisionModels))
    assert set(catalog.ids("turn_detector")) == set(get_args(inference.TurnDetectorModels))
    assert all(inference.is_duplex_model(model) for model in catalog.ids("duplex"))
    assert all(inference.is_realtime_model(model) for model in catalog.ids("realtime"))
    assert "auto" in catalog.ids("stt") and "cartesia" in catalog.ids("tts")


def test_every_id_of_the_sdk_stands_in_the_table_once() -> None:
    """Once for each string, that is: the reference has two with nova-3 and two with auto."""
    for kind in KINDS:
        working = [entry for entry in lkcook.models(kind) if entry.status in ("works", "newer exists")]
        found = Counter(entry.model for entry in working if entry.model in catalog.ids(kind))
        twice = {"deepgram/nova-3", "auto"} if kind == "stt" else set()
        assert found == {model: 2 if model in twice else 1 for model in catalog.ids(kind)}, kind


def test_what_works_is_known_to_the_sdk() -> None:
    plugins = {plugin.reference for plugin in reference.REALTIME}
    for entry in lkcook.models():
        if entry.reference in plugins:
            continue
        kind: Any = "tts" if entry.kind == "voice" else entry.kind
        assert (entry.status in ("works", "newer exists")) == (entry.model in catalog.ids(kind)), entry


def test_no_two_rows_of_a_kind_say_the_same() -> None:
    rows = Counter((entry.kind, entry.model, entry.string) for entry in lkcook.models())
    assert rows.most_common(1)[0][1] == 1


def test_what_to_write_today_parses_to_something_that_works() -> None:
    for entry in lkcook.models():
        if "(" not in entry.string:
            assert lkcook.parse(entry.string).status in ("works", "newer exists"), entry


def test_a_retired_realtime_id_still_works_and_leads_to_its_successor() -> None:
    [entry] = [entry for entry in lkcook.models("realtime") if entry.model == "openai/gpt-realtime-2"]
    assert (entry.status, entry.string) == ("newer exists", "openai/gpt-realtime-2.1")
    assert "openai/gpt-realtime-2 is retired" in entry.note


def test_kinds_without_a_model_string_are_written_as_code() -> None:
    assert [entry.string for entry in lkcook.models("vad")] == ['inference.VAD(model="silero")']
    assert 'inference.TurnDetector(version="v1-mini")' in [entry.string for entry in lkcook.models("turn_detector")]
    assert 'inference.DecisionModel("typesafe/jev")' in [entry.string for entry in lkcook.models("decision")]
    versions = [entry.string.split('"')[1] for entry in lkcook.models("turn_detector")]
    assert set(versions) == set(get_args(inference.TurnDetectorVersions))


def test_the_colon_of_each_kind_is_told() -> None:
    options = {(entry.kind, entry.option) for entry in lkcook.models()}
    assert {pair for pair in options if pair[1]} == {("stt", "language"), ("tts", "voice"), ("voice", "voice")}
    assert all(entry.string.endswith(":{voice}") for entry in lkcook.models("tts", status="works"))


def test_the_embedded_gateway_serves_speech_and_language_models() -> None:
    assert {entry.kind for entry in lkcook.models() if entry.embedded} == {"stt", "llm", "tts", "voice"}
    assert all(entry.embedded for kind in ("stt", "llm", "tts", "voice") for entry in lkcook.models(kind))


def snapshot() -> dict[str, Any]:
    """The literals of the installed SDK, in the form of the file."""
    return {"livekit-agents": metadata.version("livekit-agents"), **{kind: sorted(catalog.ids(kind)) for kind in KINDS}}


def changes(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Which ids came and which went: a line for each kind and direction."""
    return [
        f"{kind}: {word} {', '.join(sorted(ids))}"
        for kind in KINDS
        for word, ids in (("came", set(now[kind]) - set(before[kind])), ("went", set(before[kind]) - set(now[kind])))
        if ids
    ]


def test_the_sdk_has_the_ids_that_were_looked_at() -> None:
    before, now = json.loads(SNAPSHOT.read_text()), snapshot()
    changed = changes(before, now)
    assert not changed, "\n".join(
        [
            f"livekit-agents {now['livekit-agents']} is installed; the table was last compared with "
            f"{before['livekit-agents']}.",
            *changed,
            "Look whether lkcook/reference.py needs a successor or a newer generation, then write the file anew:",
            f"  {REGENERATE}",
        ]
    )


def test_an_upgrade_of_the_sdk_is_told_by_the_ids_that_came_and_went() -> None:
    before, now = snapshot(), snapshot()
    now["tts"] = ["cartesia/sonic-9", *[model for model in now["tts"] if model != "rime/mist"]]
    assert changes(before, now) == ["tts: came cartesia/sonic-9", "tts: went rime/mist"]


def test_an_id_that_a_later_sdk_drops_no_longer_counts_as_working(
    monkeypatch: pytest.MonkeyPatch, forgetful: None
) -> None:
    monkeypatch.setattr(inference, "LLMModels", inference.llm.GoogleModels)
    assert row("openai/gpt-5").status == "unknown" and row("openai/gpt-5").string.startswith("google/")
    assert {entry.provider for entry in lkcook.models("llm", status="works")} == {"google"}


# --- filters and how it looks


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
    assert {entry.kind for entry in lkcook.models().where(embedded=False)} == set(KINDS) - {"stt", "llm", "tts"}


def test_a_filter_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(CookError, match="no kind 'speech'(.|\n)*stt, llm, tts"):
        lkcook.models("speech")
    with pytest.raises(CookError, match="no status 'gone'(.|\n)*works, newer exists"):
        lkcook.models(status="gone")


def test_nobody_can_change_the_table_for_others() -> None:
    lkcook.models().clear()
    assert len(lkcook.models()) > 100


class Cells(HTMLParser):
    """The text of every cell, and every tag."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"


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


# --- an id that is not known


@pytest.mark.parametrize(
    "old, kind, new",
    [
        ("gemini/gemini-2.5-pro", "llm", "google/gemini-2.5-pro"),
        ("gemini/gemini-2.0-flash", "llm", "google/gemini-2.5-flash-lite"),
        ("gemini/gemini-3-pro", "llm", "google/gemini-3.1-pro"),
        ("deepseek/deepseek-v3", "llm", "deepseek-ai/deepseek-v3"),
        ("cartesia/ink", "stt", "cartesia/ink-whisper"),
        ("rime/arcana", "tts", "rime/coda"),
        ("openai/gpt-4o-realtime-preview", "realtime", "openai/gpt-realtime"),
    ],
)
def test_the_nearest_to_an_old_id_is_the_one_that_took_its_place(old: str, kind: catalog.Kind, new: str) -> None:
    assert catalog.nearest(old, kind) == new
    assert catalog.advice(old, kind) == f"did you mean {new!r}?"


@pytest.mark.parametrize(
    "typo, kind, meant",
    [
        ("deepgram/nova3", "stt", "deepgram/nova-3"),
        ("nova-3", "stt", "deepgram/nova-3"),
        ("Cartesia/Sonic-3", "tts", "cartesia/sonic-3"),
        ("gemini/gemini-2.5-flash-lite", "llm", "google/gemini-2.5-flash-lite"),
        ("openai/gpt-realtime-2.2", "realtime", "openai/gpt-realtime-2.1"),
        ("slero", "vad", "silero"),
    ],
)
def test_the_nearest_to_a_typo_is_what_it_resembles(typo: str, kind: catalog.Kind, meant: str) -> None:
    assert catalog.nearest(typo, kind) == meant


def test_every_known_id_is_nearest_to_itself() -> None:
    assert all(catalog.nearest(model, kind) == model for kind in KINDS for model in catalog.ids(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_something_is_nearest_to_anything_and_it_is_no_retired_id(kind: catalog.Kind) -> None:
    for model in ("", "/", "x", "totally/bogus", "openai/gpt-realtime-1.6", "ключ/модель"):
        assert catalog.nearest(model, kind) in set(catalog.ids(kind)) - set(catalog._retired())


def test_advice_leads_from_a_provider_that_left_to_its_plugin() -> None:
    left = "ElevenLabs left LiveKit Inference; use the plugin: "
    assert catalog.advice("elevenlabs/scribe_v1", "stt") == left + "elevenlabs.STT()"
    assert catalog.advice("elevenlabs/eleven_flash_v2_5", "tts") == (
        left + 'elevenlabs.TTS(voice_id=..., model="eleven_flash_v2_5")'
    )
    assert catalog.advice("elevenlabs", "tts") == left + "elevenlabs.TTS(voice_id=...)"
    assert catalog.advice("elevenlabs/eleven_v3", "llm").startswith("did you mean")


# --- one string taken apart


def spoken_of(parts: Any) -> tuple[str, str, str, str, str]:
    return parts.kind, parts.provider, parts.model, parts.language, parts.voice


@pytest.mark.parametrize(
    "string, expected",
    [
        ("deepgram/nova-3:en", ("stt", "deepgram", "deepgram/nova-3", "en", "")),
        ("deepgram/nova-3:English", ("stt", "deepgram", "deepgram/nova-3", "en", "")),
        ("deepgram/nova-3", ("stt", "deepgram", "deepgram/nova-3", "", "")),
        ("deepgram/nova-3:", ("stt", "deepgram", "deepgram/nova-3", "", "")),
        ("auto:es", ("stt", "livekit", "auto", "es", "")),
        ("auto", ("stt", "livekit", "auto", "", "")),
        ("cartesia/sonic-3:VOICE", ("tts", "cartesia", "cartesia/sonic-3", "", "VOICE")),
        ("cartesia", ("tts", "cartesia", "cartesia", "", "")),
        ("cartesia:VOICE", ("tts", "cartesia", "cartesia", "", "VOICE")),
        ("rime/arcana:luna", ("tts", "rime", "rime/arcana", "", "luna")),
        ("openai/gpt-4.1", ("llm", "openai", "openai/gpt-4.1", "", "")),
        ("gemini/gemini-2.5-pro", ("llm", "gemini", "gemini/gemini-2.5-pro", "", "")),
        ("openai/gpt-realtime", ("realtime", "openai", "openai/gpt-realtime", "", "")),
        ("openai/gpt-realtime-1.5", ("realtime", "openai", "openai/gpt-realtime-1.5", "", "")),
        ("openai/gpt-live-1", ("duplex", "openai", "openai/gpt-live-1", "", "")),
        ("typesafe/jev", ("decision", "typesafe", "typesafe/jev", "", "")),
        ("turn-detector-v1-mini", ("turn_detector", "livekit", "turn-detector-v1-mini", "", "")),
        ("silero", ("vad", "livekit", "silero", "", "")),
        ("elevenlabs/scribe_v2_realtime:en", ("stt", "elevenlabs", "elevenlabs/scribe_v2_realtime", "en", "")),
        ("elevenlabs:VOICE", ("tts", "elevenlabs", "elevenlabs", "", "VOICE")),
    ],
)
def test_a_string_is_taken_apart(string: str, expected: tuple[str, str, str, str, str]) -> None:
    parts = lkcook.parse(string)
    assert spoken_of(parts) == expected and parts.string == string and parts.status != "unknown"


@pytest.mark.parametrize(
    "string, status, today",
    [
        ("cartesia/sonic-3:VOICE", "newer exists", "cartesia/sonic-3:VOICE"),
        ("deepgram/aura-2:apollo", "works", "deepgram/aura-2:apollo"),
        ("rime/arcana:luna", "renamed", "rime/coda:luna"),
        ("gemini/gemini-2.0-flash", "renamed", "google/gemini-2.5-flash-lite"),
        ("cartesia/ink:de", "renamed", "cartesia/ink-whisper:de"),
        ("openai/gpt-realtime-1.5", "newer exists", "openai/gpt-realtime-2.1"),
        ("elevenlabs/scribe_v1:en", "removed", "elevenlabs.STT()"),
        ('elevenlabs/eleven_v3:a"b', "removed", 'elevenlabs.TTS(voice_id="a\\"b", model="eleven_v3")'),
        ("deepgram/nova3:en", "unknown", "deepgram/nova-3:en"),
        ("cartesia/sonic-9:VOICE", "unknown", "cartesia/sonic-3:VOICE"),
        ("openai/gpt-4.1:en", "unknown", "openai/gpt-4.1"),
        ("openai/gpt-realtime:coral", "unknown", "openai/gpt-realtime"),
    ],
)
def test_a_string_says_what_to_write_today(string: str, status: str, today: str) -> None:
    assert (lkcook.parse(string).status, lkcook.parse(string).today) == (status, today)


def test_a_string_is_split_where_the_sdk_splits_it() -> None:
    for string in ["deepgram/nova-3:en-us", "auto:es", "deepgram/nova-3", "deepgram/nova-3:", "cartesia/ink:de"]:
        model, language = sdk_stt._parse_model_string(string)
        assert (lkcook.parse(string).model, lkcook.parse(string).language) == (model, language or "")
    for string in ["cartesia/sonic-3:V", "cartesia", "rime/coda:", "cartesia:V", "elevenlabs/eleven_v3:V"]:
        model, voice = sdk_tts._parse_model_string(string)
        assert (lkcook.parse(string).model, lkcook.parse(string).voice) == (model, voice or "")


def test_the_last_colon_is_the_one_that_counts() -> None:
    string = "deepgram/aura-2:a:b"
    assert sdk_tts._parse_model_string(string) == ("deepgram/aura-2:a", "b")
    assert lkcook.parse(string).status == "unknown"


def test_an_id_belongs_to_one_kind_so_that_it_alone_tells_the_kind() -> None:
    assert Counter(model for kind in KINDS for model in catalog.ids(kind)).most_common(1)[0][1] == 1
    for kind in KINDS:
        assert {lkcook.parse(model).kind for model in catalog.ids(kind)} == {kind}


def test_a_realtime_string_is_one_by_its_exact_id_as_in_the_sdk() -> None:
    for string in ["openai/gpt-realtime", "openai/gpt-realtime-2", "openai/gpt-realtime:coral", "openai/gpt-4.1"]:
        known = lkcook.parse(string).kind == "realtime" and lkcook.parse(string).status != "unknown"
        assert known == inference.is_realtime_model(string)


@pytest.mark.parametrize("string", BARE)
def test_a_bare_provider_is_a_voice_of_its_own_choice(string: str) -> None:
    parts = lkcook.parse(string)
    assert (parts.kind, parts.status, parts.today) == ("tts", "works", string)
    assert "default model" in parts.note


ODD = [":", "/", "::", "x", "a/b:c:d", " deepgram/nova-3:en", "🙂/🙂:🙂", "\n.", "a" * 5000]


@pytest.mark.parametrize("string", ODD)
def test_no_text_is_too_odd_to_be_explained(string: str) -> None:
    parts = lkcook.parse(string)
    assert parts.status == "unknown" and parts.today
    assert "unknown" in repr(parts) and "nearest" in parts._repr_html_()


@pytest.mark.parametrize("nothing", ["", "  ", None, 7, ["deepgram/nova-3"], b"auto"])
def test_what_is_no_text_at_all_is_refused(nothing: Any) -> None:
    with pytest.raises(CookError, match=r"is no model string(.|\n)*lkcook.models\(\)"):
        lkcook.parse(nothing)


def test_the_parts_are_explained_in_words() -> None:
    assert repr(lkcook.parse("rime/arcana:luna")).splitlines() == [
        "rime/arcana:luna",
        "part         in words",
        "kind         text to speech",
        "provider     rime",
        "model        rime/arcana",
        "voice        luna, after the last colon",
        "status       renamed: another id today",
        "write today  rime/coda:luna",
        "note         Luna, excitable female; Rime replaced Arcana by Coda",
    ]


def test_a_notebook_shows_the_parts_in_two_columns() -> None:
    cells = Cells(lkcook.parse("auto:es")._repr_html_())
    assert cells.tags["th"] == 2 and cells.tags["td"] == 2 * (cells.tags["tr"] - 1)
    assert "es, after the last colon" in cells.text and "LiveKit chooses a model for the language" in cells.text


def test_what_stands_after_the_id_of_a_language_model_is_pointed_at() -> None:
    assert lkcook.parse("openai/gpt-4.1:en").note == "nothing stands after the id of a language model"


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(snapshot(), indent=2) + "\n")
