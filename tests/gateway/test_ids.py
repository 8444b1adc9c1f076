"""The catalog and the gateway agree on every id, through LiveKit's own clients: what one knows the other serves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from livekit.agents import inference

import lkcook
from lkcook import catalog, reference
from tests.speech import say

pytestmark = pytest.mark.usefixtures("embedded")
AT_A_TIME = 4


async def _each(ids: tuple[str, ...], use: Callable[[str], Awaitable[object]]) -> dict[str, object]:
    """What `use` gave for each id, or the CallError it raised."""
    gate = asyncio.Semaphore(AT_A_TIME)

    async def one(model: str) -> object:
        async with gate:
            try:
                return await use(model)
            except lkcook.CallError as refusal:
                return refusal

    return dict(zip(ids, await asyncio.gather(*map(one, ids))))


def _hear(model: str) -> Awaitable[lkcook.Heard]:
    return lkcook.hear(inference.STT(model, language="en"), lkcook.Clip(say("Good evening."), 16_000))


def _ask(model: str) -> Awaitable[lkcook.Answer]:
    return lkcook.ask(inference.LLM(model, extra_kwargs={"max_completion_tokens": 1}), "Yes?")


def _say(model: str) -> Awaitable[lkcook.Spoken]:
    return lkcook.say(inference.TTS(model), "Yes.")


USES = {"stt": _hear, "llm": _ask, "tts": _say}


@pytest.mark.parametrize("kind", USES)
async def test_every_id_of_the_catalog_is_served(kind: catalog.Kind) -> None:
    ids = catalog.ids(kind)
    answers = await _each(ids, USES[kind])
    assert not [f"{model}: {answer}" for model, answer in answers.items() if isinstance(answer, lkcook.CallError)]
    if kind == "stt":
        assert all("evening" in heard.text.lower() for heard in answers.values()), answers  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", USES)
async def test_every_id_that_the_reference_lists_and_the_catalog_calls_dead_is_refused(kind: catalog.Kind) -> None:
    rows = {row.rpartition(":")[0] or row for row in reference.ROWS[kind]}
    dead = tuple(sorted(rows - set(catalog.ids(kind))))
    assert dead
    answers = await _each(dead, USES[kind])
    for model, answer in answers.items():
        assert isinstance(answer, lkcook.CallError), f"{model} is served"
        successor = reference.SUCCESSORS[kind].get(model)
        if successor:
            assert successor[0] in answer.cause, answer.cause


@pytest.mark.parametrize("kind", USES)
async def test_what_nobody_knows_is_refused(kind: catalog.Kind) -> None:
    for model, answer in (await _each(("openai/nonsense", "deepgram", "x" * 300, "../status"), USES[kind])).items():
        assert isinstance(answer, lkcook.CallError) or model in catalog.ids(kind), model
