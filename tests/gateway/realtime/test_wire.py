"""The names of what passes over a realtime connection are kept for the one who opened it."""

from __future__ import annotations

import pytest

from lkcook.gateway.wire import Wire
from tests.gateway.realtime.conftest import Gateway


async def test_a_conversation_leaves_the_names_of_its_messages_in_both_directions(gateway: Gateway) -> None:
    client = await gateway.connect()
    await client.update(instructions="Be brief.")
    await client.update(instructions="Be very brief.")
    await client.hear("Good morning, can you hear me?", 1.0)
    await client.next("response.done")
    first, second = [record for record in await gateway.requests() if record["stage"] == "realtime model"]
    names = [(who, name) for _, who, name, _ in first["wire"]]
    assert names[0] == ("server", "session.created") and ("client", "input_audio_buffer.append") in names
    assert names.index(("server", "response.created")) < names.index(("server", "response.done"))
    times = [at for at, *_ in first["wire"]]
    assert times == sorted(times) and not second["wire"], "a connection is told of once"


@pytest.mark.parametrize(
    "raw, name",
    [
        ('{"event_id": "1", "type": "response.create"}', "response.create"),
        (b'{"realtime_input": {"audio": {"data": ""}}}', "realtime_input.audio"),
        ('{"setup": {"model": "models/x"}}', "setup"),
        ('{"type": 7}', "type"),
        ("{}", "(not an object)"),
        ("[1]", "(not an object)"),
        ("\x00", "(not JSON)"),
        ("[" * 100_000, "(not JSON)"),
        (None, "(too long to be read)"),
    ],
)
def test_whatever_a_client_sends_has_a_name(raw: str | bytes | None, name: str) -> None:
    wire = Wire()
    wire.received(raw)
    wire.received(raw)
    [(_, who, called, times)] = wire.runs
    assert (who, called, times) == ("client", name, 2)


def test_what_repeats_is_counted_though_the_other_side_speaks_in_between() -> None:
    wire = Wire()
    for _ in range(3):
        wire.received('{"type": "append"}')
        wire.sent({"serverContent": {"modelTurn": {}}})
    assert [run[1:] for run in wire.runs] == [["client", "append", 3], ["server", "serverContent.modelTurn", 3]]
