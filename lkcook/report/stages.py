"""Reads the stages of every turn from what a call left behind.

The sources, in this order: LiveKit's spans, `ChatMessage.metrics`, event times. Nothing is estimated;
what nobody recorded stays None.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from livekit.agents.telemetry import trace_types

from lkcook.report.evidence import Evidence, SpokenLine
from lkcook.report.spans import Span, Trace
from lkcook.report.transcript import Message
from lkcook.report.turns import Turn, Turns

SAME = 0.001  # seconds: LiveKit rounds one clock reading differently for spans and for metrics


@dataclass
class _Times:
    """The stages of one turn on the wall clock."""

    said: Message
    reply: Message
    lines: list[SpokenLine]
    commit: float | None
    transcript: float | None
    token: float | None
    byte: float | None
    sample: float | None

    @property
    def last_syllable(self) -> float:
        """The end of the last line that ended inside this turn; what LiveKit's VAD heard if there is none."""
        decided = self.commit or self.sample or self.reply.started_at
        ends = [line.ended_at for line in self.lines if line.ended_at <= decided]
        return max(ends, default=self.said.ended_at)


def read_turns(evidence: Evidence, origin: float) -> Turns:
    """One row for each caller turn that was answered, in a call that started at `origin` (time.time())."""
    times = [_times(evidence, said, reply) for said, reply in _answered(evidence.messages)]
    cut = _cut_rows(evidence, times)
    rows = [_row(evidence, each, origin) for each in times]
    return Turns(replace(row, cut_off=index in cut) for index, row in enumerate(rows))


def _answered(messages: Iterable[Message]) -> Iterable[tuple[Message, Message]]:
    """Each caller message with the first thing the agent said after it began and before the next one."""
    said: Message | None = None
    for message in sorted(messages, key=lambda each: each.started_at):
        if message.who == "caller":
            said = message
        elif said is not None:
            yield said, message
            said = None


def _times(evidence: Evidence, said: Message, reply: Message) -> _Times:
    turn = _user_turn(evidence.trace, said)
    nodes = _llm_nodes(evidence.trace, reply)
    commit = _commit(evidence, turn, said, reply)
    heard = evidence.first_sound(reply.started_at - SAME, reply.ended_at)
    until = commit if commit is not None and _timed_here(said) else reply.started_at
    return _Times(
        said=said,
        reply=reply,
        lines=[line for line in evidence.spoken if line.started_at < until and line.ended_at > said.started_at],
        commit=commit,
        transcript=_transcript(evidence, turn, said, until),
        token=_first_token(nodes, reply),
        byte=_first_byte(nodes, reply),
        sample=heard or reply.metrics.get("started_speaking_at"),
    )


def _row(evidence: Evidence, times: _Times, origin: float) -> Turn:
    zero = times.last_syllable

    def ms(moment: float | None) -> float | None:
        return None if moment is None else (moment - zero) * 1000

    return Turn(
        text=times.said.text,
        reply=times.reply.text,
        last_syllable=zero - origin,
        final_transcript=ms(times.transcript),
        turn_commit=ms(times.commit),
        first_token=ms(times.token),
        first_audio_byte=ms(times.byte),
        first_sample=ms(times.sample),
        lines=tuple(line.text for line in times.lines),
        tools=tuple(name for at, name in evidence.tools if times.said.started_at < at < times.reply.started_at),
        interrupted=times.reply.interrupted,
        started_at=times.said.started_at - origin,
        ended_at=times.reply.ended_at - origin,
    )


def _cut_rows(evidence: Evidence, rows: Sequence[_Times]) -> set[int]:
    """For each line that was cut off: the first row that holds a part of it."""
    waits = [wait for turn in evidence.trace.named("user_turn") for wait in _committed(evidence.trace, turn)]
    decisions = [wait.ended_at for wait in waits] + [row.commit for row in rows if row.commit]
    for said in evidence.messages:  # also those that a server took for a turn and nobody answered
        if said.who == "caller" and not _timed_here(said):
            decisions += _speech_ends(evidence.trace, said)
    sounds = [row.sample for row in rows if row.sample]
    cut = set()
    for line in evidence.spoken:
        if any(line.started_at < moment < line.ended_at for moment in decisions + sounds):
            cut.update([index for index, row in enumerate(rows) if line in row.lines][:1])
    return cut


def _user_turn(trace: Trace, said: Message) -> Span | None:
    turns = trace.named("user_turn")
    started = said.metrics.get("started_speaking_at")
    if started is None:  # LiveKit doubted its clock readings: then the newest turn committed before this message
        committed = [span for span in turns if any(w.ended_at <= said.decided_at for w in _committed(trace, span))]
        return committed[-1] if committed else None
    return next((span for span in turns if abs(span.started_at - started) < SAME), None)


def _committed(trace: Trace, turn: Span) -> list[Span]:
    waits = trace.named("eou_wait", below=turn)
    return [wait for wait in waits if wait.attributes.get(trace_types.ATTR_EOU_OUTCOME) == "committed"]


def _commit(evidence: Evidence, turn: Span | None, said: Message, reply: Message) -> float | None:
    if turn is not None and (waits := _committed(evidence.trace, turn)):
        return waits[-1].ended_at
    if (delay := said.metrics.get("end_of_turn_delay")) is not None:
        return said.metrics["stopped_speaking_at"] + delay
    by_hand = max((at for at in evidence.releases if said.started_at < at < reply.started_at), default=None)
    return _told_by_server(evidence.trace, said, reply) or by_hand


def _told_by_server(trace: Trace, said: Message, reply: Message) -> float | None:
    """A realtime model finds the turns itself. OpenAI's protocol says when, Gemini's does not: it just answers."""
    byte = _first_byte([], reply)
    if _timed_here(said) or byte is None:
        return None
    return next((end for end in _speech_ends(trace, said) if said.ended_at <= end < byte), None)


def _speech_ends(trace: Trace, said: Message) -> list[float]:
    told = said.metrics.get("started_speaking_at")
    return [s.ended_at for s in trace.named("user_speaking") if told is not None and abs(s.started_at - told) < SAME]


def _timed_here(said: Message) -> bool:
    """Whether LiveKit itself has found the turn; a realtime model's server leaves the end of speech open."""
    return "stopped_speaking_at" in said.metrics


def _transcript(evidence: Evidence, turn: Span | None, said: Message, until: float) -> float | None:
    if turn is not None and trace_types.ATTR_STT_EVENTS in turn.attributes:
        events = json.loads(turn.attributes[trace_types.ATTR_STT_EVENTS])
        if finals := [event["received_at"] for event in events if event["type"] == "final_transcript"]:
            return max(finals)
    if delay := said.metrics.get("transcription_delay"):  # 0 stands for "before the end of speech"
        return said.metrics["stopped_speaking_at"] + delay
    return max((at for at in evidence.finals if said.started_at < at <= until + SAME), default=None)


def _llm_nodes(trace: Trace, reply: Message) -> list[Span]:
    """The generations of this reply (more than one when tools were called), without discarded preemptive ones."""
    turns = [t for t in trace.named("agent_turn") if t.attributes.get(trace_types.ATTR_SPEECH_ID) == reply.speech_id]
    if not turns:
        return []
    discarded = [at for name, at in turns[-1].events if name == "preemptive_generation_discarded"]
    since = max(discarded, default=0.0)
    return [node for node in trace.named("llm_node", below=turns[-1]) if node.started_at >= since]


def _first_token(nodes: Sequence[Span], reply: Message) -> float | None:
    if not nodes:
        return None
    ttft = nodes[0].attributes.get(trace_types.ATTR_RESPONSE_TTFT)
    if ttft is None and len(nodes) == 1:  # the span of an interrupted generation carries no TTFT, the message does
        ttft = reply.metrics.get("llm_node_ttft")
    return None if ttft is None else nodes[0].started_at + ttft


def _first_byte(nodes: Sequence[Span], reply: Message) -> float | None:
    metrics = reply.metrics
    mine = [node for node in nodes if node.started_at <= reply.decided_at]
    if mine and "llm_node_ttfs" in metrics and "tts_node_ttfb" in metrics:
        return mine[-1].started_at + metrics["llm_node_ttfs"] + metrics["tts_node_ttfb"]
    if "playback_latency" in metrics:  # a realtime model, or a tts_node of the reader's: handed on as it came
        return metrics["started_speaking_at"] - metrics["playback_latency"]
    return None
