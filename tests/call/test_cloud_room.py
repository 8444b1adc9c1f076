"""Calls in a connected room. No server can be reached from a test: the rooms are joined in memory."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest
from aiohttp import web
from livekit import rtc
from livekit.agents.voice import room_io

from lkcook import CookError, backend, job, talk
from lkcook.errors import BackendError
from tests.call.cancellers import NOISY, Gate, db, wanting
from tests.call.conftest import CALLER_HZ, Beep, BeepingCaller
from tests.call.test_talk import STORY, loudest_hz
from tests.memory_room import SECRET, MemoryRoom


@pytest.fixture
def keys(monkeypatch) -> None:
    """A reader with keys, who has not asked for the models of this machine."""
    monkeypatch.setattr(backend, "_in_force", None)
    values = {"LIVEKIT_URL": "wss://example.livekit.cloud", "LIVEKIT_API_KEY": "key"}
    for name, value in {**values, "LIVEKIT_API_SECRET": SECRET}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def server(keys, monkeypatch) -> type[MemoryRoom]:
    monkeypatch.setattr(MemoryRoom, "rooms", {})
    monkeypatch.setattr(rtc, "Room", MemoryRoom)
    return MemoryRoom


async def test_the_caller_joins_the_room_and_both_are_heard(server, pipeline, agent):
    async with job(turn_detector=False, room=True) as ctx:
        session = pipeline()
        await session.start(agent, room=ctx.room)
        own_input = session.input.audio
        call = await talk(session, agent, caller=BeepingCaller([0.5]))

    assert own_input is not None and own_input.label == "RoomIO", "talk() has not replaced it"
    assert [(each.who, each.text.strip()) for each in call.transcript] == [
        ("caller", "Hello there."),
        ("agent", "Good morning to you."),
    ]
    left, right = call.recording.samples.T
    (line,) = call.caller.spoken
    said = (line.started_at - call.started_at + 0.1, line.ended_at - call.started_at - 0.1)
    assert loudest_hz(left, *said) == pytest.approx(CALLER_HZ, abs=10)
    assert loudest_hz(right, line.ended_at - call.started_at, call.duration) == pytest.approx(440, abs=10)
    assert not any(server.rooms.values()), "everybody has left"


async def test_the_reply_is_heard_whole_though_the_machine_was_held_up_before(server, pipeline, agent):
    async with job(turn_detector=False, room=True) as ctx:
        session = pipeline()
        await session.start(agent, room=ctx.room)
        session.once("user_state_changed", lambda _: time.sleep(1.2))  # nothing else runs meanwhile
        call = await talk(session, agent, caller=BeepingCaller([0.5]))

    sounding = np.abs(call.recording.samples[:, 1].astype(int)) > 328
    assert np.count_nonzero(sounding) / call.recording.sample_rate > 0.4, "of four words at 0.12 s each"


async def test_the_agent_and_the_caller_are_in_one_fresh_room_as_what_they_are(server, pipeline, agent):
    present: list[dict] = []
    async with job(turn_detector=False, room=True) as ctx:
        session = pipeline()
        await session.start(agent, room=ctx.room)
        session.on("user_input_transcribed", lambda _: present.append(dict(ctx.room.remote_participants)))
        await talk(session, agent, caller=BeepingCaller([0.5]))
        assert ctx.job.room.name == ctx.room.name and ctx.room.name.startswith("lkcook-")
        agents_kind = ctx.room.local_participant.kind

    assert agents_kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    (caller,) = present[0].values()
    assert caller.kind == rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD


async def test_a_noise_canceller_of_the_sessions_room_hears_the_caller(server, pipeline, agent):
    class Counting(rtc.FrameProcessor):
        enabled, heard = True, 0

        def _process(self, frame: rtc.AudioFrame) -> rtc.AudioFrame:
            self.heard = max(self.heard, int(np.abs(np.frombuffer(frame.data, np.int16).astype(int)).max()))
            return frame

        def _close(self) -> None:
            return None

    counting = Counting()
    options = room_io.RoomOptions(audio_input=room_io.AudioInputOptions(noise_cancellation=counting))
    async with job(turn_detector=False, room=True) as ctx:
        session = pipeline()
        await session.start(agent, room=ctx.room, room_options=options)
        await talk(session, agent, caller=BeepingCaller([0.5]))
    assert counting.heard > 4000


async def test_the_caller_can_interrupt_through_the_room(server, pipeline, agent):
    async with job(turn_detector=False, room=True) as ctx:
        session = pipeline(["Tell me a story.", "Stop."], [STORY, "All right."])
        await session.start(agent, room=ctx.room)
        call = await talk(session, agent, caller=BeepingCaller([0.4, Beep(0.9, barge_in=0.6)]))

    story, reply = [each for each in call.transcript if each.who == "agent"]
    assert story.interrupted and len(story.text.split()) < len(STORY.split()) and reply.text.strip() == "All right."


async def test_the_job_s_room_is_connected_to_nothing_unless_it_was_asked_for():
    async with job(turn_detector=False) as ctx:
        assert not ctx.room.isconnected()


async def refused(what: str) -> str:
    """The error of joining a room; `what` is in it."""
    with pytest.raises(BackendError, match=what) as caught:
        async with job(turn_detector=False, room=True):
            pytest.fail("somebody let us in")
    assert "server's secret" not in str(caught.value)
    return caught.value.remedy


async def test_a_wrong_secret_is_told_as_such(server, monkeypatch):
    monkeypatch.setenv("LIVEKIT_API_SECRET", "something else of thirty-two bytes or more")
    assert "LIVEKIT_API_SECRET" in await refused("401")


async def test_missing_keys_are_named(keys, monkeypatch):
    monkeypatch.delenv("LIVEKIT_API_SECRET")
    await refused("needs LIVEKIT_API_SECRET")


async def test_with_the_models_of_this_machine_the_same_lines_run_and_there_is_no_room(server, pipeline, agent, monkeypatch):
    monkeypatch.setattr(backend, "embedded_gateway", object)
    async with job(turn_detector=False, room=True) as ctx:
        assert not ctx.room.isconnected() and not server.rooms


async def test_in_a_room_noise_is_mixed_into_the_caller_and_what_cancels_it_is_the_rooms_own(server, pipeline, agent):
    gate = Gate()
    async with job(turn_detector=False, room=True) as ctx:
        session = pipeline()
        await session.start(agent, room=ctx.room, room_options=wanting(gate))
        call = await talk(session, caller=BeepingCaller([0.5]), noise=NOISY)
    assert gate.frames and call.canceller == "off" and call.noise is not None
    assert db(call.recording.samples[:4800, 0]) > -60, "the noise is in the recording"


@pytest.fixture
async def refusing() -> AsyncIterator[str]:
    """The address of a server that believes nobody, as LiveKit's says so."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=401, text="invalid token")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"ws://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_the_sdk_s_own_refusal_is_told_as_a_matter_of_keys(keys, refusing, monkeypatch):
    monkeypatch.setenv("LIVEKIT_URL", refusing)
    assert "LIVEKIT_API_KEY" in await refused("401 Unauthorized")


async def test_a_server_that_is_not_there_is_told_as_a_matter_of_the_network(keys, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("LIVEKIT_URL", f"ws://127.0.0.1:{unused.getsockname()[1]}")
        assert "LIVEKIT_URL" in await refused("Connection refused")


async def test_a_session_without_a_voice_in_its_room_is_refused(server, pipeline, agent):
    async with job(turn_detector=False, room=True) as ctx:
        session = pipeline()
        await session.start(agent, room=ctx.room, room_options=room_io.RoomOptions(audio_output=False))
        with pytest.raises(CookError, match="no voice in its room"):
            await talk(session, agent, caller=BeepingCaller([0.5]))
