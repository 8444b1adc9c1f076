"""Which models answer, and what `setup()` does to the environment. The gateway itself is tested elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lkcook import backend
from lkcook.engines import weights
from lkcook.errors import BackendError
from lkcook.gateway import process, variables, written_turn
from lkcook.gateway.address import Address

ADDRESS = Address(
    "http://127.0.0.1:4711/v1", "lkcook-key", "lkcook-secret-of-at-least-32-bytes", 1, "", "https://127.0.0.1:4712", "/bundle"
)
OWN = variables.environment(ADDRESS) | {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
KEYS = {
    "LIVEKIT_URL": "wss://reader.livekit.cloud",
    "LIVEKIT_API_KEY": "readers-key",
    "LIVEKIT_API_SECRET": "readers-secret",
}


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader without keys, and a gateway that is always there."""
    for name in (*OWN, *KEYS, *backend.FLIP_DEFAULTS, "AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK"):
        monkeypatch.setenv(name, "")  # so that it is put back afterwards
        monkeypatch.delenv(name)
    monkeypatch.setattr(backend, "_in_force", None)
    monkeypatch.setattr(weights, "fetch_all_with_progress", lambda: None)
    monkeypatch.setattr(process, "ensure", lambda: ADDRESS)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


def environment() -> dict[str, str]:
    return {name: os.environ[name] for name in (*OWN, *KEYS) if name in os.environ}


def test_without_keys_the_models_on_this_machine_are_chosen() -> None:
    assert backend.setup().name == "embedded"
    assert environment() == OWN


def test_with_keys_the_cloud_is_chosen_and_nothing_is_changed(keys: None) -> None:
    assert backend.setup().name == "cloud"
    assert environment() == KEYS


def test_the_readers_keys_wait_aside_while_the_machine_is_insisted_on(keys: None) -> None:
    assert "kept aside" in backend.setup("embedded").note
    assert environment() == {**KEYS, **OWN}
    assert backend.setup().name == "cloud"
    assert environment() == KEYS


def test_an_inference_address_of_the_readers_own_comes_back(keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_INFERENCE_URL", "https://inference.example/v1")
    backend.setup("embedded")
    backend.setup("cloud")
    assert os.environ["LIVEKIT_INFERENCE_URL"] == "https://inference.example/v1"


def test_googles_variables_of_the_readers_own_come_back(keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"GOOGLE_API_KEY": "AIza-readers", "SSL_CERT_FILE": "/etc/company.pem"}
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    backend.setup("embedded")
    assert environment() == {**KEYS, **OWN} and OWN["GOOGLE_GEMINI_BASE_URL"] == "https://127.0.0.1:4712"
    backend.setup("cloud")
    assert environment() == {**KEYS, **own}


def test_anthropics_and_ollamas_clients_are_pointed_here_and_the_readers_key_comes_back(
    keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-readers")
    backend.setup("embedded")
    key = os.environ["ANTHROPIC_API_KEY"]
    assert key == OWN["OPENAI_API_KEY"] and os.environ["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:4711"
    assert os.environ["OLLAMA_BASE_URL"] == f"http://ollama:{key}@127.0.0.1:4711/v1"
    backend.setup("cloud")
    assert environment() == {**KEYS, "ANTHROPIC_API_KEY": "sk-ant-readers"}


def test_a_provider_whose_key_is_the_readers_is_called_with_it_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-readers")
    shown = backend.setup().note
    others = {name: value for name, value in OWN.items() if not name.startswith("OPENAI_")}
    assert environment() == {**others, "OPENAI_API_KEY": "sk-readers"}
    assert "OPENAI_API_KEY" in shown and "nothing leaves it" not in shown and "sk-readers" not in shown
    backend.refresh()
    assert os.environ["OPENAI_API_KEY"] == "sk-readers" and "OPENAI_BASE_URL" not in os.environ


def test_who_insists_on_this_machine_keeps_everything_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-readers")
    assert "nothing leaves it" in backend.setup("embedded").note
    assert environment() == OWN
    backend.setup()
    assert os.environ["OPENAI_API_KEY"] == "sk-readers"


def _amazons() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in OWN and name.startswith("AWS_")}


def test_amazons_clients_are_pointed_here_and_a_region_of_the_readers_stays(
    keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    backend.setup("embedded")
    own = {name: value for name, value in OWN.items() if name.startswith("AWS_")}
    assert _amazons() == own | {"AWS_REGION": "eu-west-1"}
    assert os.environ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] == "http://127.0.0.1:4711"
    backend.setup("cloud")
    assert _amazons() == {"AWS_REGION": "eu-west-1"}


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK"])
def test_amazon_is_left_alone_where_the_reader_has_an_account(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "readers")
    assert f"With {name}, which is yours" in backend.setup().note
    assert set(_amazons()) <= {name} and os.environ[name] == "readers"
    assert "nothing leaves it" in backend.setup("embedded").note
    bearer = os.environ.get("AWS_BEARER_TOKEN_BEDROCK", "")
    assert os.environ["AWS_ACCESS_KEY_ID"] == OWN["AWS_ACCESS_KEY_ID"] and bearer in ("", OWN["OPENAI_API_KEY"])
    backend.setup()
    assert os.environ[name] == "readers" and set(_amazons()) <= {name}


def test_a_file_of_amazons_counts_when_it_opens_an_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    file.write_text("[default]\nregion = eu-west-1\n")
    assert "nothing leaves it" in backend.setup().note and _amazons()
    file.write_text("[default]\nsso_session = work\n")
    assert "With ~/.aws/config, which is yours" in backend.setup().note and not _amazons()


def test_setting_up_twice_changes_nothing_more() -> None:
    backend.setup()
    backend.setup()
    assert environment() == OWN
    assert backend.missing_cloud_keys() == list(KEYS)


def test_the_cloud_without_keys_is_refused_with_their_names() -> None:
    with pytest.raises(BackendError, match="LIVEKIT_URL and LIVEKIT_API_KEY and LIVEKIT_API_SECRET"):
        backend.setup("cloud")


def test_half_of_the_keys_is_worth_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_URL", KEYS["LIVEKIT_URL"])
    chosen = backend.setup()
    assert chosen.name == "embedded" and "LIVEKIT_API_KEY and LIVEKIT_API_SECRET" in chosen.note


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(BackendError, match="moon"):
        backend.setup("moon")  # type: ignore[arg-type]


@pytest.mark.parametrize("choice", ["embedded", "cloud"])
def test_what_is_shown_is_one_line_without_any_secret(keys: None, choice: backend.Name) -> None:
    chosen = backend.setup(choice)
    for shown in (repr(chosen), chosen._repr_html_()):
        assert "\n" not in shown
        assert not any(secret in shown for secret in ("readers-key", "readers-secret", "lkcook-key", "lkcook-secret"))


def test_variables_that_flip_livekits_defaults_are_pointed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_DEV_MODE", "1")
    assert "LIVEKIT_DEV_MODE" in repr(backend.setup())


def test_the_address_that_a_job_has_set_is_not_pointed_out_but_the_readers_own_is(monkeypatch: pytest.MonkeyPatch) -> None:
    backend.setup()
    monkeypatch.setenv("LIVEKIT_REMOTE_EOT_URL", written_turn.address_for(ADDRESS))
    assert "LIVEKIT_REMOTE_EOT_URL" not in repr(backend.setup())
    monkeypatch.setenv("LIVEKIT_REMOTE_EOT_URL", "https://eot.example")
    assert "LIVEKIT_REMOTE_EOT_URL" in repr(backend.setup())


def test_a_gateway_that_came_back_elsewhere_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    backend.setup()
    moved = Address("http://127.0.0.1:4713/v1", "new-key", "new-secret", 2, "", "https://127.0.0.1:4714", "/bundle")
    monkeypatch.setattr(process, "ensure", lambda: moved)
    backend.refresh()
    assert environment() == variables.environment(moved)
    backend._give_back()
    assert environment() == {}


def test_the_models_that_are_still_loading_are_named_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    states = {"stt": "ready", "llm": "loading", "tts": "failed: no such file"}
    monkeypatch.setattr(Address, "status", lambda self: {"models": states})
    assert backend.loading() == [], "nothing is set up"
    backend.setup("embedded")
    assert backend.loading() == ["the language model"]


def test_on_the_cloud_nothing_is_loading(keys: None) -> None:
    backend.setup("cloud")
    assert backend.loading() == []
