"""Which models answer, and what `setup()` does to the environment. The gateway itself is tested elsewhere."""

from __future__ import annotations

import os

import pytest

from lkcook import backend
from lkcook.engines import weights
from lkcook.errors import BackendError
from lkcook.gateway import process
from lkcook.gateway.process import Address

ADDRESS = Address(
    "http://127.0.0.1:4711/v1", "lkcook-key", "lkcook-secret-of-at-least-32-bytes", 1, "", "https://127.0.0.1:4712", "/bundle"
)
OWN = process.environment(ADDRESS)
KEYS = {
    "LIVEKIT_URL": "wss://reader.livekit.cloud",
    "LIVEKIT_API_KEY": "readers-key",
    "LIVEKIT_API_SECRET": "readers-secret",
}


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader without keys, and a gateway that is always there."""
    for name in (*OWN, *KEYS, *backend.FLIP_DEFAULTS):
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


def test_a_gateway_that_came_back_elsewhere_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    backend.setup()
    moved = Address("http://127.0.0.1:4713/v1", "new-key", "new-secret", 2, "", "https://127.0.0.1:4714", "/bundle")
    monkeypatch.setattr(process, "ensure", lambda: moved)
    backend.refresh()
    assert environment() == process.environment(moved)
    backend._give_back()
    assert environment() == {}


def test_the_models_that_are_still_loading_are_named_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    states = {"stt": "ready", "llm": "loading", "tts": "failed: no such file"}
    monkeypatch.setattr(process.Address, "status", lambda self: {"models": states})
    assert backend.loading() == [], "nothing is set up"
    backend.setup("embedded")
    assert backend.loading() == ["the language model"]


def test_on_the_cloud_nothing_is_loading(keys: None) -> None:
    backend.setup("cloud")
    assert backend.loading() == []
