"""LiveKit's spans of a call are collected next to whatever tracing the reader has set up."""

from __future__ import annotations

import pytest
from livekit.agents import telemetry
from opentelemetry.sdk.trace import TracerProvider, sampling
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lkcook.call import talk
from lkcook.report.spans import spans_below
from tests.call.conftest import BeepingCaller


@pytest.fixture
def readers_tracing():
    """Give LiveKit a provider of the reader's own, and take it away again."""
    before = telemetry.tracer._tracer_provider

    def use(provider: TracerProvider) -> TracerProvider:
        telemetry.set_tracer_provider(provider)
        return provider

    yield use
    telemetry.set_tracer_provider(before)


async def test_the_readers_own_tracer_provider_is_not_displaced(pipeline, agent, readers_tracing):
    exporter = InMemorySpanExporter()
    provider = readers_tracing(TracerProvider())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    call = await talk(pipeline(), agent, caller=BeepingCaller([0.4]))

    assert telemetry.tracer._tracer_provider is provider
    assert {"agent_turn", "user_turn", "lkcook.talk"} <= {span.name for span in exporter.get_finished_spans()}
    assert call.turns[0].first_token is not None


async def test_without_spans_the_metrics_and_events_are_read_and_the_rest_stays_empty(pipeline, agent, readers_tracing):
    readers_tracing(TracerProvider(sampler=sampling.ALWAYS_OFF))
    call = await talk(pipeline(), agent, caller=BeepingCaller([0.4]))

    (turn,) = call.turns
    assert not call.trace.spans and turn.first_token is None
    assert 0 < turn.final_transcript <= turn.turn_commit < turn.first_audio_byte <= turn.first_sample
    assert call.turns.medians()["first_token"] is None and "None" not in repr(call.turns)


def test_only_what_begins_below_the_root_is_collected():
    with telemetry.tracer.start_as_current_span("elsewhere"), spans_below("root") as trace:
        with telemetry.tracer.start_as_current_span("child"):
            telemetry.tracer.start_span("grandchild").end()
    telemetry.tracer.start_span("later").end()

    assert {span.name for span in trace.spans} == {"root", "child", "grandchild"}
    (child,) = trace.named("child")
    assert [span.name for span in trace.named("grandchild", below=child)] == ["grandchild"]
