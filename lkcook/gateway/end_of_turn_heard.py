"""What the turn detector has heard of a turn, and a question about it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from livekit.protocol.agent_pb import agent_inference as wire

from lkcook import pcm
from lkcook.engines.end_of_turn import SECONDS, Probability
from lkcook.engines.speech_to_text import SAMPLE_RATE
from lkcook.engines.utterance import loud_until

# Seconds of silence after the last sound that the model hears. LiveKit's client asks when there are about 0.33: if it
# heard all of them, 81 % of the sentences stopped after a word would pass for finished, not 57 % (bench/end_of_turn.py)
HEARD = 0.1
_MOST_CUT = 0.4  # seconds; what is longer than LiveKit's client waits is either a silence that tells, or soft speech
_KEPT = int(SECONDS * SAMPLE_RATE)


def now() -> Timestamp:
    """The time, as the protocol writes it."""
    stamp = Timestamp()
    stamp.GetCurrentTime()
    return stamp


def without_silence(samples: np.ndarray) -> np.ndarray:
    """Float32 at 16 kHz, with HEARD of the silence at its end; at most 0.4 s are cut."""
    end = loud_until(samples) + int(HEARD * SAMPLE_RATE)
    return samples[: max(end, len(samples) - int(_MOST_CUT * SAMPLE_RATE))]


class Heard:
    """The last 8 s of a turn, int16 mono at 16 kHz; `rate` is what the client sends."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self.forget()

    def forget(self) -> None:
        """The turn is over."""
        self._resampler = pcm.Resampler(self._rate, SAMPLE_RATE)
        self._pieces: deque[tuple[np.ndarray, Timestamp]] = deque()
        self._count = 0

    def add(self, samples: np.ndarray, created_at: Timestamp) -> None:
        """What came next, and when the client got hold of it."""
        piece = self._resampler.push(samples)[-_KEPT:]
        if not len(piece):
            return  # the resampler keeps it back
        self._pieces.append((piece, created_at))
        self._count += len(piece)
        while self._count - len(self._pieces[0][0]) >= _KEPT:
            self._count -= len(self._pieces.popleft()[0])

    def question(self, request_id: str, asked_at: Timestamp) -> Question:
        """About what was heard up to now. asked_at: the client's clock."""
        samples = np.concatenate([np.zeros(0, np.int16), *(piece for piece, _ in self._pieces)])[-_KEPT:]
        times = [created_at for _, created_at in self._pieces]
        return Question(request_id, asked_at, samples, *((times[0], times[-1]) if times else (None, None)))


@dataclass(frozen=True)
class Question:
    """Is the turn over? earliest, latest: when the client got hold of the first and the last piece of `samples`."""

    request_id: str
    asked_at: Timestamp
    samples: np.ndarray
    earliest: Timestamp | None
    latest: Timestamp | None
    begun: float = field(default_factory=time.perf_counter)

    @property
    def shown(self) -> dict[str, Any]:
        """For the log of requests."""
        return {"request_id": self.request_id, "seconds": round(len(self.samples) / SAMPLE_RATE, 2)}

    def reply(self, **message: Any) -> wire.ServerMessage:
        """A message of the server about it."""
        return wire.ServerMessage(request_id=self.request_id, client_created_at=self.asked_at, **message)

    async def prediction(self, probability: Probability) -> wire.EotPrediction:
        """Ask the model, in a thread. Raises what it raises."""
        return await asyncio.to_thread(self._predict, probability)

    def _predict(self, probability: Probability) -> wire.EotPrediction:
        """client_e2e_latency is counted from the earliest sound (LiveKit's EOTInferenceMetrics), server_e2e_latency
        from the arrival of the question; inference_duration has Whisper's features in it."""
        began = time.perf_counter()
        sound = without_silence(pcm.to_float(self.samples))
        ready = time.perf_counter()
        value = probability(sound)
        done = time.perf_counter()
        stats = wire.InferenceStats(
            earliest_client_created_at=self.earliest,
            latest_client_created_at=self.latest,
            client_e2e_latency=self.earliest and _since(self.earliest),
            server_e2e_latency=_seconds(done - self.begun),
            preprocessing_duration=_seconds(ready - began),
            inference_duration=_seconds(done - ready),
        )
        return wire.EotPrediction(probability=value, inference_stats=stats)


def _seconds(value: float) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(int(value * 1e9))
    return duration


def _since(created_at: Timestamp) -> Duration:
    return _seconds((now().ToNanoseconds() - created_at.ToNanoseconds()) / 1e9)
