"""All of the installed SDK stands in the table, and an upgrade that changes its ids is noticed."""

from __future__ import annotations

import json
from collections import Counter
from importlib import metadata
from pathlib import Path
from typing import Any, get_args

import pytest
from livekit.agents import inference

import lkcook
from lkcook import catalog, reference
from tests.catalog.rows import row

SNAPSHOT = Path(__file__).with_name("literals.json")
REGENERATE = "python -m tests.catalog.test_sdk"
KINDS: tuple[catalog.Kind, ...] = get_args(catalog.Kind)


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


def test_the_embedded_gateway_serves_speech_language_realtime_and_duplex_models_and_a_turn_detector() -> None:
    served = {"stt", "llm", "tts", "voice", "realtime", "duplex"}
    assert {entry.kind for entry in lkcook.models() if entry.embedded} == served | {"turn_detector"}
    assert {entry.model: entry.embedded for entry in lkcook.models("turn_detector")} == {
        "turn-detector-v1": True,
        "turn-detector-v1-mini": False,
    }
    assert all(entry.embedded for kind in ("stt", "llm", "tts", "voice", "duplex") for entry in lkcook.models(kind))


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




if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(snapshot(), indent=2) + "\n")
