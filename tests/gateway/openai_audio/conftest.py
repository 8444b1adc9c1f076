"""OpenAI's own client, LiveKit's plugin, and a gateway with scripted models for them."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator

import av
import numpy as np
import openai
import pytest
from livekit.agents.utils import http_context

from lkcook.engines.prosody import NEUTRAL, Prosody
from lkcook.gateway.auth import provider_key
from tests.gateway.realtime import conftest
from tests.gateway.realtime.conftest import Gateway
from tests.gateway.realtime.scripted import LETTER, ScriptedVoice

WRITTEN = {"wav": ("wav", "pcm_s16le"), "mp3": ("mp3", "libmp3lame"), "flac": ("flac", "flac"),
           "ogg": ("ogg", "libopus"), "webm": ("webm", "libopus"), "m4a": ("ipod", "aac")}  # fmt: skip

gateway = conftest.gateway


class PacedVoice(ScriptedVoice):
    """A ScriptedVoice that heeds the speed, and speaks sentence by sentence."""

    def stream(self, text: str, *, voice: str, prosody: Prosody = NEUTRAL, seed: int = 0) -> Iterator[np.ndarray]:
        for sentence in text.split(". "):
            self.said.append((sentence, voice, prosody.speed))
            yield np.full(round(len(sentence) * LETTER / prosody.speed), 1000, np.int16)


@pytest.fixture
def key(gateway: Gateway) -> str:
    return provider_key(gateway.credentials.api_secret, "tests")


@pytest.fixture
def base(gateway: Gateway) -> str:
    return str(gateway.server.make_url("/v1"))


@pytest.fixture
async def client(base: str, key: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key=key, base_url=base, max_retries=0) as made:
        yield made


@pytest.fixture
async def livekit_http() -> AsyncIterator[None]:
    async with http_context.open():
        yield


def written(samples: np.ndarray, kind: str, rate: int = 24_000) -> bytes:
    """A sound file of int16 mono samples, as a client would upload it."""
    file = io.BytesIO()
    container, codec = WRITTEN[kind]
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None], format="s16", layout="mono")
        frame.sample_rate = rate
        for packet in (*stream.encode(frame), *stream.encode(None)):
            out.mux(packet)
    return file.getvalue()


def seconds_of(sound: bytes) -> float:
    """How long a sound file is, when all of it is decoded."""
    with av.open(io.BytesIO(sound)) as file:
        return sum(frame.samples / frame.sample_rate for frame in file.decode(file.streams.audio[0]))
