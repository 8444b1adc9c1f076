"""`talk()` runs one AgentSession between a caller and a listener; a `Call` is what is left of it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from livekit.agents import Agent, AgentSession
from livekit.agents.voice.room_io import RoomOptions

from lkcook import backend, takeover, verdict
from lkcook.audio.caller import Caller
from lkcook.audio.clip import Clip
from lkcook.audio.listener import Listener
from lkcook.failures import Failure
from lkcook.journal import Journal, OnEvent
from lkcook.line import TelephoneLine
from lkcook.noise.acoustics import Acoustics
from lkcook.noise.air import Air
from lkcook.panel import live
from lkcook.parties import Script
from lkcook.push_to_talk import Button, PushToTalk, why_unanswered
from lkcook.report.evidence import evidence_of, said_in
from lkcook.report.latency import Latency
from lkcook.report.recording import Recorder
from lkcook.report.requests import Requests
from lkcook.report.spans import Trace, spans_below
from lkcook.report.stages import read_turns
from lkcook.report.timeline import Timeline
from lkcook.report.timeline_reading import read_timeline
from lkcook.report.transcript import Transcript
from lkcook.report.turns import Turns
from lkcook.room_line import RoomLine
from lkcook.room_options import asked_for, connected_room
from lkcook.treatment import Noise, Treated, Treatment

ROOT_SPAN = "lkcook.talk"

last: Call | None = None


@dataclass(eq=False)
class Call(Treated):
    """A call, running or over. Every property shows what is known so far.

    While it runs, `noise` and `canceller` may be set: what is mixed into the caller's sound, what takes it out.

    started_at: time.time() at the start. usage: LiveKit's totals per model (`session.usage`), once the call is over.
    trace: LiveKit's OpenTelemetry spans of this call.
    """

    caller: Caller
    treatment: Treatment = field(default_factory=Treatment, repr=False)
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
        return Transcript.of(said_in(self), self.started_at, self.requests.switches)

    @property
    def requests(self) -> Requests:
        """What the session really sent to the embedded gateway, without sound and secrets; empty on the cloud."""
        if self.kept_requests is not None:
            return self.kept_requests
        return Requests.of(backend.requests(self.started_at), self.started_at)

    @property
    def recording(self) -> Clip:
        """What was heard: int16 (n, 2) at 24 kHz, left the caller, right the agent, on one clock.

        The caller as the microphone had it, with all its noise; see `cleaned`.
        """
        return self.recorder.clip(self.started_at)

    @property
    def cleaned(self) -> Clip:
        """What the agent heard of the caller, after noise cancellation: int16 (n,) at 24 kHz, from the same moment on."""
        return self.recorder.cleaned_clip(self.started_at)

    @property
    def turns(self) -> Turns:
        """One row for each answered turn of the caller, with the latency of every stage."""
        return read_turns(evidence_of(self), self.started_at)

    def latency(self) -> Latency:
        """Median, p90 and share of every stage's part of the waiting time; `.plot()` shows the turns one by one."""
        return Latency(self.turns)

    def timeline(self, turn: int | None = None) -> Timeline:
        """What happened when, lane by lane; `turn` (from 0, -1 is the last) shows that turn alone.

        `.interactive()` plays the recording, `.save("call.svg")` keeps the picture.
        """
        return read_timeline(self, turn)

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
    agent: Agent | None = None,
    script: Script | None = None,
    *,
    caller: Caller | Clip | Path | str | None = None,
    listener: Listener | None = None,
    patience: float = 60.0,
    push_to_talk: PushToTalk | None = None,
    acoustics: Acoustics | None = None,
    echo_canceller: bool = True,
    room_options: RoomOptions | None = None,
    noise: Noise = None,
    on_event: OnEvent | None = None,
) -> Call:
    """Run `session` with `agent` between a caller and a listener until somebody hangs up.

    A session that is started already, with or without a room, is taken over as it is: leave the agent out. What the
    agent was saying meanwhile in a room that is not connected is heard from its beginning.

    script: the lines a synthetic caller speaks, each after the agent has finished.
    caller: None chooses (LKCOOK_CALLER=script|microphone, else the microphone if a person and one are there, else
        the script); "script", "microphone", "browser" (the microphone of the browser that shows the notebook), a WAV
        path or Clip, or a Caller. listener: None is the speaker when a person is there, else a recorder.
    patience: seconds without a sound from the agent after which a line counts as unanswered. (On two busy cores an
        agent with functions, whose prompt is long and read for the first time, may need half of the default.)
    push_to_talk: (pressed, released), two functions without arguments, plain or async, for turn_detection "manual".
        A synthetic or recorded caller presses before each line and releases after its last sample, a person has a
        button in the panel. The session's audio input is disabled until `pressed` enables it; `released` disables it
        and calls session.commit_user_turn(). Whoever holds the button at the end of the call lets go.
    acoustics: a simulated room (`Acoustics.laptop()`): what the listener plays comes back into the caller's microphone,
        and so into the recording's left side. echo_canceller: WebRTC's, behind that microphone.
    room_options: as session.start() takes them, for a session that it did not start: their
        audio_input.noise_cancellation is in force. Whatever else is in them needs a room; a note says so.
        So it does of BVC, NC and BVCTelephony, which are filters of LiveKit Cloud's rooms.
    noise: mixed into the caller, before noise cancellation: ("street", 10) is a noise by name, or a Clip, over which
        typical speech (-25 dBFS) stands by 10 dB, as it does without a number.
    on_event(kind, payload), live: "interim"(text), "user"(text), "agent"(text) and after it "interrupted"(text) if the
        caller cut it short, "state"((who, state)), "button"("ready", "pressed", "released"), and "note"(text) for what
        went otherwise than asked: a device that was lost, each option that could not be honoured.

    In a notebook a panel shows all that and asks who calls, if `caller` does not say. Its Stop, or interrupting the
    cell, hangs up: the call is returned as it stands, and the session closed. `talk` sets the session's audio input and
    output and changes none of its options; mind that LiveKit ignores barge-in during the first
    `aec_warmup_duration` (3 s) of the agent's speech.
    A session that runs in a connected room (`lkcook.job(room=True)`) keeps its input and output: the caller joins it.

    Raises CallError when the session reports any error, a line gets no reply, or the agent is never heard.
    `CallError.call` and `last_call()` hold what was said until then.
    """
    global last
    takeover.check(session, agent, room_options is not None)
    button = Button(push_to_talk) if push_to_talk is not None else None
    treatment = Treatment(asked_for(session, room_options), noise)
    async with live.shown(button, treatment) as view:
        who, ear = await view.parties(script, caller, listener)
        who.button = button
        who.air = ear.air = Air(acoustics, echo_canceller=echo_canceller) if acoustics is not None else None
        if who.air is not None and echo_canceller:
            who.usual_canceller = "webrtc"  # as behind a real microphone's echo canceller
        call = last = Call(who, treatment)
        call.journal.followers = [view.show, on_event] if on_event else [view.show]
        view.follow(call)
        with spans_below(ROOT_SPAN) as call.trace:
            line = TelephoneLine if connected_room(session) is None else RoomLine
            met, stopped = await line(call, session, ear, patience).run(agent)
        call.kept_requests = await asyncio.to_thread(lambda: call.requests)
        for note in call.kept_requests.notes:
            call.journal.tell("note", note)
    silent = why_unanswered(session, button, since=call.started_at)
    if (error := verdict.problem(call, met, stopped, silent)) is not None:
        raise await verdict.with_backend_restored(error)
    return call
