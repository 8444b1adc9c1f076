"""/v2/listen, Flux, as the plugin uses it."""

from __future__ import annotations

import aiohttp
import pytest

from lkcook.engines import end_of_turn
from tests.gateway.deepgram.conftest import FLUX, Deepgram
from tests.gateway.realtime.conftest import Gateway

TURN = ("Good morning to you.", 2.0)


@pytest.fixture
def sounds(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """How finished everything sounds."""
    said = {"over": 0.9}
    monkeypatch.setattr(end_of_turn, "probability", lambda sound: said["over"])
    return said


async def test_a_turn_begins_is_updated_and_ends(deepgram: Deepgram, sounds: dict[str, float]) -> None:
    await deepgram.connect("/v2/listen", FLUX)
    assert (await deepgram.next("Connected"))["sequence_id"] == 0
    await deepgram.hear(*TURN)
    ended = await deepgram.next("EndOfTurn")
    assert (ended["transcript"], ended["turn_index"], ended["end_of_turn_confidence"]) == ("Good morning.", 0, 0.9)
    assert [word["word"] for word in ended["words"]] == ["Good", "morning."]
    assert [told["event"] for told in deepgram.all("TurnInfo")][0] == "StartOfTurn"
    await deepgram.hear(*TURN)
    assert (await deepgram.next("EndOfTurn"))["turn_index"] == 1
    assert [told["sequence_id"] for told in deepgram.told] == list(range(len(deepgram.told)))


async def test_what_sounds_unfinished_ends_by_the_clock(deepgram: Deepgram, sounds: dict[str, float]) -> None:
    sounds["over"] = 0.0
    await deepgram.connect("/v2/listen", {**FLUX, "eot_timeout_ms": "1500"})
    await deepgram.hear("Good morning to you.", 1.2)
    await deepgram.hear("And to you.", 2.0)
    ended = await deepgram.next("EndOfTurn")
    assert ended["audio_window_end"] > 3.5 and len(deepgram.all("EndOfTurn")) == 1


async def test_an_eager_end_is_taken_back_when_the_caller_goes_on(
    deepgram: Deepgram, sounds: dict[str, float], gateway: Gateway
) -> None:
    sounds["over"] = 0.5  # enough to hope, too little to be sure
    await deepgram.connect("/v2/listen", {**FLUX, "eager_eot_threshold": "0.4", "eot_timeout_ms": "6000"})
    await deepgram.hear("Good morning to you.", 0.7)
    assert (await deepgram.next("EagerEndOfTurn", "EndOfTurn"))["event"] == "EagerEndOfTurn"
    await deepgram.hear("And to you.", 0.3)
    assert (await deepgram.next("TurnResumed", "EndOfTurn"))["event"] == "TurnResumed"
    await deepgram.send("CloseStream")
    assert (await deepgram.next("EndOfTurn"))["transcript"] == "Good morning."
    assert await deepgram.next("") is None


async def test_without_an_eager_threshold_nothing_is_told_eagerly(deepgram: Deepgram, sounds: dict[str, float]) -> None:
    sounds["over"] = 0.5
    await deepgram.connect("/v2/listen", {**FLUX, "eot_timeout_ms": "1000"})
    await deepgram.hear(*TURN)
    await deepgram.next("EndOfTurn")
    assert not deepgram.all("EagerEndOfTurn")


async def test_configure_changes_what_it_names_and_refuses_what_cannot_be(deepgram: Deepgram, gateway: Gateway) -> None:
    multi = {"model": "flux-general-multi", "language_hint": "es", "keyterm": "Skat"}
    await deepgram.connect("/v2/listen", {**FLUX, **multi})
    await deepgram.send("Configure", keyterms=["Zwiebach"], thresholds={"eot_timeout_ms": 800, "eot_threshold": 0.8})
    assert (await deepgram.next("ConfigureSuccess", "ConfigureFailure"))["keyterms"] == ["Zwiebach"]
    thresholds = [{"thresholds": {"eot_threshold": 7}}, {"thresholds": []}]
    for wrong in (*thresholds, {"keyterms": "Skat"}, {"language_hints": ["tlh"]}):
        await deepgram.send("Configure", **wrong)
        assert (await deepgram.next("ConfigureSuccess", "ConfigureFailure"))["type"] == "ConfigureFailure", wrong
    await deepgram.send("Configure", language_hints=["de"])
    assert (await deepgram.next("ConfigureSuccess", "ConfigureFailure"))["type"] == "ConfigureSuccess"
    await deepgram.hear(*TURN)
    assert (await deepgram.next("EndOfTurn"))["languages"] == ["de"]
    assert {asked.language for asked in gateway.models.ear.asked} == {"de"}


@pytest.mark.parametrize(
    "query, told",
    [
        ({"model": "flux-general-fr"}, "did you mean 'flux-general"),
        ({"model": "nova-3"}, "unknown model"),
        ({"eot_threshold": "2"}, "eot_threshold is a number"),
        ({"eager_eot_threshold": "0.8"}, "not above eot_threshold"),
        ({"eot_timeout_ms": "soon"}, "eot_timeout_ms is a number"),
    ],
)
async def test_what_cannot_be_is_refused_with_the_reason(deepgram: Deepgram, query: dict[str, str], told: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await deepgram.connect("/v2/listen", {**FLUX, **query})
    assert refused.value.status == 400 and told in (refused.value.headers or {})["dg-error"]
