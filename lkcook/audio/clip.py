"""A piece of recorded sound that can be read, written, and played in a notebook."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from lkcook import pcm
from lkcook.errors import CookError

_MP3_RATE = 24_000
_MP3_BITS = 64_000  # per second: speech is transparent, a minute of a call takes half a megabyte


@dataclass
class Clip:
    """samples: int16 of shape (n,) or, with two channels, (n, 2); sample_rate in Hz.

    labels: what the channels hold, for the caption.
    """

    samples: np.ndarray
    sample_rate: int
    labels: Sequence[str] = ("caller", "agent")

    @classmethod
    def read(cls, path: str | Path) -> Clip:
        """Read 16-bit WAV, or anything else that PyAV can decode (mp3, flac, m4a, …). Raises CookError."""
        path = Path(path)
        if not path.is_file():
            raise CookError(f"There is no sound file {path}", "check the path")
        return cls._read_wav(path) or cls._decode(path)

    @classmethod
    def _read_wav(cls, path: Path) -> Clip | None:
        """16-bit WAV with one or two channels; None when it is something else, which the decoder may know."""
        try:
            with wave.open(str(path), "rb") as file:
                if file.getsampwidth() != 2 or file.getnchannels() > 2:
                    return None
                data = file.readframes(file.getnframes())
                whole = len(data) - len(data) % (2 * file.getnchannels())  # a recording may have been cut off
                flat = np.frombuffer(data[:whole], "<i2")
                return cls(_shaped(flat, file.getnchannels()), file.getframerate())
        except (wave.Error, EOFError):
            return None

    @classmethod
    def _decode(cls, path: Path) -> Clip:
        import av

        try:
            with av.open(str(path)) as container:
                stream = container.streams.audio[0]
                channels = min(stream.channels, 2)
                layout = "mono" if channels == 1 else "stereo"
                resampler = av.AudioResampler(format="s16", layout=layout, rate=stream.rate)
                frames = [f for frame in container.decode(stream) for f in resampler.resample(frame)]
                flat = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
                return cls(_shaped(flat, channels), stream.rate)
        except (av.FFmpegError, IndexError, ValueError) as error:
            raise CookError(
                f"{path} holds no sound that can be read", "use a WAV, mp3 or flac file"
            ) from error

    def write(self, path: str | Path) -> Path:
        """Write a 16-bit WAV and return its path."""
        with wave.open(str(path), "wb") as file:
            file.setnchannels(self.channels)
            file.setsampwidth(2)
            file.setframerate(self.sample_rate)
            file.writeframes(np.ascontiguousarray(self.samples, "<i2").tobytes())
        return Path(path)

    @property
    def channels(self) -> int:
        """1 or 2."""
        return 1 if self.samples.ndim == 1 else self.samples.shape[1]

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.sample_rate

    def mono(self, rate: int) -> np.ndarray:
        """int16 (n,) at `rate` Hz; two channels are averaged."""
        mixed = self.samples if self.channels == 1 else self.samples.mean(axis=1).astype(np.int16)
        return pcm.resample(mixed, self.sample_rate, rate)

    def channel(self, label: str) -> Clip:
        """One side of a two-channel recording, by its label."""
        return Clip(np.ascontiguousarray(self.samples[:, list(self.labels).index(label)]), self.sample_rate)

    def __repr__(self) -> str:
        return f"Clip({self.duration:.1f} s, {self.sample_rate} Hz{self._caption()})"

    def _repr_html_(self) -> str:
        caption = escape(f"{self.duration:.1f} s{self._caption()}")
        if not len(self.samples):  # a call that failed at once; no encoder takes it
            return f"<p><small>{caption}</small></p>"
        sound = base64.b64encode(self.mp3()).decode()
        return (
            f'<figure style="margin:0"><audio controls preload="metadata" src="data:audio/mpeg;base64,{sound}">'
            f"</audio><figcaption><small>{caption}</small></figcaption></figure>"
        )

    def _caption(self) -> str:
        sides = zip(("left", "right"), self.labels, strict=False)
        return "" if self.channels == 1 else ", " + ", ".join(f"{side}: {who}" for side, who in sides)

    def mp3(self) -> bytes:
        """An mp3 file at 24 kHz: notebooks keep what they show, and a WAV would be eight times larger.

        The clip must not be empty, no encoder takes that.
        """
        import av

        layout = "mono" if self.channels == 1 else "stereo"
        columns = [self.samples] if self.channels == 1 else list(self.samples.T)
        flat = np.stack([pcm.resample(np.ascontiguousarray(c), self.sample_rate, _MP3_RATE) for c in columns])
        out = io.BytesIO()
        with av.open(out, "w", format="mp3") as container:
            stream = container.add_stream("libmp3lame", rate=_MP3_RATE, layout=layout)
            stream.bit_rate = _MP3_BITS
            interleaved = np.ascontiguousarray(flat.T.reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(interleaved, format="s16", layout=layout)
            frame.sample_rate = _MP3_RATE
            converter = av.AudioResampler(format="s16p", layout=layout, rate=_MP3_RATE, frame_size=1152)
            for piece in [*converter.resample(frame), *converter.resample(None)]:
                container.mux(stream.encode(piece))
            container.mux(stream.encode(None))
        return out.getvalue()


def _shaped(flat: np.ndarray, channels: int) -> np.ndarray:
    return flat if channels == 1 else flat.reshape(-1, channels)
