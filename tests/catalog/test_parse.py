"""One string taken apart and explained."""

from __future__ import annotations

from collections import Counter
from typing import Any, get_args

import pytest
from livekit.agents import inference
from livekit.agents.inference import stt as sdk_stt, tts as sdk_tts

import lkcook
from lkcook import catalog
from lkcook.errors import CookError
from tests.catalog.rows import BARE
from tests.catalog.cells import Cells

KINDS: tuple[catalog.Kind, ...] = get_args(catalog.Kind)


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
