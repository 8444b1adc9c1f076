"""One call, many noises, through every canceller: `compare_cancellers`."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from livekit import rtc
from livekit.agents import inference, stt

from lkcook import pcm
from lkcook.audio.clip import Clip
from lkcook.direct import hear
from lkcook.errors import CookError
from lkcook.noise import catalogue, dnsmos
from lkcook.noise.mixing import noisy, speaking
from lkcook.noise.quality import lag, sdr
from lkcook.noise.sounds import NAMES
from lkcook.noise.stage import RATE, Stage
from lkcook.report.noise_study import RAW, Measured, NoiseStudy
from lkcook.report.progress import Progress
from lkcook.report.words import word_error_rate
from lkcook.turns.recordings import RATE as HEARING_RATE
from lkcook.turns.recordings import TurnRecording, speech_spans

FRAME = 0.05  # seconds: as an AgentSession takes them from a room
_LATEST = 0.5  # seconds by which a canceller may be late that does not tell
_UNSURE = 0.01  # seconds at each side of the delay that one tells
_AFTER = 2.0  # seconds of silence for a recogniser that streams, to come to its end
_AT_ONCE = 2  # recognisers
Factory = Callable[[], rtc.FrameProcessor[rtc.AudioFrame]]
Recogniser = str | Callable[[], stt.STT] | None


async def compare_cancellers(
    recordings: Sequence[TurnRecording | tuple[Clip, str]],
    cancellers: Mapping[str, str | Factory] | Sequence[str],
    noises: Mapping[str, str | Clip] | Sequence[str] = tuple(name for name in NAMES if name != "hiss"),
    *,
    snr: float = 5.0,
    stt: Recogniser = None,
) -> NoiseStudy:
    """Put each of `noises` behind `recordings`, lead the sound through each of `cancellers`, and measure what is left.

    recordings: turns of one language without noise, or (clip, what is said). They are heard one after the other,
    equally loud, as one call, until 1.2 s after the end of each. cancellers: label -> a name (`lkcook.canceller`), or
    what makes a FrameProcessor, as `noise_cancellation=` takes it; "raw" is always among them. noises: names
    (`lkcook.noises()`), or label -> name or a sound of your own. snr: decibels by which speech is louder.
    stt: a model string, or what makes an STT; one request for each canceller and noise. If None, on this machine
    ElevenLabs' batch recogniser, which takes the call as a whole, in the cloud "deepgram/nova-3", twice as fast as it
    is spoken.
    A notebook shows how far it has come.
    Raises CookError for what it cannot use, CallError when the recogniser refuses.
    """
    stage = await asyncio.to_thread(_stage, recordings)
    language = next((each.language for each in recordings if isinstance(each, TurnRecording)), "en")
    factories = _factories(cancellers)
    behind = _sounds(noises)
    gate, hearing, found = asyncio.Semaphore(_AT_ONCE), [], []
    progress = Progress(len(behind) * len(factories), "sounds heard")
    try:
        for noise, sound in behind.items():
            mixed = await asyncio.to_thread(_mixed, stage, sound, snr)
            for label, factory in factories.items():
                found.append(await asyncio.to_thread(_measured, label, noise, factory, mixed, stage))
                listening = _listened(found[-1], stage, stt or _usual(language), gate, progress)
                hearing.append(asyncio.create_task(listening))
                await asyncio.gather(*(task for task in hearing if task.done()))  # a refusal is told at once
        await asyncio.gather(*hearing)
    finally:
        for task in hearing:
            task.cancel()
        await asyncio.gather(*hearing, return_exceptions=True)
    return NoiseStudy(stage, found, snr)


def _stage(recordings: Sequence[TurnRecording | tuple[Clip, str]]) -> Stage:
    known = [each if isinstance(each, TurnRecording) else _marked(*each) for each in recordings]
    if not known:
        raise CookError("There is no recording to compare with.", "Give lkcook.turn_recordings(), or (clip, text).")
    if len(languages := sorted({each.language for each in known})) > 1:
        raise CookError(f"The recordings are in {' and '.join(languages)}.", "Give those of one language.")
    return Stage(known)


def _marked(clip: Clip, text: str) -> TurnRecording:
    return TurnRecording.of(clip, text=text, name=text[:40] or "my turn")


def _sounds(noises: Mapping[str, str | Clip] | Sequence[str]) -> dict[str, str | Clip]:
    """By label; a name that is not known is refused before anything is heard."""
    noises = [noises] if isinstance(noises, str) else noises
    given = dict(noises) if isinstance(noises, Mapping) else {name: name for name in noises}
    if not given:
        raise CookError("There is no noise to compare with.", f"There are {', '.join(NAMES)}.")
    if unknown := [each for each in given.values() if isinstance(each, str) and each not in NAMES]:
        raise CookError(f"There is no noise {unknown[0]!r}.", f"There are {', '.join(NAMES)}.")
    return given


def _factories(cancellers: Mapping[str, str | Factory] | Sequence[str]) -> dict[str, Factory | None]:
    """By label, "raw" first: that one has none."""
    if isinstance(cancellers, str):
        cancellers = [cancellers]
    given = cancellers if isinstance(cancellers, Mapping) else {name: name for name in cancellers}
    made = {label: _named(each) if isinstance(each, str) else each for label, each in given.items() if label != RAW}
    return {RAW: None, **made}


def _named(name: str) -> Factory:
    catalogue.get_ready(name)
    return lambda: catalogue.canceller(name)


def _usual(language: str) -> str | Callable[[], stt.STT]:
    """The gateway's address tells whether the models of this machine are in force (lkcook.setup)."""
    if not (url := os.environ.get("ELEVEN_BASE_URL")):
        return f"deepgram/nova-3:{language}"
    from livekit.plugins import elevenlabs

    return lambda: elevenlabs.STT(base_url=url, language_code=language)


def _mixed(stage: Stage, sound: str | Clip, snr: float) -> Clip:
    """As long as the stage and the latest canceller need."""
    longer = np.concatenate([stage.clip.samples, np.zeros(int((_LATEST + FRAME) * RATE), np.int16)])
    return noisy(Clip(longer, RATE), sound, snr)


def _measured(label: str, noise: str, factory: Factory | None, mixed: Clip, stage: Stage) -> Measured:
    """Everything but the words."""
    samples, delay, factor = mixed.samples, 0.0, 0.0
    clean = stage.clip.samples / 32768
    if factory is not None:
        samples, told, factor = _cleaned(label, factory, mixed.samples)
        delay = _delay(clean, samples, told)
    late = round(delay * RATE)
    heard = samples[late : late + len(clean)]
    ratio = sdr(clean, heard / 32768, speaking(clean, RATE))
    low = pcm.resample(heard, RATE, HEARING_RATE)
    return Measured(
        label, noise, Clip(heard, RATE), delay, factor, ratio, dnsmos.opinion(low), stage.judged(speech_spans(low))
    )


def _cleaned(label: str, factory: Factory, samples: np.ndarray) -> tuple[np.ndarray, float | None, float]:
    """Frame by frame as in a session: (int16, as long; the delay in seconds if it is told; seconds per second).

    The seconds are the processor's, and those of every thread: DeepFilterNet's runtime, or a pool of onnxruntime's,
    works beside the one that calls. Asking the recogniser meanwhile counts as well, with less than 0.01.
    """
    processor = factory()
    if not isinstance(processor, rtc.FrameProcessor):
        kind = type(processor).__name__
        raise CookError(f"{label!r} makes a {kind}, which cancels no noise here.", "Give what makes a FrameProcessor.")
    step, out = int(FRAME * RATE), []
    try:
        began = time.process_time()
        for start in range(0, len(samples), step):
            part = np.pad(samples[start : start + step], (0, max(0, start + step - len(samples))))
            cleaned = processor._process(rtc.AudioFrame(part.tobytes(), RATE, 1, step))
            out.append(np.frombuffer(cleaned.data, np.int16))
        took = time.process_time() - began
        told = getattr(processor, "delay", None)
    finally:
        processor._close()
    return np.concatenate(out)[: len(samples)], told, took / (len(samples) / RATE)


def _delay(clean: np.ndarray, heard: np.ndarray, told: float | None) -> float:
    """Seconds; where the sound is most like the clean one, near to what the canceller tells."""
    if not heard.any():
        return told or 0.0
    around = (0.0, _LATEST) if told is None else (max(0.0, told - _UNSURE), min(told + _UNSURE, _LATEST))
    return lag(clean, heard / 32768, *(int(seconds * RATE) for seconds in around)) / RATE


async def _listened(
    measured: Measured, stage: Stage, recogniser: Recogniser, gate: asyncio.Semaphore, progress: Progress
) -> None:
    async with gate:
        model = inference.STT.from_model_string(recogniser) if isinstance(recogniser, str) else recogniser()
        samples = measured.clip.samples
        if model.capabilities.streaming:
            samples = np.concatenate([samples, np.zeros(int(_AFTER * RATE), np.int16)])
        measured.text = (await hear(model, Clip(samples, RATE))).text
    if stage.text:
        measured.wer = word_error_rate(stage.text, measured.text)
    progress.advance()
