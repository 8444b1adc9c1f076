"""Turn detectors hear recordings in real time, all of them the same one at once: `compare_turns`."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livekit import rtc
from livekit.agents import inference, stt, vad
from livekit.agents.utils import http_context
from livekit.agents.voice.turn import _resolve_endpointing, _StreamingTurnDetector

from lkcook.errors import CookError
from lkcook.turns.recordings import RATE, TurnRecording
from lkcook.report.turn_decisions import Delays, Trial
from lkcook.report.turn_study import TurnStudy
from lkcook.turns.ears import silences, speech
from lkcook.turns.lanes import AudioLane, Lane, SttLane, TextLane, name_of

_STEP = RATE // 50
_AT_ONCE, _AT_ONCE_WITH_STT = 4, 1  # recordings; what hears several on this machine answers late, an STT by seconds
_DELAYS = ("min_delay", "max_delay")


@dataclass(frozen=True)
class Detector:
    """One of those that are compared. kind: which lane it takes. vad: whose silences it is asked about."""

    label: str
    model: Any
    kind: type[Lane]
    vad: vad.VAD
    delays: Delays


async def compare_turns(
    recordings: Sequence[TurnRecording],
    detectors: Mapping[str, Any],
    *,
    endpointing: Mapping[str, float] | None = None,
    stt: str | stt.STT = "deepgram/nova-3",
) -> TurnStudy:
    """Let `detectors` hear `recordings`, and tell when each would have committed the turns.

    detectors: label -> LiveKit's own object, as for an AgentSession: a VAD (every silence counts as the end), an
    inference.TurnDetector, a text detector (MultilingualModel), or an STT that ends turns itself, as it does for a
    session with turn_detection="stt".
    All but a VAD are asked about the silences of `inference.VAD()`, which a session takes by itself.
    endpointing: min_delay, max_delay in seconds; what is missing is LiveKit's default for that detector. stt: the
    recogniser whose words a text detector reads: a model string, in the language of the recording unless it names one,
    or an STT object.
    A text detector waits for a transcript. The others are not made to, though a session that has an STT always does.
    Takes as long as the recordings do: four are heard at once, but where an STT is asked, one after the other.
    Raises CookError for what is none of these, CallError when an
    STT is refused.
    """
    settings = dict(endpointing or {})
    if unknown := sorted(set(settings) - set(_DELAYS)):
        raise CookError(f"endpointing has no use for {', '.join(unknown)} here.", f"Give {' and '.join(_DELAYS)} only.")
    if not recordings or not detectors:
        raise CookError("There is nothing to compare.", "Give recordings (lkcook.turn_recordings()) and detectors.")
    shared = inference.VAD()
    known = [_detector(label, model, shared, settings) for label, model in detectors.items()]
    heard = any(each.kind in (TextLane, SttLane) for each in known)
    names = {label: name_of(model) for label, model in detectors.items()}  # now: a fallback changes it
    gate = asyncio.Semaphore(_AT_ONCE_WITH_STT if heard else _AT_ONCE)

    async def one(recording: TurnRecording) -> dict[str, Trial]:
        async with gate:
            return await _hear(recording, known, stt)

    async with http_context.open():
        tasks = [asyncio.create_task(one(recording)) for recording in recordings]
        try:
            trials = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    by_label = {each.label: [trial[each.label] for trial in trials] for each in known}
    told = {each.label for each in known if each.kind is SttLane}
    notes = [note for label, name in names.items() if (note := _fallen_back(label, name, by_label[label]))]
    return TurnStudy(by_label, {each.label: each.delays for each in known}, told, notes)


def _fallen_back(label: str, model: str, trials: Sequence[Trial]) -> str:
    others = [trial.model for trial in trials if trial.model != model]
    if not others:
        return ""
    return f"{label}: LiveKit fell back to {others[0]} in {len(others)} of {len(trials)} recordings."


def _detector(label: str, model: Any, shared: vad.VAD, settings: dict[str, float]) -> Detector:
    """Which lane it takes, and LiveKit's delays for it: a detector that listens is granted shorter ones."""
    kind = _kind(label, model)
    listens = model if kind is AudioLane else None
    delays = _resolve_endpointing(settings, turn_detection=listens)  # type: ignore[arg-type]
    silences_of = model if kind is Lane else shared
    return Detector(label, model, kind, silences_of, Delays(delays["min_delay"], delays["max_delay"]))


def _kind(label: str, model: Any) -> type[Lane]:
    """VADs and STTs first: to LiveKit's protocol of streaming detectors they look like one."""
    if isinstance(model, vad.VAD):
        return Lane
    if isinstance(model, stt.STT):
        if not model.capabilities.streaming:
            raise CookError(f"{label!r} is an STT that does not stream.", "Give one that does: it must hear the end.")
        return SttLane
    if hasattr(model, "predict_end_of_turn"):
        return TextLane
    if isinstance(model, _StreamingTurnDetector):
        return AudioLane
    raise CookError(
        f"{label!r} is a {type(model).__name__}, which detects no turns.",
        "Give LiveKit's object: inference.VAD(), inference.TurnDetector(), MultilingualModel(), an inference.STT(…).",
    )


async def _hear(recording: TurnRecording, detectors: Sequence[Detector], words: str | stt.STT) -> dict[str, Trial]:
    """All detectors hear one recording."""
    began = time.monotonic()
    lanes = {
        each.label: each.kind(each.model, each.delays, lambda: time.monotonic() - began, recording.language)
        for each in detectors
    }
    async with contextlib.AsyncExitStack() as stack:
        for lane in lanes.values():
            stack.push_async_callback(lane.aclose)
        ears = [lane.push for lane in lanes.values()]
        for model in {id(each.vad): each.vad for each in detectors}.values():
            listeners = [lanes[each.label] for each in detectors if each.vad is model]
            ears.append(await stack.enter_async_context(silences(model, listeners)))
        for each in detectors:
            if isinstance(lane := lanes[each.label], SttLane):
                ears.append(await stack.enter_async_context(speech(each.model, lane.on_speech)))
        readers = [lane for lane in lanes.values() if isinstance(lane, TextLane)]
        if readers:
            model = words
            if isinstance(words, str):
                model = inference.STT.from_model_string(words if ":" in words else f"{words}:{recording.language}")
                stack.push_async_callback(model.aclose)
            ears.append(await stack.enter_async_context(speech(model, lambda event: _read(event, readers))))
        samples, began = recording.clip.mono(RATE), time.monotonic()
        for start in range(0, len(samples) - _STEP + 1, _STEP):
            await asyncio.sleep(max(0.0, began + (start + _STEP) / RATE - time.monotonic()))
            for ear in ears:
                ear(rtc.AudioFrame(samples[start : start + _STEP].tobytes(), RATE, 1, _STEP))
    return {label: Trial(recording, tuple(lane.asked), lane.model) for label, lane in lanes.items()}


def _read(event: stt.SpeechEvent, readers: Sequence[TextLane]) -> None:
    if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT and event.alternatives and event.alternatives[0].text:
        for lane in readers:
            lane.on_words(event.alternatives[0].text, event.alternatives[0].language)
