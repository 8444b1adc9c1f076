"""What the table says is what an import shows, though it imports nothing; and how it looks."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from importlib import metadata, util
from pathlib import Path
from types import ModuleType

import pytest
from livekit.agents import llm, stt, tts

import lkcook
from lkcook.errors import CookError
from lkcook.gateway import variables
from lkcook.gateway.address import Address
from lkcook.providers.facts import PROVIDERS, Fact
from tests.catalog.cells import Cells

BASES = {"LLM": llm.LLM, "STT": stt.STT, "TTS": tts.TTS, "realtime": llm.RealtimeModel}
REFERENCE = ["anthropic", "openai", "ollama", "aws", "azure", "baseten", "cerebras", "deepgram", "elevenlabs",
             "fireworks", "google", "groq", "mistral"]  # fmt: skip
OWN = [fact for fact in PROVIDERS if fact.whole]
IDS = [fact.name for fact in OWN]


def imported(module: ModuleType, prefix: str) -> set[tuple[str, str]]:
    """(name as in code, kind) of every public model class of a package."""
    classes = [(name, value) for name, value in vars(module).items() if inspect.isclass(value)]
    return {
        (f"{prefix}.{name}", kind)
        for name, value in classes
        for kind, base in BASES.items()
        if issubclass(value, base) and value.__module__.startswith(module.__name__)
    }


def found_by_import(fact: Fact) -> set[tuple[str, str]]:
    root = importlib.import_module(f"livekit.plugins.{fact.module}")
    found = imported(root, fact.module)
    for name in ("realtime", "responses"):
        try:
            nested = getattr(root, name)
        except (AttributeError, ImportError):  # there is none, or it needs more packages
            continue
        found |= imported(nested, f"{fact.module}.{name}")
    return found


@pytest.mark.parametrize("fact", OWN, ids=IDS)
def test_the_models_read_from_the_source_are_those_that_an_import_shows(fact: Fact) -> None:
    provider = lkcook.plugins(fact.name)
    own = {(model.name, model.kind) for model in provider.models if ".with_" not in model.name}
    extra = {(name, kind) for name, kind in own if kind == "realtime"} if provider.realtime_extra else set()
    assert own - extra == found_by_import(fact) - extra and own - extra


@pytest.mark.parametrize("fact", OWN, ids=IDS)
def test_the_parameters_are_those_of_the_constructor(fact: Fact) -> None:
    for model in lkcook.plugins(fact.name).models:
        if model.kind == "realtime" and lkcook.plugins(fact.name).realtime_extra:
            continue
        value: object = importlib.import_module(f"livekit.plugins.{model.name.partition('.')[0]}")
        for name in model.name.split(".")[1:]:
            value = getattr(value, name)
        parameters = inspect.signature(value).parameters.values()  # type: ignore[arg-type]
        assert set(model.parameters) == {each.name for each in parameters if each.kind is not each.VAR_KEYWORD}


def test_the_reference_s_thirteen_are_there_in_its_order_and_every_row_is_full() -> None:
    rows = lkcook.plugins().rows
    assert [row["provider"] for row in rows] == REFERENCE
    for row in rows:
        assert any(row[kind] for kind in BASES) and row["installed"] == "1.8.9" and row["address"]
        assert row["documentation"].startswith("https://docs.livekit.io/agents/")
        assert row["key"] or row["provider"] == "ollama"


def test_factories_count_for_the_provider_they_reach() -> None:
    rows = {row["provider"]: row for row in lkcook.plugins().rows}
    assert rows["ollama"]["LLM"] == "openai.LLM.with_ollama" and rows["ollama"]["key"] == ""
    assert "openai.LLM.with_fireworks" in rows["fireworks"]["LLM"] and rows["fireworks"]["STT"] == "fireworksai.STT"
    assert "openai.LLM.with_azure" in rows["azure"]["LLM"] and ".with_" not in rows["openai"]["LLM"]


def test_an_address_is_fixed_where_neither_a_parameter_nor_a_variable_changes_it() -> None:
    google = lkcook.plugins("google")
    ways = {model.name: google.ways(model) for model in google.models}
    assert ways["google.STT"] == ways["google.TTS"] == () and "GOOGLE_GEMINI_BASE_URL" in ways["google.LLM"]
    assert lkcook.plugins("mistral").row["address"] == "client="


@pytest.mark.parametrize("fact", [fact for fact in PROVIDERS if fact.address], ids=lambda fact: fact.name)
def test_an_sdk_reads_the_variable_that_is_said_to_change_its_address(fact: Fact) -> None:
    assert fact.address is not None
    module = util.find_spec(fact.address.reader)
    assert module and module.origin and fact.address.variable in Path(module.origin).read_text()


def test_what_is_said_to_be_answered_offline_is_a_kind_that_the_provider_has() -> None:
    for provider in lkcook.plugins():
        assert set(provider.offline) <= {model.kind for model in provider.models}
    assert set(lkcook.plugins("openai").offline) == set(BASES) and lkcook.plugins("aws").offline == ("LLM",)


@pytest.mark.parametrize(
    ("name", "found"), [("GROQ", "groq"), ("AWS Bedrock", "aws"), ("mistralai", "mistral"), ("fireworksai", "fireworks")]
)
def test_a_provider_is_found_by_each_of_its_names(name: str, found: str) -> None:
    assert lkcook.plugins(name).name == found


def test_an_unknown_provider_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(CookError, match="(?s)no provider 'grok'.*'groq'"):
        lkcook.plugins("grok")
    with pytest.raises(CookError, match="anthropic, openai, ollama"):
        lkcook.plugins("somebody")


def test_missing_is_what_the_recipe_needs_and_nobody_has_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    assert lkcook.plugins("aws").missing == ("AWS_ACCESS_KEY_ID",)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "made-up")
    assert lkcook.plugins("aws").missing == ()


def test_the_gateways_own_key_is_none_for_what_does_not_run_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    address = Address("http://127.0.0.1:4711/v1", "lkcook-key", "lkcook-secret-of-at-least-32-bytes", 1, "")
    for name, value in variables.environment(address).items():
        monkeypatch.setenv(name, value)
    assert lkcook.plugins("aws").missing == ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    assert lkcook.plugins("fireworks").missing == ("FIREWORKS_API_KEY",) and lkcook.plugins("groq").missing == ()
    assert "Polly, Transcribe and Nova Sonic want an account" in repr(lkcook.plugins("aws"))


def test_without_its_plugin_a_provider_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    version = metadata.version

    def without_groq(package: str) -> str:
        if package == "livekit-plugins-groq":
            raise metadata.PackageNotFoundError(package)
        return version(package)

    monkeypatch.setattr(metadata, "version", without_groq)
    groq = lkcook.plugins("groq")
    line = f"pip install livekit-plugins-groq=={version('livekit-agents')}"
    assert groq.row["installed"] == line and line in repr(groq) and line in groq._repr_html_()


def test_the_table_is_made_without_importing_the_sdk_or_a_plugin() -> None:
    heavy = "[n for n in sys.modules if n.startswith(('livekit.agents', 'livekit.plugins.', 'openai', 'google.genai'))]"
    code = f"import sys, lkcook; lkcook.plugins()._repr_html_(); repr(lkcook.plugins('aws')); print({heavy})"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_a_notebook_and_a_terminal_show_the_same_rows() -> None:
    cells = Cells(lkcook.plugins()._repr_html_())
    assert cells.tags["tr"] == 1 + len(REFERENCE) and "groq.STT" in cells.text
    lines = repr(lkcook.plugins()).splitlines()
    assert len(lines) == 1 + len(REFERENCE) and lines[0].startswith("provider")


def test_in_a_notebook_a_provider_leads_to_its_page() -> None:
    groq = lkcook.plugins("groq")
    for shown in (lkcook.plugins()._repr_html_(), groq._repr_html_()):
        assert f'<a href="{groq.documentation}"' in shown
    assert lkcook.plugins()._repr_html_().count("<a ") == len(REFERENCE)


def test_a_notebooks_table_is_narrow_and_has_a_line_for_each_model() -> None:
    html = lkcook.plugins()._repr_html_()
    assert html.count("<th ") == 5 and "groq.LLM<br>groq.STT<br>groq.TTS" in html


def test_only_a_key_of_the_readers_own_counts_as_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, own in (("gsk_readers", ("GROQ_API_KEY",)), ("sk-lkcook-1-made-up", ()), ("", ())):
        monkeypatch.setenv("GROQ_API_KEY", value)
        assert lkcook.plugins("groq").own_keys == own


def test_one_provider_is_shown_with_its_models_and_its_recipe() -> None:
    groq = lkcook.plugins("groq")
    for shown in (repr(groq), Cells(groq._repr_html_()).text):
        assert "groq.STT(model=" in shown and "GROQ_API_KEY" in shown and "docs.livekit.io" in shown
