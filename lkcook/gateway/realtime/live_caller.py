"""The caller's side of GPT-Live: whether somebody speaks, and what was said when, on the session's clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lkcook.gateway.realtime import events
from lkcook.gateway.realtime.live_delegation import Told
from lkcook.gateway.realtime.openai_errors import error_event

_SAME_TURN = 0.8  # seconds of the caller's sound: LiveKit's client makes one message of what is told within


class CallerTurns:
    """clock: seconds of the session. heard: seconds of the caller's sound. listening: a turn is not understood yet."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.heard, self.listening = 0.0, False
        self._clock = clock
        self._turns: dict[str, tuple[float, float]] = {}  # item id -> when it was said
        self._told: float | None = None  # seconds heard when the last transcript was told

    def of(self, event: events.Event) -> Iterator[Told]:
        """The events that follow from one of the conversation."""
        if isinstance(event, events.SpeechStarted):
            self.listening = True
            self._turns[event.item_id] = (self._at(event.at), 0.0)
        elif isinstance(event, events.SpeechStopped):
            start, _ = self._turns.get(event.item_id, (self._at(event.at), 0.0))
            self._turns[event.item_id] = (start, self._at(event.at))
        elif isinstance(event, events.Understood | events.NotUnderstood):
            self.listening = False
            start, end = self._turns.pop(event.item_id, (0.0, 0.0))
            yield from self._understood(event, start, end)

    def _understood(self, event: events.Understood | events.NotUnderstood, start: float, end: float) -> Iterator[Told]:
        if isinstance(event, events.NotUnderstood):
            yield error_event(event.why, "audio_unintelligible", kind="server_error", named="client_event_id")
        elif event.text:
            together = self._told is not None and self.heard - self._told < _SAME_TURN
            self._told = self.heard
            yield transcript("input", f" {event.text}" if together else event.text, start, end)

    def _at(self, heard: float) -> float:
        """A time of the caller's sound."""
        return max(0.0, self._clock() - (self.heard - heard))


def transcript(way: str, text: str, start: float, end: float) -> Told:
    """way: "input" or "output"."""
    times = {"start_ms": round(start * 1000), "end_ms": round(end * 1000)}
    return {"type": f"session.{way}_transcript.delta", "delta": text, **times}
