"""Reads a timeline from what a call left behind.

LiveKit's spans tell when the caller spoke, when the session waited, and when the models worked; the stages of each
turn come from `call.turns`; arrivals of words and sound from the journal. Nothing is estimated: what nobody
recorded leaves its lane empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from livekit.agents.telemetry import trace_types

from lkcook.audio.clip import Clip
from lkcook.errors import CookError
from lkcook.report.latency import segments
from lkcook.report.spans import Span, Trace
from lkcook.report.timeline import LANES, PEAKS, Lane, Mark, Stretch, Timeline
from lkcook.report.turns import CLOCKS, STAGES, Clock, Turn, Turns

if TYPE_CHECKING:
    from lkcook.call import Call

MARGIN = 0.4  # seconds before and after a turn
BURST = 0.02  # seconds: what arrives within them is one mark
SAME = 0.001  # seconds: one moment, read from two clocks


def read_timeline(call: Call, turn: int | None = None) -> Timeline:
    """The lanes of `call`; of one of its turns (from 0; -1 is the last) with `turn`. Raises CookError without it."""
    turns, sound = call.turns, call.recording
    whole = Timeline(
        start=0.0,
        end=max(call.duration, sound.duration, 0.1),
        lanes=dict(zip(LANES, _lanes(call, turns, sound), strict=True)),
        turns=turns,
        moments=_moments(call, turns),
        sound=sound,
    )
    if turn is None:
        return whole
    if not -len(turns) <= turn < len(turns):
        raise CookError(f"There is no turn {turn}: {len(turns)} were answered.", "They are counted from 0.")
    return _around(whole, turns[turn])


def _around(whole: Timeline, turn: Turn) -> Timeline:
    started = turn.last_syllable if turn.started_at is None else turn.started_at
    ended = turn.last_syllable + (turn.first_sample or 0) / 1000 if turn.ended_at is None else turn.ended_at
    start, end = max(whole.start, started - MARGIN), min(whole.end, max(ended, turn.last_syllable) + MARGIN)
    return replace(whole.between(start, end), turns=Turns([turn]))


def _lanes(call: Call, turns: Turns, sound: Clip) -> Iterator[Lane]:
    """In the order of LANES."""
    trace, journal, origin = call.trace, call.journal, call.started_at
    caller, agent = (_wave(sound, side) for side in (0, 1))
    yield Lane(wave=caller)
    yield Lane(_stretches(trace, "user_speaking", "the caller speaks", origin))
    interims = [Mark(at - origin, "interim transcript", text) for at, text in journal.interims]
    finals = [Mark(at - origin, "final transcript", text) for at, text in journal.finals]
    yield Lane(marks=_sorted([*interims, *finals]))
    moves = [Mark(at - origin, f"button {event}") for at, event in journal.presses]
    ends = [*_predictions(trace, origin), *_commits(trace, turns, origin), *moves]
    yield Lane(_waits(trace, origin), _sorted(ends))
    words = [Mark(at - origin, "words", text) for at, text in _bursts(journal.tokens)]
    thinking = _stretches(trace, "llm_node", "language model", origin)
    tools = _stretches(trace, "function_tool", "function", origin, trace_types.ATTR_FUNCTION_TOOL_NAME)
    yield Lane(thinking + tools, _sorted([*words, *_first_tokens(trace, turns, origin), *_replies(words, turns)]))
    frames = [Mark(at - origin, "sound arrived", f"{seconds:.2f} s") for at, seconds in _bursts(journal.frames)]
    speaking = _stretches(trace, "tts_node", "text to speech", origin)
    yield Lane(speaking, _sorted([*frames, *_of_turns(turns, "first_audio_byte", "first byte")]))
    yield Lane(_stretches(trace, "agent_speaking", "the agent speaks", origin), wave=agent)
    for clock in CLOCKS:
        yield _waiting(turns, clock)


def _moments(call: Call, turns: Turns) -> tuple[Mark, ...]:
    ends = [Mark(turn.last_syllable, "last syllable", turn.text) for turn in turns]
    cut = [Mark(u.ended_at, "interruption", u.text) for u in call.transcript if u.who == "agent" and u.interrupted]
    return _sorted([*ends, *_commits(call.trace, turns, call.started_at), *cut])


def _wave(sound: Clip, side: int) -> np.ndarray:
    step = sound.sample_rate // PEAKS
    samples = sound.samples[: len(sound.samples) // step * step, side]
    return np.abs(samples.astype(np.float64)).reshape(-1, step).max(axis=1) / 32768


def _stretches(trace: Trace, name: str, kind: str, origin: float, told: str = "") -> tuple[Stretch, ...]:
    return tuple(
        Stretch(span.started_at - origin, span.ended_at - origin, kind, str(span.attributes.get(told, "")))
        for span in trace.named(name)
    )


def _waits(trace: Trace, origin: float) -> tuple[Stretch, ...]:
    """LiveKit's waiting for the end of the turn, and how it ended."""
    return tuple(
        Stretch(wait.started_at - origin, wait.ended_at - origin, "waiting for the end of the turn", _outcome(wait))
        for wait in trace.named("eou_wait")
    )


def _outcome(wait: Span) -> str:
    delay = wait.attributes.get(trace_types.ATTR_EOU_DELAY)
    outcome = str(wait.attributes.get(trace_types.ATTR_EOU_OUTCOME, "")).replace("_", " ")
    return outcome if delay is None else f"{outcome}, endpointing delay {delay:.2f} s"


def _predictions(trace: Trace, origin: float) -> list[Mark]:
    marks = []
    for span in trace.named("eou_detection"):
        value = span.attributes.get(trace_types.ATTR_EOU_PROBABILITY)
        limit = span.attributes.get(trace_types.ATTR_EOU_UNLIKELY_THRESHOLD)
        if value is not None:
            text = f"{value:.2f}" + ("" if limit is None else f" (threshold {limit:.2f})")
            marks.append(Mark(span.ended_at - origin, "end-of-turn probability", text, value, limit))
    return marks


def _commits(trace: Trace, turns: Turns, origin: float) -> list[Mark]:
    committed = [w for w in trace.named("eou_wait") if w.attributes.get(trace_types.ATTR_EOU_OUTCOME) == "committed"]
    return _joined([Mark(wait.ended_at - origin, "turn commit") for wait in committed], turns, "turn_commit")


def _first_tokens(trace: Trace, turns: Turns, origin: float) -> list[Mark]:
    timed = [(n, n.attributes.get(trace_types.ATTR_RESPONSE_TTFT)) for n in trace.named("llm_node")]
    marks = [
        Mark(n.started_at + ttft - origin, "first token", f"TTFT {1000 * ttft:.0f} ms")
        for n, ttft in timed
        if ttft is not None
    ]
    return _joined(marks, turns, "first_token")


def _joined(marks: list[Mark], turns: Turns, stage: str) -> list[Mark]:
    """`marks`, and of the turns' own what is not among them: a stage may be known without a span."""
    more = _of_turns(turns, stage, STAGES[stage][0])
    return marks + [mark for mark in more if all(abs(mark.at - known.at) > SAME for known in marks)]


def _of_turns(turns: Turns, stage: str, kind: str) -> list[Mark]:
    times = [(turn, getattr(turn, stage)) for turn in turns]
    return [
        Mark(turn.last_syllable + ms / 1000, kind, f"{ms:.0f} ms after the last syllable")
        for turn, ms in times
        if ms is not None
    ]


def _replies(words: list[Mark], turns: Turns) -> Iterator[Mark]:
    """The text of each answer, at the last of its words that came before the answer was over."""
    for turn in turns:
        came = [w.at for w in words if turn.ended_at is not None and turn.last_syllable < w.at < turn.ended_at]
        if came:
            yield Mark(max(came), "answer", turn.reply.strip())


def _waiting(turns: Turns, clock: Clock) -> Lane:
    """The segments of each turn's waiting time, and its length in the clock's milliseconds."""
    stretches, marks = [], []
    for turn in turns:
        zero = 0.0 if clock == "last_syllable" else turn.turn_commit
        parts, since = segments(turn), 0.0
        if not parts or zero is None:
            continue
        for name, waited in parts.items():
            since, start = since + waited, max(since, zero)
            if since > start:
                began, ended = (turn.last_syllable + ms / 1000 for ms in (start, since))
                stretches.append(Stretch(began, ended, STAGES[name][0], f"{waited:.0f} ms of the waiting time"))
        at = turn.last_syllable + turn.first_sample / 1000
        marks.append(Mark(at, "first sample", f"{turn.first_sample - zero:.0f} ms"))
    return Lane(tuple(stretches), tuple(marks))


def _bursts(arrivals: Iterable[tuple[float, str | float]]) -> Iterator[tuple[float, str | float]]:
    """What came (nearly) at once counts as one arrival: texts are joined, seconds added up."""
    began, whole = None, None
    for at, part in arrivals:
        if began is not None and at - began < BURST:
            whole += part
            continue
        if began is not None:
            yield began, whole
        began, whole = at, part
    if began is not None:
        yield began, whole


def _sorted(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    return tuple(sorted(marks, key=lambda mark: mark.at))
