"""`lkcook.job()`: LiveKit's job context in a cell, a model for MultilingualModel, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from livekit.agents import LanguageCode, get_job_context, llm
from livekit.agents.inference_runner import _InferenceRunner
from livekit.agents.utils import http_context
from livekit.plugins.turn_detector.models import HG_MODEL, MODEL_REVISIONS, ONNX_FILENAME
from livekit.plugins.turn_detector.multilingual import MultilingualModel, _EUORunnerMultilingual

import lkcook
from lkcook import backend, runners
from lkcook.engines import weights
from lkcook.errors import BackendError
from lkcook.gateway import written_turn
from lkcook.gateway.address import Address
from lkcook.job_context import REMOTE

EN = LanguageCode("en")


class ScriptedGateway(Address):
    """It has its model, or has it not, and writes down what it was asked."""

    asked: list[str] = []
    works = True

    def ask(self, method: str, path: str, body: object = None) -> dict[str, object] | None:
        self.asked.append(f"{method} {path}")
        return {"probability": 0.9} if self.works else None


GATEWAY = ScriptedGateway("http://127.0.0.1:4711/v1", "lkcook-key", "lkcook-secret-of-at-least-32-bytes", 1, "")
ITS_ADDRESS = written_turn.address_for(GATEWAY)


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A reader who has set up nothing, with an empty Hugging Face cache, which is returned."""
    monkeypatch.setenv(REMOTE, "")
    monkeypatch.delenv(REMOTE)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(backend, "_in_force", None)
    monkeypatch.setattr(runners, "_started", {})
    return tmp_path


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The embedded backend is in force; the weights that are fetched are listed."""
    fetched: list[str] = []
    monkeypatch.setattr(backend, "_gateway", GATEWAY)
    monkeypatch.setattr(backend, "_in_force", backend.Backend("embedded", GATEWAY.url))
    monkeypatch.setattr(backend, "refresh", lambda: None)
    monkeypatch.setattr(weights, "fetch_all_with_progress", lambda names: fetched.extend(names))
    monkeypatch.setattr(ScriptedGateway, "asked", [])
    return fetched


@pytest.fixture
def hub_files(reader: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hub's files are in the reader's cache, and the plugin's runner follows a script: what it did is listed."""
    folder = reader / f"models--{HG_MODEL.replace('/', '--')}"
    files = {f"onnx/{ONNX_FILENAME}": "", "tokenizer.json": "{}", "languages.json": '{"en": {"threshold": 0.3}}'}
    for name, text in files.items():
        path = folder / "snapshots" / "abc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "refs").mkdir()
    (folder / "refs" / MODEL_REVISIONS["multilingual"]).write_text("abc")
    did: list[str] = []

    def run(self: object, data: bytes) -> bytes:
        did.append(json.loads(data)["chat_ctx"][-1]["content"])
        return b'{"eou_probability": 0.25}'

    monkeypatch.setattr(_EUORunnerMultilingual, "initialize", lambda self: did.append("initialize"))
    monkeypatch.setattr(_EUORunnerMultilingual, "run", run)
    return did


def said(text: str) -> llm.ChatContext:
    context = llm.ChatContext.empty()
    context.add_message(role="user", content=text)
    return context


async def test_in_the_block_there_is_a_job_and_afterwards_there_is_none(embedded: list[str]) -> None:
    before = dict(os.environ)
    async with lkcook.job() as ctx:
        assert get_job_context() is ctx and await asyncio.create_task(_context()) is ctx
        assert ctx.job.id and ctx.worker_id and not ctx.room.isconnected()
        assert not http_context.http_session().closed
        folder = ctx.session_directory
        assert folder.is_dir()
    assert get_job_context(required=False) is None and not folder.exists()
    assert dict(os.environ) == before


async def _context() -> Any:
    return get_job_context()


async def test_the_gateway_is_asked_once_its_model_is_here_and_then_given_to_the_plugin(embedded: list[str]) -> None:
    async with lkcook.job():
        assert embedded == [written_turn.WEIGHT] and GATEWAY.asked == ["POST /eot/multi"]
        assert os.environ[REMOTE] == ITS_ADDRESS
        MultilingualModel()
    assert REMOTE not in os.environ


@pytest.mark.parametrize("before", [None, ""])
async def test_an_exception_passes_and_all_is_as_before(
    embedded: list[str], monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    if before is not None:
        monkeypatch.setenv(REMOTE, before)
    with pytest.raises(ZeroDivisionError):
        async with lkcook.job():
            raise ZeroDivisionError
    assert os.environ.get(REMOTE) == before and get_job_context(required=False) is None


async def test_an_address_of_the_readers_own_is_left_alone(
    embedded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(REMOTE, "https://eot.example")
    async with lkcook.job():
        assert os.environ[REMOTE] == "https://eot.example" and not embedded and not GATEWAY.asked
    assert os.environ[REMOTE] == "https://eot.example"


async def test_a_block_inside_a_block_has_a_job_of_its_own(embedded: list[str]) -> None:
    async with lkcook.job() as outer:
        async with lkcook.job() as inner:
            assert get_job_context() is inner is not outer
        assert get_job_context() is outer and os.environ[REMOTE] == ITS_ADDRESS
    assert REMOTE not in os.environ


async def test_of_two_blocks_side_by_side_the_last_one_puts_back_the_address(embedded: list[str]) -> None:
    both, first_is_over, seen = asyncio.Barrier(2), asyncio.Event(), {}

    async def first() -> None:
        async with lkcook.job():
            await both.wait()
        first_is_over.set()

    async def second() -> None:
        async with lkcook.job():
            await both.wait()
            await first_is_over.wait()
            seen["address"] = os.environ.get(REMOTE)

    await asyncio.gather(first(), second())
    assert seen == {"address": ITS_ADDRESS} and REMOTE not in os.environ


async def test_with_the_hubs_files_nothing_is_set_and_the_plugins_own_model_runs(
    hub_files: list[str], embedded: list[str]
) -> None:
    for text in ("I would like", "That is all."):
        async with lkcook.job():
            assert REMOTE not in os.environ and not embedded
            model = MultilingualModel()
            assert await model.unlikely_threshold(EN) == 0.3
            assert await model.predict_end_of_turn(said(text)) == 0.25
    assert hub_files == ["initialize", "I would like", "That is all."]


async def test_a_plugin_imported_while_the_address_was_set_has_its_model_run_too(
    hub_files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(_InferenceRunner.registered_runners, runners.MULTILINGUAL, raising=False)
    async with lkcook.job():
        assert await MultilingualModel().predict_end_of_turn(said("Yes.")) == 0.25


async def test_the_hubs_files_serve_on_the_cloud_too(hub_files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "_in_force", backend.Backend("cloud", "wss://reader.livekit.cloud"))
    async with lkcook.job():
        assert hub_files == ["initialize"] and REMOTE not in os.environ


@pytest.mark.parametrize("chosen", [None, backend.Backend("cloud", "wss://reader.livekit.cloud")])
async def test_with_neither_the_reader_learns_what_to_do(
    monkeypatch: pytest.MonkeyPatch, chosen: backend.Backend | None
) -> None:
    monkeypatch.setattr(backend, "_in_force", chosen)
    with pytest.raises(BackendError, match=r"download-files.*lkcook\.setup\('embedded'\)"):
        async with lkcook.job():
            pass
    assert get_job_context(required=False) is None
    async with lkcook.job(turn_detector=False) as ctx:  # for ctx.room alone
        assert get_job_context() is ctx and REMOTE not in os.environ


async def test_half_of_the_hubs_files_are_none(hub_files: list[str], reader: Path) -> None:
    next(reader.rglob(ONNX_FILENAME)).unlink()
    with pytest.raises(BackendError, match="download-files"):
        async with lkcook.job():
            pass


async def test_a_gateway_that_cannot_load_its_model_is_told_of(
    embedded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedGateway, "works", False)
    with pytest.raises(BackendError, match="gateway.log"):
        async with lkcook.job():
            pass
    assert REMOTE not in os.environ


async def test_an_inference_method_that_nobody_registered_is_told_of() -> None:
    async with lkcook.job(turn_detector=False) as ctx:
        with pytest.raises(BackendError, match="lk_unheard_of"):
            await ctx.inference_executor.do_inference("lk_unheard_of", b"{}")


async def test_shutdown_callbacks_run_at_the_end_even_of_a_failed_block() -> None:
    ran: list[str] = []

    async def callback(reason: str = "") -> None:
        ran.append("callback")
        assert get_job_context()

    with pytest.raises(ZeroDivisionError):
        async with lkcook.job(turn_detector=False) as ctx:
            ctx.add_shutdown_callback(callback)
            raise ZeroDivisionError
    assert ran == ["callback"]

