"""A clip survives the way to disk, into a notebook's player and back, and damaged files are explained."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import av
import numpy as np
import pytest

from lkcook.audio.clip import Clip
from lkcook.errors import CookError
from tests.scripted_models import tone

RATE = 24_000
STEREO = np.stack([tone(0.5, 440), tone(0.5, 1500)], axis=1)


def decoded(page: str) -> np.ndarray:
    """The sound inside a player: float (channels, n) at 24 kHz."""
    sound = base64.b64decode(re.search(r"data:audio/mpeg;base64,([^\"]+)", page)[1])
    with av.open(io.BytesIO(sound)) as container:
        assert container.streams.audio[0].rate == RATE
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def loudest_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * RATE / len(samples))


def encoded(path: Path, samples: np.ndarray, codec: str, form: str, layout: str = "mono") -> Path:
    """Write int16 (n,) or (n, 2) with another codec than 16-bit PCM."""
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
    frame.sample_rate = RATE
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, layout=layout, format=form)
        converter = av.AudioResampler(format=form, layout=layout, rate=RATE, frame_size=stream.frame_size or 1024)
        for piece in [*converter.resample(frame), *converter.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("rate", [8_000, 24_000, 44_100])
@pytest.mark.parametrize("samples", [tone(0.5, 440), STEREO], ids=["mono", "stereo"])
def test_a_written_clip_is_read_back_sample_by_sample(tmp_path, samples, rate):
    clip = Clip.read(Clip(samples, rate).write(tmp_path / "clip.wav"))
    assert np.array_equal(clip.samples, samples) and clip.samples.dtype == np.int16 and clip.sample_rate == rate
    assert clip.channels == samples.ndim and clip.duration == len(samples) / rate


@pytest.mark.parametrize("rate", [8_000, 24_000, 48_000])
def test_the_player_of_a_mono_clip_plays_all_of_it(rate):
    sound = decoded(Clip(tone(0.7, 440, rate=rate), rate)._repr_html_())
    assert sound.shape == (1, round(0.7 * RATE)) and loudest_hz(sound[0]) == pytest.approx(440, abs=5)


@pytest.mark.parametrize("rate", [24_000, 48_000])
def test_the_player_of_a_stereo_clip_keeps_left_left_and_right_right(rate):
    samples = np.stack([tone(0.5, 440, rate=rate), tone(0.5, 1500, rate=rate)], axis=1)
    page = Clip(samples, rate)._repr_html_()
    sound = decoded(page)
    assert sound.shape == (2, RATE // 2)
    assert [loudest_hz(side) for side in sound] == pytest.approx([440, 1500], abs=5)
    assert "0.5 s, left: caller, right: agent" in page


@pytest.mark.parametrize("samples", [tone(0, 440), STEREO[:0]], ids=["mono", "stereo"])
def test_a_clip_without_a_single_sample_can_be_shown(samples):
    clip = Clip(samples, RATE)
    assert "0.0 s" in clip._repr_html_() and "0.0 s" in repr(clip)


def test_labels_cannot_break_out_of_the_caption():
    page = Clip(STEREO, RATE, labels=("<b>me</b>", "you"))._repr_html_()
    assert "left: &lt;b&gt;me&lt;/b&gt;, right: you" in page and "<b>" not in page


@pytest.mark.parametrize(("codec", "form"), [("pcm_s24le", "s32"), ("pcm_f32le", "flt"), ("pcm_u8", "u8")])
def test_a_wav_that_is_not_16_bit_is_decoded(tmp_path, codec, form):
    clip = Clip.read(encoded(tmp_path / "sound.wav", tone(0.5, 440), codec, form))
    error = clip.samples.astype(int) - tone(0.5, 440)
    assert clip.sample_rate == RATE and clip.channels == 1
    assert np.abs(error).max() <= (256 if codec == "pcm_u8" else 1)


@pytest.mark.parametrize(("name", "codec", "form"), [("s.flac", "flac", "s16"), ("s.mp3", "libmp3lame", "s16p")])
def test_other_formats_are_decoded_with_both_channels(tmp_path, name, codec, form):
    clip = Clip.read(encoded(tmp_path / name, STEREO, codec, form, layout="stereo"))
    assert clip.channels == 2 and clip.duration == pytest.approx(0.5, rel=0.1)
    middle = clip.samples[RATE // 10 : RATE // 10 * 4]
    assert [loudest_hz(side) for side in middle.T] == pytest.approx([440, 1500], abs=10)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CookError, match="There is no sound file .*nowhere.wav\n  → check the path"):
        Clip.read(tmp_path / "nowhere.wav")


@pytest.mark.parametrize("content", [b"", b"RIFF", b"This is a letter to my aunt. " * 50], ids=["empty", "cut", "text"])
def test_a_file_without_sound_is_refused_in_words(tmp_path, content):
    (tmp_path / "odd.wav").write_bytes(content)
    with pytest.raises(CookError, match="odd.wav holds no sound that can be read\n  → use a WAV, mp3 or flac file"):
        Clip.read(tmp_path / "odd.wav")


@pytest.mark.parametrize("samples", [tone(0.5, 440), STEREO], ids=["mono", "stereo"])
@pytest.mark.parametrize("cut", [1, 2, 3, 5])
def test_a_recording_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path, samples, cut):
    path = Clip(samples, RATE).write(tmp_path / "cut.wav")
    path.write_bytes(path.read_bytes()[:-cut])
    clip = Clip.read(path)
    assert 0 <= len(samples) - len(clip.samples) <= 4 and np.array_equal(clip.samples, samples[: len(clip.samples)])


def test_mono_averages_the_channels_at_the_rate_asked_for():
    assert np.array_equal(Clip(tone(0.5, 440), RATE).mono(RATE), tone(0.5, 440))
    halves = Clip(np.stack([tone(0.5, 440), np.zeros(RATE // 2, np.int16)], axis=1), RATE).mono(RATE)
    assert np.abs(halves - tone(0.5, 440) / 2).max() <= 1
    assert len(Clip(STEREO, RATE).mono(16_000)) == pytest.approx(8_000, abs=2)


def test_a_channel_is_found_by_its_label():
    clip = Clip(STEREO, RATE)
    assert np.array_equal(clip.channel("caller").samples, tone(0.5, 440))
    agent = clip.channel("agent")
    assert np.array_equal(agent.samples, tone(0.5, 1500)) and agent.channels == 1 and agent.sample_rate == RATE
