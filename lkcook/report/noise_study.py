"""What cancellers made of a call with noises behind it: tables, plain rows, sounds and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from lkcook.audio.clip import Clip
from lkcook.errors import CookError
from lkcook.report import noise_study_drawing as drawing
from lkcook.report.html import columns, table
from lkcook.report.noise_metrics import METRICS, MetricTable, mean, written
from lkcook.report.picture import Plot

if TYPE_CHECKING:
    from lkcook.noise.dnsmos import Opinion
    from lkcook.noise.stage import Heard, Stage

RAW = "raw"
SHOWN = ("wer", "snr_gain", "ovrl")  # metrics with a table of their own in a notebook


NOTE = (
    "SNR: signal-to-distortion ratio (SDR of BSS Eval, Vincent et al. 2006) where somebody speaks, the canceller's "
    "delay taken out, and a filter of 21 ms forgiven. SIG, BAK, OVRL: DNSMOS (Microsoft), an estimate of what "
    "listeners would say. Pauses inside a turn count neither as cut off nor as its end."
)


@dataclass
class Measured:
    """One canceller with one noise. clip: what comes out, its delay taken out, 24 kHz. delay: seconds.

    snr: signal-to-distortion ratio in dB. text, wer: what the recogniser made of it; wer is None where no words were.
    """

    canceller: str
    noise: str
    clip: Clip
    delay: float
    real_time_factor: float
    snr: float
    opinion: Opinion
    heard: Heard
    text: str = ""
    wer: float | None = None


class NoiseStudy:
    """Each canceller with each noise; what `lkcook.compare_cancellers` returns.

    cancellers, noises: labels, "raw" the first of the former. snr: decibels, as it was mixed.
    """

    def __init__(self, stage: Stage, measured: Sequence[Measured], snr: float) -> None:
        self.snr, self._stage = snr, stage
        self._measured = {(each.canceller, each.noise): each for each in measured}
        self.cancellers = tuple(dict.fromkeys(each.canceller for each in measured))
        self.noises = tuple(dict.fromkeys(each.noise for each in measured))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One dict for each canceller and noise.

        canceller, noise; snr_before, snr_after, snr_gain: dB; sig, bak, ovrl, p808: 1 to 5; wer: 0 is perfect, None if
        there were no words; text: as it was understood; vad_false, vad_missed: seconds; cut_offs, not_ended: counts;
        real_time_factor: seconds of processor time, of all threads, per second of sound, outside a call (in one:
        `Call.canceller_load`); delay: seconds.
        """
        return [self._row(each) for each in self._measured.values()]

    @property
    def recordings(self) -> tuple[str, ...]:
        """Names of the recordings, in their order."""
        return tuple(turn.name for turn in self._stage.turns)

    def values(self, metric: str) -> dict[str, list[float | None]]:
        """Canceller -> the metric with each of `noises`. Raises CookError for what is not in `rows` as a number."""
        if metric not in METRICS:
            raise CookError(f"There is no metric {metric!r}.", f"There are {', '.join(METRICS)}.")
        return {who: [self._row(self._of(who, noise))[metric] for noise in self.noises] for who in self.cancellers}

    def table(self, metric: str) -> MetricTable:
        """One metric, canceller by noise, the best of each noise marked. Raises CookError for an unknown one."""
        values = self.values(metric)
        return MetricTable(METRICS[metric], self.noises, values)

    def scores(self, metric: str) -> Plot:
        """One metric as bars, a group for each noise. Raises CookError for an unknown one."""
        values = self.values(metric)
        return drawing.bars(METRICS[metric], self.noises, values)

    def clip(self, canceller: str, noise: str, recording: str | int | None = None) -> Clip:
        """What came out: the whole call, or one recording of it. Raises CookError for unknown names."""
        whole = self._of(canceller, noise).clip
        return whole if recording is None else self._cut(whole, recording)

    def clean(self, recording: str | int | None = None) -> Clip:
        """The call, or one recording of it, before there was noise."""
        return self._stage.clip if recording is None else self._cut(self._stage.clip, recording)

    def plot(self, noise: str, recording: str | int = 0) -> Plot:
        """Waveform and spectrogram of a recording: clean, with the noise, and behind each canceller."""
        sounds = {who: self.clip(who, noise, recording) for who in self.cancellers}
        title = f"{self._stage.turn(recording).name} with {noise}: speech {self._louder} the noise"
        return drawing.sounds({"clean": self.clean(recording), **sounds}, title)

    def _row(self, each: Measured) -> dict[str, Any]:
        before = self._of(RAW, each.noise).snr
        levels = {"snr_before": before, "snr_after": each.snr, "snr_gain": each.snr - before}
        heard = {f"vad_{name}" if name in ("false", "missed") else name: n for name, n in vars(each.heard).items()}
        rest = {name: getattr(each, name) for name in ("wer", "text", "real_time_factor", "delay")}
        return {"canceller": each.canceller, "noise": each.noise, **levels, **vars(each.opinion), **heard, **rest}

    def _of(self, canceller: str, noise: str) -> Measured:
        for kind, name, known in (("canceller", canceller, self.cancellers), ("noise", noise, self.noises)):
            if name not in known:
                raise CookError(f"There is no {kind} {name!r} in this study.", f"It has {', '.join(known)}.")
        return self._measured[canceller, noise]

    def _cut(self, clip: Clip, recording: str | int) -> Clip:
        turn = self._stage.turn(recording)
        begin, until = (round(seconds * clip.sample_rate) for seconds in (turn.begin, turn.until))
        return Clip(clip.samples[begin:until], clip.sample_rate)

    def _title(self) -> str:
        stage = self._stage
        silence = stage.clip.duration - stage.speech
        return (
            f"{len(stage.turns)} turns ({stage.speech:.0f} s of speech, {silence:.0f} s of silence), "
            f"speech {self._louder} the noise; means over {', '.join(self.noises)}"
        )

    @property
    def _louder(self) -> str:
        return f"{abs(self.snr):g} dB {'louder' if self.snr > 0 else 'softer'} than" if self.snr else "as loud as"

    def _means(self) -> list[list[str]]:
        every = {name: self.values(name) for name in METRICS}
        return [
            [who, *(written(metric, mean(every[name][who])) for name, metric in METRICS.items())]
            for who in self.cancellers
        ]

    def _repr_html_(self) -> str:
        headers = [("canceller", "your label"), *((each.title, each.help) for each in METRICS.values())]
        tables = "".join(self.table(metric)._repr_html_() for metric in SHOWN)
        return table(self._title(), headers, self._means()) + tables + f"<p><small>{escape(NOTE)}</small></p>"

    def __repr__(self) -> str:
        shown = columns(["canceller", *(each.title for each in METRICS.values())], self._means())
        return "\n\n".join([f"{self._title()}\n{shown}", *(repr(self.table(metric)) for metric in SHOWN)])
