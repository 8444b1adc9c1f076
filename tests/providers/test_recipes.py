"""Each recipe is whole: it compiles, constructs with made-up keys, and says which key is missing."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from importlib import util

import pytest

import lkcook
from lkcook.providers.construction import build
from lkcook.providers.recipes import RECIPES

NAMES = list(RECIPES)
ASKED_LATER = {"aws", "google"}  # their SDKs look for some of the keys only when they call
NAMELESS = {  # what the plugins of two models say without naming a variable; lkcook.plugins(…).missing does
    ("deepgram", "stt"): "Deepgram API key is required",
    ("google", "stt"): "Application default credentials must be available",
}
PARTS = [(name, part) for name, recipe in RECIPES.items() for part in recipe.parts]
OLD = sys.version_info < (3, 12)  # Amazon's client of Transcribe needs Python 3.12


@pytest.fixture(autouse=True)
def nobodys_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in {variable for provider in lkcook.plugins() for variable in (*provider.keys, *provider.needed)}:
        monkeypatch.delenv(name, raising=False)
    for name in [name for name in os.environ if name.startswith(("AWS_", "AZURE_", "OPENAI_", "GOOGLE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_GCE_CHECK", "true")  # no look at the network for a machine of Google's


def test_every_provider_has_a_recipe() -> None:
    assert NAMES == [provider.name for provider in lkcook.plugins()]


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_code_that_fills_all_three_stages_of_a_session(name: str) -> None:
    tree = ast.parse(str(lkcook.plugins(name).recipe))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    (session,) = [call for call in calls if ast.unparse(call.func) == "AgentSession"]
    assert [keyword.arg for keyword in session.keywords] == ["llm", "stt", "tts"]
    assert any(isinstance(keyword.value, ast.Call) for keyword in session.keywords)


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_constructs_with_made_up_keys_and_says_what_would_make_it_run(name: str) -> None:
    provider, before = lkcook.plugins(name), dict(os.environ)
    made = provider.construct()
    assert {*made.built, *made.failed} == set(provider.recipe.parts)
    assert set(made.failed) == ({"stt"} if name == "aws" and OLD else set()), made
    assert "\n" not in repr(made) and all(variable in repr(made) for variable in provider.needed)
    assert os.environ == before


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_uses_models_that_the_provider_is_said_to_have(name: str) -> None:
    provider = lkcook.plugins(name)
    names = {model.name for model in provider.models}
    assert all(code.partition("(")[0] in names for code in provider.recipe.parts.values())


@pytest.mark.parametrize(("name", "part"), [each for each in PARTS if each[0] != "ollama"])
def test_a_model_is_one_that_the_plugin_itself_names(name: str, part: str) -> None:
    call = ast.parse(RECIPES[name].parts[part]).body[0].value  # type: ignore[attr-defined]
    (model,) = [word.value.value for word in call.keywords if word.arg == "model"] or [None]
    spec = util.find_spec(f"livekit.plugins.{ast.unparse(call.func).partition('.')[0]}")
    assert spec and spec.submodule_search_locations
    sources = [path.read_text() for path in Path(spec.submodule_search_locations[0]).rglob("*.py")]
    assert model is None or any(f'"{model}"' in source for source in sources)


@pytest.mark.parametrize(("name", "part"), PARTS)
def test_without_a_variable_a_part_constructs_or_names_exactly_that_one(
    name: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, refused = lkcook.plugins(name), set()
    for missing in provider.needed:
        for variable in provider.needed:
            monkeypatch.setenv(variable, "https://lkcook.invalid")
        monkeypatch.delenv(missing)
        try:
            build(provider.recipe, part)
        except Exception as error:
            if not (OLD and name == "aws"):
                assert missing in str(error) or str(error).startswith(NAMELESS[name, part]), error
            refused.add(missing)
    assert refused or name in ASKED_LATER or not provider.needed
