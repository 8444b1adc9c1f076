"""Keeps what a session reports during a call, in order, as plain data; passes it on live if asked to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from livekit.agents import AgentSession
from livekit.agents.voice import (
    AgentStateChangedEvent,
    CloseEvent,
    ConversationItemAddedEvent,
    ErrorEvent,
    FunctionToolsExecutedEvent,
    SpeechCreatedEvent,
    SpeechHandle,
    UserInputTranscribedEvent,
    UserStateChangedEvent,
)

from lkcook.failures import Failure, message_of, remedy_for, stage_of
from lkcook.push_to_talk import Event
from lkcook.report.transcript import Message

OnEvent = Callable[[str, Any], None]


@dataclass
class Journal:
    """All times are time.time(), except Failure.at.

    interims, finals: (time, text) of transcripts. tools: (time, name) of functions called. tokens: (time, text) of
    the agent's words as the session passes them on: as they come from the language model, those of a preemptive
    generation at once when the turn is committed. frames: (time, seconds of sound) of the agent's voice as it
    arrives, before it is played. presses: (time, "pressed" or "released") of push-to-talk.
    """

    followers: list[OnEvent] = field(default_factory=list)
    origin: float = field(default_factory=time.time)
    interims: list[tuple[float, str]] = field(default_factory=list)
    finals: list[tuple[float, str]] = field(default_factory=list)
    tools: list[tuple[float, str]] = field(default_factory=list)
    tokens: list[tuple[float, str]] = field(default_factory=list)
    frames: list[tuple[float, float]] = field(default_factory=list)
    presses: list[tuple[float, Event]] = field(default_factory=list)
    errors: list[Failure] = field(default_factory=list)
    speeches: list[SpeechHandle] = field(default_factory=list)
    server_words: Callable[[], str] = lambda: ""
    _items: list[tuple[Any, float, tuple[float, float]]] = field(default_factory=list)
    _uncommitted: list[tuple[float, str]] = field(default_factory=list)
    _caller_spoke: tuple[float, float] | None = None

    def follow(self, session: AgentSession) -> Callable[[], None]:
        """Subscribe to the session; returns what ends the subscription."""
        handlers = {
            "conversation_item_added": self._on_item,
            "user_input_transcribed": self._on_transcribed,
            "user_state_changed": self._on_caller_state,
            "agent_state_changed": self._on_agent_state,
            "function_tools_executed": self._on_tools,
            "speech_created": self._on_speech,
            "error": self._on_error,
            "close": self._on_close,
        }
        for event, handler in handlers.items():
            session.on(event, handler)
        if session.current_speech is not None:  # of a session that ran before the call
            self._keep(session.current_speech)

        def unfollow() -> None:
            for event, handler in handlers.items():
                session.off(event, handler)

        return unfollow

    def messages(self) -> list[Message]:
        """Everything said so far; also what the caller said last if no turn was made of it yet."""
        speech_of = {item.id: speech.id for speech in self.speeches for item in speech.chat_items}
        said = [_message(item, added, spoke, speech_of.get(item.id)) for item, added, spoke in self._items]
        if said and said[-1].who == "caller" and not said[-1].text.strip():
            said.pop()  # with turns ended by hand, LiveKit commits one more when it closes, though nobody said a word
        if self._uncommitted:
            text = " ".join(text for _, text in self._uncommitted)
            started, ended = self._caller_spoke or (self._uncommitted[0][0], self._uncommitted[-1][0])
            said.append(Message("caller", text, started, ended, decided_at=self._uncommitted[-1][0]))
        return said

    def failed(self, source: object, error: Any, *, recoverable: bool, stage: str = "") -> None:
        """Record a failure of `source` (a model object, or any object when `stage` is given)."""
        message = message_of(error, self.server_words())
        failure = Failure(
            stage=stage or stage_of(source),
            message=message,
            remedy=remedy_for(error, message, source),
            recoverable=recoverable,
            at=time.time() - self.origin,
        )
        self.errors.append(failure)

    @property
    def releases(self) -> list[float]:
        """When the push-to-talk button was released."""
        return [at for at, event in self.presses if event == "released"]

    def tell(self, kind: str, payload: Any) -> None:
        """Pass one event on to whoever follows the call live."""
        for follower in self.followers:
            follower(kind, payload)

    def follow_button(self, event: Event) -> None:
        """What the push-to-talk button does tells, too, when the caller spoke."""
        now = time.time()
        if event != "ready":
            self.presses.append((now, event))
        if event == "pressed":
            self._caller_spoke = (now, now)
        elif event == "released" and self._caller_spoke is not None:
            self._caller_spoke = (self._caller_spoke[0], now)
        self.tell("button", event)

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if item.type != "message" or item.role not in ("user", "assistant"):
            return  # the first item of a session is an agent_handoff
        spoke = self._caller_spoke if item.role == "user" else None
        self._items.append((item, event.created_at, spoke or (item.created_at, event.created_at)))
        if item.role == "user":
            self._uncommitted.clear()
        else:
            self.tell("agent", item.text_content or "")
            if item.interrupted:
                self.tell("interrupted", item.text_content or "")

    def _on_transcribed(self, event: UserInputTranscribedEvent) -> None:
        if not event.transcript:
            return
        if event.is_final:
            self.finals.append((event.created_at, event.transcript))
            self._uncommitted.append((event.created_at, event.transcript))
        else:
            self.interims.append((event.created_at, event.transcript))
        self.tell("user" if event.is_final else "interim", event.transcript)

    def _on_caller_state(self, event: UserStateChangedEvent) -> None:
        held = bool(self.presses) and self.presses[-1][1] == "pressed"  # one turn, whatever pauses are in it
        if event.new_state == "speaking":
            self._caller_spoke = (self._caller_spoke[0] if held else event.created_at, event.created_at)
        elif event.old_state == "speaking" and self._caller_spoke is not None:
            self._caller_spoke = (self._caller_spoke[0], event.created_at)
        self.tell("state", ("caller", event.new_state))

    def _on_agent_state(self, event: AgentStateChangedEvent) -> None:
        self.tell("state", ("agent", event.new_state))

    def _on_tools(self, event: FunctionToolsExecutedEvent) -> None:
        self.tools += [(event.created_at, call.name) for call in event.function_calls]

    def _on_speech(self, event: SpeechCreatedEvent) -> None:
        self._keep(event.speech_handle)

    def _keep(self, speech: SpeechHandle) -> None:
        self.speeches.append(speech)
        speech.add_done_callback(self._on_speech_done)

    def _on_speech_done(self, speech: SpeechHandle) -> None:
        # a realtime reply that timed out, or an agent's own node that raised: no error event tells of those
        error = speech.exception()
        if error is not None and not self.errors:
            self.failed(speech, error, recoverable=False, stage="agent")

    def _on_error(self, event: ErrorEvent) -> None:
        self.failed(event.source, event.error, recoverable=bool(getattr(event.error, "recoverable", False)))

    def _on_close(self, event: CloseEvent) -> None:
        if event.error is not None and not self.errors:
            self.failed(event, event.error, recoverable=False, stage="session")


def _message(item: Any, added: float, spoke: tuple[float, float], speech_id: str | None) -> Message:
    metrics = dict(item.metrics)
    return Message(
        who="caller" if item.role == "user" else "agent",
        text=item.text_content or "",
        started_at=metrics.get("started_speaking_at", spoke[0]),
        ended_at=metrics.get("stopped_speaking_at", spoke[1]),
        decided_at=added if item.role == "user" else item.created_at,
        interrupted=item.interrupted,
        metrics=metrics,
        speech_id=speech_id,
    )
