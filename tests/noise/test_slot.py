"""In LiveKit's own machinery: a track's stream cleans with it, a session's recogniser gets the very frames."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession
from livekit.agents.voice import io

import lkcook
from lkcook.noise.canceller import Canceller
from tests.noise.measures import in_pieces, lag, speech
from tests.scripted_models import ScriptedLLM, ScriptedSTT, ScriptedTTS

RATE = 24_000


def frames(samples: np.ndarray) -> list[rtc.AudioFrame]:
    return [rtc.AudioFrame(each.tobytes(), RATE, 1, len(each)) for each in in_pieces(samples, RATE // 20)]


def joined(heard: list[rtc.AudioFrame]) -> np.ndarray:
    return np.concatenate([np.frombuffer(each.data, np.int16) for each in heard])


async def test_a_track_is_cleaned_in_the_slot_of_livekits_stream(canceller: Canceller) -> None:
    source = rtc.AudioSource(RATE, 1)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
    stream = rtc.AudioStream.from_track(
        track=track, sample_rate=RATE, num_channels=1, frame_size_ms=50, noise_cancellation=canceller
    )
    spoken = frames(speech(RATE, seconds=1.5))

    async def speak() -> None:
        for frame in spoken:
            await source.capture_frame(frame)

    speaking = asyncio.create_task(speak())
    heard = [(await anext(stream)).frame for _ in spoken[:20]]
    await speaking
    await stream.aclose()
    await source.aclose()
    assert all(each.samples_per_channel == each.userdata["raw"].samples_per_channel == RATE // 20 for each in heard)
    raw = joined([each.userdata["raw"] for each in heard])
    assert np.array_equal(joined(heard), lkcook.canceller(canceller.name).clean(raw, RATE))
    assert lag(raw, joined(heard), 3000) == pytest.approx(canceller.delay * RATE, abs=2) and raw.any()


class Microphone(io.AudioInput):
    """Gives frames, and then silence until the session ends."""

    def __init__(self, given: list[rtc.AudioFrame]) -> None:
        super().__init__(label="microphone")
        self._given = iter(given)

    async def __anext__(self) -> rtc.AudioFrame:
        await asyncio.sleep(0)
        if (frame := next(self._given, None)) is None:
            await asyncio.Event().wait()
        return frame


class Listener(Agent):
    """Notes what its recogniser is given."""

    def __init__(self) -> None:
        super().__init__(instructions="Be brief.")
        self.heard: asyncio.Queue[rtc.AudioFrame] = asyncio.Queue()

    async def stt_node(self, audio: AsyncIterable[rtc.AudioFrame], settings: object) -> AsyncIterator[object]:
        async def noted() -> AsyncIterator[rtc.AudioFrame]:
            async for frame in audio:
                self.heard.put_nowait(frame)
                yield frame

        async for event in Agent.default.stt_node(self, noted(), settings):
            yield event


async def test_a_sessions_recogniser_gets_cleaned_frames_with_the_raw_ones_in_them() -> None:
    canceller = lkcook.canceller("webrtc")
    given = [canceller._process(frame) for frame in frames(speech(RATE))]
    session = AgentSession(
        stt=ScriptedSTT(["Hello there."]), llm=ScriptedLLM(["Good morning."]), tts=ScriptedTTS(), vad=None,
        turn_handling={"turn_detection": "stt"}, aec_warmup_duration=None,
    )  # fmt: skip
    session.input.audio, listener = Microphone(given), Listener()
    await session.start(listener)
    heard = [await asyncio.wait_for(listener.heard.get(), 10) for _ in given]
    await session.aclose()
    assert all(one is other for one, other in zip(heard, given, strict=True))
    assert np.array_equal(joined([each.userdata["raw"] for each in heard]), speech(RATE))
