"""POST /eot/multi: what LiveKit's MultilingualModel asks, and what else may arrive there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from livekit.agents import LanguageCode, llm
from livekit.plugins.turn_detector.multilingual import MultilingualModel

import lkcook
from lkcook import backend
from lkcook.engines.written_turn import THRESHOLDS
from lkcook.gateway.auth import Credentials, provider_key
from lkcook.gateway.models import Models
from lkcook.gateway.server import build
from lkcook.gateway.written_turn import MODEL
from tests.malformed import NO_MESSAGE

CREDENTIALS = Credentials()
PASSWORD = provider_key(CREDENTIALS.api_secret, "tests")
BASIC = {"Authorization": aiohttp.encode_basic_auth("lkcook", PASSWORD)}


class ScriptedEngine:
    """Writes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def probability(self, question: str, words: str) -> float:
        self.asked.append((question, words))
        return 1


class OneModel(Models):
    """Nothing else is loaded."""

    def __init__(self, engine: ScriptedEngine) -> None:
        super().__init__()
        self._engine = engine

    def start_loading(self) -> None:
        return

    async def written_turn(self) -> Any:
        return self._engine


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
async def client(engine: ScriptedEngine) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(build(CREDENTIALS, OneModel(engine))), headers=BASIC) as client:
        yield client


async def ask(client: TestClient, body: object) -> tuple[int, dict[str, Any]]:
    async with client.post("/eot/multi", json=body) as response:
        return response.status, await response.json()


async def noted(client: TestClient) -> dict[str, Any]:
    """The one request that was recorded."""
    async with client.get("/requests") as response:
        (record,) = (await response.json())["requests"]
    return record


def message(role: str, *content: object) -> dict[str, object]:
    return {"type": "message", "role": role, "content": list(content)}


async def test_a_key_in_the_address_is_enough(engine: ScriptedEngine) -> None:
    async with TestServer(build(CREDENTIALS, OneModel(engine))) as server, aiohttp.ClientSession() as anybody:
        for user, status in ((f"lkcook:{PASSWORD}@", 200), ("lkcook:another@", 401), ("lkcook@", 401), ("", 401)):
            url = f"http://{user}{server.host}:{server.port}/eot/multi"
            async with anybody.post(url, json={"language": "en"}) as response:
                assert response.status == status, user
                assert PASSWORD not in repr(response), "nor in what a client writes into a log"


@pytest.mark.parametrize("garbage", ["Basic", "Basic !", "Basic bm8gY29sb24=", "Basic /////w=="])
async def test_what_is_no_password_is_401(engine: ScriptedEngine, garbage: str) -> None:
    async with TestClient(TestServer(build(CREDENTIALS, OneModel(engine)))) as client:
        async with client.post("/eot/multi", headers={"Authorization": garbage}) as response:
            assert response.status == 401


@pytest.mark.parametrize("tag, language", [("en", "en"), ("es", "es"), ("es-MX", "es"), ("EN-us", "en")])
async def test_a_language_that_was_measured_has_its_threshold(client: TestClient, tag: str, language: str) -> None:
    assert await ask(client, {"language": tag}) == (200, {"threshold": THRESHOLDS[language]})
    record = await noted(client)
    assert (record["stage"], record["answered_by"], record["notes"]) == ("turn detector", MODEL, [])


async def test_another_language_has_none_and_the_reader_is_told(client: TestClient) -> None:
    assert await ask(client, {"language": "fi"}) == (200, {"threshold": None})
    assert "fi" in (await noted(client))["notes"][0]


@pytest.mark.parametrize(
    "items, asked",
    [
        ([message("user", "Hello.")], ("", "Hello.")),
        ([message("assistant", "How many?"), message("user", "Seven", "people.")], ("How many?", "Seven people.")),
        ([message("user", "Hi."), message("assistant", "One."), message("assistant", "Two?"), message("user", "A", {}),
          message("user", "b.")], ("One. Two?", "A b.")),
        ([message("system", "Be brief."), {"type": "function_call"}, message("user", "Yes.")], ("", "Yes.")),
        ([{"role": "user", "content": "As a string."}], ("", "As a string.")),
    ],
)  # fmt: skip
async def test_the_agents_last_words_and_the_users_are_judged(
    client: TestClient, engine: ScriptedEngine, items: list[object], asked: tuple[str, str]
) -> None:
    status, answer = await ask(client, {"items": items, "jobId": "job", "workerId": "worker"})
    assert status == 200 and isinstance(answer["probability"], float), "the plugin takes nothing but a float"
    assert engine.asked == [asked]
    assert (await noted(client))["message"]["jobId"] == "job"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"items": None},
        {"items": {}},
        {"items": ["Hello."]},
        {"items": []},
        {"items": [message("user", "")]},
        {"items": [message("user", 7, None)]},
        {"items": [{"role": "user"}]},
        {"items": [message("user", "Hello?"), message("assistant", "Yes?")]},
        {"items": [{"role": ["user"], "content": "Hello."}]},
        {"language": ""},
        {"language": None},
        {"language": ["en"]},
        [],
        "items",
        None,
    ],
)
async def test_what_is_malformed_gets_400_and_a_sentence(
    client: TestClient, engine: ScriptedEngine, body: object
) -> None:
    status, answer = await ask(client, body)
    assert status == 400 and len(answer["error"]["message"]) > 10 and not engine.asked


@pytest.mark.parametrize("text", [NO_MESSAGE["not JSON"], NO_MESSAGE["deep nesting"], "", b"\xff\xfe"])
async def test_what_is_no_json_gets_400(client: TestClient, text: str | bytes) -> None:
    async with client.post("/eot/multi", data=text) as response:
        assert response.status == 400 and "JSON" in (await response.json())["error"]["message"]


async def test_it_fails_when_somebody_wants_to_see_that(client: TestClient, engine: ScriptedEngine) -> None:
    async with client.put("/failing", json={"models": [MODEL], "status": 503}):
        status, answer = await ask(client, {"items": [message("user", "Hello.")]})
    assert status == 503 and MODEL in answer["error"]["message"] and not engine.asked


async def test_a_model_that_is_not_here_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("LKCOOK_CACHE", str(tmp_path))

    class NoModels(Models):
        def start_loading(self) -> None:
            return

    async with TestClient(TestServer(build(CREDENTIALS, NoModels())), headers=BASIC) as client:
        for _ in range(2):
            status, answer = await ask(client, {"items": [message("user", "Hello.")]})
            assert status == 503 and "lkcook.job()" in answer["error"]["message"]
        async with client.get("/status") as response:
            assert (await response.json())["models"] == {}, "no other call waits for it"


@pytest.mark.usefixtures("embedded")
async def test_livekits_own_client_tells_a_finished_turn_from_a_broken_one() -> None:
    likely = {}
    async with lkcook.job() as ctx:
        model = MultilingualModel()
        threshold = await model.unlikely_threshold(LanguageCode("en"))
        for words in ("I would like a table for two.", "I would like a table for."):
            context = llm.ChatContext.empty()
            context.add_message(role="assistant", content="How can I help you?")
            context.add_message(role="user", content=words)
            likely[words] = await model.predict_end_of_turn(context)
        assert await model.supports_language(LanguageCode("es"))
        assert not await model.supports_language(LanguageCode("fi"))
    assert threshold is not None and list(likely.values())[0] >= threshold > list(likely.values())[1], likely
    sent = [request for request in backend.requests(0) if request["message"].get("jobId") == ctx.job.id]
    assert len(sent) == 2
