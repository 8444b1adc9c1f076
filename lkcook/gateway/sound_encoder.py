"""Sound that is sent while it is made: int16 mono in, bytes of a compressed or plain format out (FFmpeg, by PyAV)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np

from lkcook import pcm
from lkcook.engines.text_to_speech import SAMPLE_RATE
from lkcook.gateway.socket import ProtocolError

_PIECE = 0.1  # seconds encoded at a time


@dataclass(frozen=True)
class Encoding:
    """mime: the Content-Type. container and codec: FFmpeg's names, "" for bare PCM. options: the container's.

    bit_rate: per second, 0 leaves it to the codec.
    """

    mime: str
    container: str = ""
    codec: str = ""
    options: tuple[tuple[str, str], ...] = ()
    bit_rate: int = 0


_NO_HEADERS = (("write_xing", "0"), ("id3v2_version", "0"))  # they would tell the length, which nobody knows yet


def mp3(kbps: int = 0) -> Encoding:
    """At that many kbit/s; 0 leaves it to the codec."""
    return Encoding("audio/mpeg", "mp3", "libmp3lame", _NO_HEADERS, kbps * 1000)


ENCODINGS = {
    "mp3": mp3(),
    "opus": Encoding("audio/ogg", "ogg", "libopus", (("page_duration", "100000"),)),  # µs: what waits for its page
    "aac": Encoding("audio/aac", "adts", "aac"),
    "flac": Encoding("audio/flac", "flac", "flac"),
    "wav": Encoding("audio/wav", "wav", "pcm_s16le", (("fflags", "+bitexact"),)),  # no note about who encoded it
    "pcm": Encoding("audio/pcm"),
}
"""By the names of OpenAI's response_format. A WAV of unknown length says so (0xFFFFFFFF), as a streamed one does."""


class _Sink:
    """A file that can only be written to, so that FFmpeg never goes back to a header."""

    def __init__(self) -> None:
        self.waiting = bytearray()

    def write(self, data: bytes) -> int:
        self.waiting += data
        return len(data)

    def taken(self) -> bytes:
        data = bytes(self.waiting)
        self.waiting.clear()
        return data


class SoundEncoder:
    """One stream of sound: int16 at 24 kHz in, bytes of `encoding` at `rate` Hz out.

    Raises ProtocolError for a rate, or a bit rate, that its codec does not know.
    """

    def __init__(self, encoding: Encoding, rate: int = SAMPLE_RATE) -> None:
        self._rate, self._resampler = rate, pcm.Resampler(SAMPLE_RATE, rate)
        self._sink, self._container = _Sink(), None
        if encoding.container:
            try:
                self._open(encoding)
            except (av.FFmpegError, ValueError) as error:
                told = f"{encoding.codec} knows no {rate} Hz"
                raise ProtocolError(f"{told} at {encoding.bit_rate} bit/s" if encoding.bit_rate else told) from error

    def _open(self, encoding: Encoding) -> None:
        self._container = av.open(self._sink, "w", format=encoding.container, options=dict(encoding.options))
        self._stream = self._container.add_stream(encoding.codec, rate=self._rate, layout="mono")
        if encoding.bit_rate:
            self._stream.bit_rate = encoding.bit_rate
        self._container.start_encoding()  # so that a sound without samples is a file, too

    def encode(self, samples: np.ndarray) -> Iterator[bytes]:
        """In pieces of about 0.1 s; a codec keeps back what does not fill a frame yet."""
        yield from self._encoded(self._resampler.push(samples))

    def finish(self) -> bytes:
        """What was kept back. The encoder is spent then."""
        rest = b"".join(self._encoded(self._resampler.flush()))
        if self._container is not None:
            self._container.mux(self._stream.encode(None))
            self._container.close()
        return rest + self._sink.taken()

    def _encoded(self, samples: np.ndarray) -> Iterator[bytes]:
        step = int(self._rate * _PIECE)
        for at in range(0, len(samples), step):
            if piece := self._piece(samples[at : at + step]):
                yield piece

    def _piece(self, samples: np.ndarray) -> bytes:
        if self._container is None:
            return samples.astype("<i2").tobytes()
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None], format="s16", layout="mono")
        frame.sample_rate = self._rate
        self._container.mux(self._stream.encode(frame))
        return self._sink.taken()
