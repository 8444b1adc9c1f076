"""LiveKit's OpenTelemetry spans of one call, kept in this process.

A span processor is added to the tracer provider in force (the reader's, if one is set) and stays there; it
copies the spans below a call's own root span and leaves everything else alone. Only when no SDK provider is
set anywhere does LiveKit's tracer get one of ours.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from livekit.agents import telemetry
from opentelemetry import context as otel_context, trace as otel
from opentelemetry.sdk.trace import ReadableSpan, Span as SdkSpan, SpanProcessor, TracerProvider

NANO = 1e-9


@dataclass(frozen=True)
class Span:
    """One finished span: times are time.time() seconds, `events` are (name, time)."""

    name: str
    started_at: float
    ended_at: float
    id: int
    parent: int | None
    attributes: Mapping[str, Any]
    events: tuple[tuple[str, float], ...] = ()


@dataclass
class Trace:
    """The finished spans of a call, in the order in which they ended."""

    spans: list[Span] = field(default_factory=list)

    def named(self, name: str, below: Span | None = None) -> list[Span]:
        """Spans called `name`, by start time; with `below`, only its direct children."""
        found = [s for s in self.spans if s.name == name and (below is None or s.parent == below.id)]
        return sorted(found, key=lambda span: span.started_at)


@contextlib.contextmanager
def spans_below(name: str) -> Iterator[Trace]:
    """Open the span `name` around the block and collect every span that starts below it."""
    collector = _collector(_provider())
    with telemetry.tracer.start_as_current_span(name) as root:
        yield collector.collect(root.get_span_context().span_id)


class _Collector(SpanProcessor):
    """Sorts finished spans into the traces of the calls they belong to."""

    def __init__(self) -> None:
        self._traces: weakref.WeakValueDictionary[int, Trace] = weakref.WeakValueDictionary()

    def collect(self, root: int) -> Trace:
        trace = self._traces[root] = Trace()
        return trace

    def on_start(self, span: SdkSpan, parent_context: otel_context.Context | None = None) -> None:
        trace = self._traces.get(span.parent.span_id) if span.parent else None
        if trace is not None and span.context is not None:
            self._traces[span.context.span_id] = trace

    def on_end(self, span: ReadableSpan) -> None:
        trace = self._traces.get(span.context.span_id) if span.context else None
        if trace is not None:
            trace.spans.append(_copy(span))


_collectors: weakref.WeakKeyDictionary[TracerProvider, _Collector] = weakref.WeakKeyDictionary()
_own: TracerProvider | None = None


def _provider() -> TracerProvider:
    """The SDK provider LiveKit's tracer writes to: the reader's, or ours when there is none."""
    global _own
    # LiveKit's tracer has a setter but no public reader of its provider
    livekit = getattr(telemetry.tracer, "_tracer_provider", None)
    if isinstance(livekit, TracerProvider) and livekit is not _own:
        return livekit
    everywhere = otel.get_tracer_provider()
    if isinstance(everywhere, TracerProvider):
        if livekit is _own:
            telemetry.set_tracer_provider(everywhere)
        return everywhere
    if _own is None:
        _own = TracerProvider()
        telemetry.set_tracer_provider(_own)
    return _own


def _collector(provider: TracerProvider) -> _Collector:
    if provider not in _collectors:
        _collectors[provider] = _Collector()
        provider.add_span_processor(_collectors[provider])
    return _collectors[provider]


def _copy(span: ReadableSpan) -> Span:
    started = (span.start_time or 0) * NANO
    return Span(
        name=span.name,
        started_at=started,
        ended_at=(span.end_time or span.start_time or 0) * NANO,
        id=span.context.span_id,
        parent=span.parent.span_id if span.parent else None,
        attributes=dict(span.attributes or {}),
        events=tuple((event.name, event.timestamp * NANO) for event in span.events),
    )
