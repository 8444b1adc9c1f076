"""What lkcook.plugins() says runs offline does: each recipe's own code, unchanged, answered by the gateway."""

from __future__ import annotations

import asyncio

import pytest

import lkcook
from lkcook.providers.construction import build
from tests.gateway.chat.conftest import ONCE, Gateway, ask

OFFLINE = [provider.name for provider in lkcook.plugins() if "LLM" in provider.offline]
SPEAKING = [provider.name for provider in lkcook.plugins() if "TTS" in provider.offline]


@pytest.fixture(autouse=True)
def chosen(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """As lkcook.setup() leaves the environment; the account-wide settings a recipe asks for are made up."""
    for provider in lkcook.plugins():
        for name in provider.needed:
            monkeypatch.setenv(name, "https://lkcook.invalid")
    for name, value in {**gateway.env, "GOOGLE_GEMINI_BASE_URL": gateway.url, "GOOGLE_API_KEY": gateway.key}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("name", OFFLINE)
async def test_the_language_model_of_a_recipe_answers(gateway: Gateway, name: str) -> None:
    recipe = lkcook.plugins(name).recipe
    model = build(recipe, "llm")
    assert (await ask(model, "Are you open?")).text == "Of course. We are open until ten."
    await model.aclose()
    assert gateway.llm.asked[-1].messages[-1]["content"] == "Are you open?"


@pytest.mark.parametrize("name", SPEAKING)
async def test_the_voice_of_a_recipe_speaks(name: str) -> None:
    model = build(lkcook.plugins(name).recipe, "tts")
    async with asyncio.timeout(40), model.synthesize("Hello.", conn_options=ONCE) as stream:
        said = [event.frame async for event in stream]
    await model.aclose()
    assert sum(frame.duration for frame in said) > 0.2


def test_all_language_models_are_said_to() -> None:
    having = {provider.name for provider in lkcook.plugins() if any(model.kind == "LLM" for model in provider.models)}
    assert having == set(OFFLINE)
