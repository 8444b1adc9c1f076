"""LiveKit Cloud's noise filters, where there is no LiveKit Cloud: what the SDK does then, and where it says so."""

from __future__ import annotations

import logging
import queue
from collections.abc import Iterator
from logging.handlers import QueueHandler

import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession
from livekit.agents.voice import room_io
from livekit.plugins import noise_cancellation

FILTERS = [noise_cancellation.BVC, noise_cancellation.NC, noise_cancellation.BVCTelephony]
each_filter = pytest.mark.parametrize("cloud_filter", FILTERS, ids=lambda one: one.__name__)


@pytest.fixture
def log() -> Iterator[queue.SimpleQueue]:
    """What the SDK's native part logs; it does so from a thread of its own."""
    records: queue.SimpleQueue = queue.SimpleQueue()
    handler, logger = QueueHandler(records), logging.getLogger("livekit")
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)


@each_filter
async def test_a_track_of_no_room_is_refused_and_only_the_log_says_why(cloud_filter, log):
    source = rtc.AudioSource(48_000, 1)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
    with pytest.raises(AssertionError) as refused:
        rtc.AudioStream.from_track(track=track, noise_cancellation=cloud_filter())
    assert not str(refused.value), "the exception itself has no words"
    records = iter(lambda: log.get(timeout=40).getMessage(), None)
    said = next(text for text in records if "InvalidRequest" in text)
    assert 'InvalidRequest("this track has no room information")' in said
    await source.aclose()


@each_filter
async def test_in_a_room_that_is_not_connected_a_session_starts_and_nothing_is_filtered_or_said(cloud_filter, caplog):
    room, session = rtc.Room(), AgentSession()
    options = room_io.RoomOptions(audio_input=room_io.AudioInputOptions(noise_cancellation=cloud_filter()))
    with caplog.at_level(logging.WARNING, "livekit"):
        await session.start(Agent(instructions=""), room=room, room_options=options)
        assert session.input.audio is session.room_io.audio_input and not room.isconnected()
        await session.aclose()
    assert not [text for text in caplog.messages if "noise" in text or "filter" in text]
