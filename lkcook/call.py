"""`talk()` runs one AgentSession between a caller and a listener; a `Call` is what is left of it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

from livekit.agents import Agent, AgentSession
from livekit.agents.utils import http_context

from lkcook import backend, verdict
from lkcook.audio.caller import Caller
from lkcook.audio.clip import Clip
from lkcook.audio.listener import Listener
from lkcook.errors import CookError
from lkcook.failures import Failure
from lkcook.journal import Journal, OnEvent
from lkcook.line import TelephoneLine, accept_interruption
from lkcook.panel import live
from lkcook.parties import Script
from lkcook.report.evidence import Evidence
from lkcook.report.latency import Latency
from lkcook.report.placing import placed
from lkcook.report.recording import Recorder
from lkcook.report.requests import Requests
from lkcook.report.spans import Trace, spans_below
from lkcook.report.stages import read_turns
from lkcook.report.timeline import Timeline
from lkcook.report.timeline_reading import read_timeline
from lkcook.report.transcript import Message, Transcript
from lkcook.report.turns import Turns

ROOT_SPAN = "lkcook.talk"

last: Call | None = None


@dataclass(eq=False)
class Call:
    """A call, running or over. Every property shows what is known so far.

    started_at: time.time() at the start. usage: LiveKit's totals per model (`session.usage`), once the call is over.
    trace: LiveKit's OpenTelemetry spans of this call.
    """

    caller: Caller
    journal: Journal = field(default_factory=Journal, repr=False)
    recorder: Recorder = field(default_factory=Recorder, repr=False)
    trace: Trace = field(default_factory=Trace, repr=False)
    started_at: float = field(default_factory=time.time)
    ended_at: float | None = None
    usage: Any = None
    kept_requests: Requests | None = field(default=None, repr=False)

    @property
    def duration(self) -> float:
        """Seconds from the start to the end, or to now."""
        return (self.ended_at or time.time()) - self.started_at

    @property
    def errors(self) -> list[Failure]:
        """Every failure that was reported, in order."""
        return self.journal.errors

    @property
    def transcript(self) -> Transcript:
        """Who said what: the caller as understood by the agent, the agent as far as it was heard.

        The backend has a line where another model took over (a fallback).
        """
        return Transcript.of(self._messages(), self.started_at, self.requests.switches)

    @property
    def requests(self) -> Requests:
        """What the session really sent to the embedded gateway, without sound and secrets; empty on the cloud."""
        if self.kept_requests is not None:
            return self.kept_requests
        return Requests.of(backend.requests(self.started_at), self.started_at)

    @property
    def recording(self) -> Clip:
        """What was heard: int16 (n, 2) at 24 kHz, left the caller, right the agent, on one clock."""
        return self.recorder.clip(self.started_at)

    @property
    def turns(self) -> Turns:
        """One row for each answered turn of the caller, with the latency of every stage."""
        evidence = Evidence(
            messages=self._messages(),
            spoken=self.caller.spoken,
            trace=self.trace,
            finals=[at for at, _ in self.journal.finals],
            tools=self.journal.tools,
            first_sound=self.recorder.agent.first_sound,
        )
        return read_turns(evidence, self.started_at)

    def latency(self) -> Latency:
        """Median, p90 and share of every stage's part of the waiting time; `.plot()` shows the turns one by one."""
        return Latency(self.turns)

    def timeline(self, turn: int | None = None) -> Timeline:
        """What happened when, lane by lane; `turn` (from 0, -1 is the last) shows that turn alone.

        `.interactive()` plays the recording, `.save("call.svg")` keeps the picture.
        """
        return read_timeline(self, turn)

    def _messages(self) -> list[Message]:
        """What was said; LiveKit notes the end of an interrupted reply late, the recording knows better."""
        last_sound = self.recorder.agent.last_sound
        said = [
            replace(said, ended_at=last_sound(said.started_at, said.ended_at) or said.ended_at)
            if said.who == "agent"
            else said
            for said in self.journal.messages()
        ]
        return placed(said, self.recorder.caller)

    def _repr_html_(self) -> str:
        parts = (self.transcript, self.turns, self.recording)
        problems = "".join(f"<p><strong>{escape(f.stage)}</strong>: {escape(f.message)}</p>" for f in self.errors)
        return problems + "".join(f"<div>{part._repr_html_()}</div>" for part in parts)

    def __repr__(self) -> str:
        problems = [f"{failure.stage}: {failure.message}" for failure in self.errors]
        return "\n\n".join([f"Call of {self.duration:.1f} s", *problems, repr(self.transcript), repr(self.turns)])


def last_call() -> Call | None:
    """The newest call of this process, also when `talk()` raised; None before the first."""
    return last


async def talk(
    session: AgentSession,
    agent: Agent,
    script: Script | None = None,
    *,
    caller: Caller | Clip | Path | str | None = None,
    listener: Listener | None = None,
    patience: float = 30.0,
    on_event: OnEvent | None = None,
) -> Call:
    """Run `session` with `agent` between a caller and a listener until somebody hangs up.

    script: the lines a synthetic caller speaks, each after the agent has finished.
    caller: None chooses (LKCOOK_CALLER=script|microphone, else the microphone if a person and one are there, else
        the script); "script", "microphone", "browser" (the microphone of the browser that shows the notebook), a WAV
        path or Clip, or a Caller. listener: None is the speaker when a person is there, else a recorder.
    patience: seconds without a sound from the agent after which a line counts as unanswered.
    on_event(kind, payload), live: "interim"(text), "user"(text), "agent"(text) and after it "interrupted"(text) if the
        caller cut it short, "state"((who, state)), and "note"(text) for what went otherwise than asked: a device that
        was lost, at the end each option that the embedded gateway could not honour.

    In a notebook a panel shows all that and asks who calls, if `caller` does not say. Its Stop, or interrupting the
    cell, hangs up: the call is returned as it stands. `talk` sets the session's audio input and
    output and changes none of its options; mind that LiveKit ignores barge-in during the first
    `aec_warmup_duration` (3 s) of the agent's speech.

    Raises CallError when the session reports any error, a line gets no reply, or the agent is never heard.
    `CallError.call` and `last_call()` hold what was said until then.
    """
    global last
    async with live.shown() as view:
        who, ear = await view.parties(script, caller, listener)
        call = last = Call(who)
        call.journal.followers = [view.show, on_event] if on_event else [view.show]
        view.follow(call)
        line, stopped, met = TelephoneLine(call, session, ear, patience), False, None
        with spans_below(ROOT_SPAN) as call.trace:
            async with http_context.open():
                try:
                    await line.connect(agent)
                    await line.carry()
                except (asyncio.CancelledError, KeyboardInterrupt):
                    stopped = True
                    accept_interruption()
                except CookError as error:
                    met = error
                finally:
                    await line.hang_up()
        call.kept_requests = await asyncio.to_thread(lambda: call.requests)
        for note in call.kept_requests.notes:
            call.journal.tell("note", note)
    if (error := verdict.problem(call, met, stopped)) is not None:
        raise await verdict.with_backend_restored(error)
    return call
