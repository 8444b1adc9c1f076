"""Whole calls on the embedded backend: nothing here is scripted but the caller's lines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

import lkcook
from lkcook.audio.clip import Clip
from lkcook.engines import weights
from lkcook.engines.speech_to_text import SAMPLE_RATE, SpeechToText
from lkcook.gateway.address import Address
from lkcook.pcm import to_float


@pytest.fixture(autouse=True)
def embedded(address: Address) -> Iterator[None]:
    """The embedded backend is in force, and afterwards the environment is as it was."""
    before = dict(os.environ)
    lkcook.setup("embedded")
    yield
    os.environ.clear()
    os.environ.update(before)


@cache
def ear() -> SpeechToText:
    """A recogniser of the tests' own, outside the call."""
    return SpeechToText(weights.fetch("whisper-base"))


def words_in(clip: Clip, language: str = "en") -> str:
    """What is said in a mono clip."""
    samples, piece = to_float(clip.mono(SAMPLE_RATE)), 28 * SAMPLE_RATE
    return " ".join(ear().transcribe(samples[i : i + piece], language=language).text for i in range(0, len(samples), piece))


def spoken_part(clip: Clip) -> Clip:
    """A mono clip without the silence around what is said, in which Whisper hears things, or nothing at all."""
    loud = np.flatnonzero(np.abs(clip.samples) > 300)
    return Clip(clip.samples[loud[0] : loud[-1] + clip.sample_rate // 5], clip.sample_rate)
