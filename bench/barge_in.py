"""How soon an agent falls silent when its caller interrupts, and how often it does so for an "mm-hmm".

    python -m bench.barge_in [--trials 20]

In every trial the caller speaks into a long story. `silence` is measured on the recording of the call, from the first
audible sample of the caller to the last one of the agent before at least 0.4 s of silence. The configurations take
turns, so that whatever else the machine does hits all alike. A trial in which the agent speaks on counts as endless.
The exit code is 1 when adaptive interruption, the one this project answers for, takes more than 0.4 s in the median. With adaptive interruption LiveKit asks the gateway 0.1 s
after its voice activity detection has heard somebody, and every 0.1 s from then on.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import statistics
import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from livekit.agents import Agent, AgentSession
from rich.console import Console
from rich.table import Table

import lkcook
from lkcook import Line
from lkcook.audio.caller import Conversation, ScriptedCaller
from lkcook.audio.line import AUDIBLE
from lkcook.audio.listener import RecordedListener
from lkcook.report.recording import RATE

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "vad, 0.5 s (LiveKit's default)": {"mode": "vad"},
    "vad, 0.2 s": {"mode": "vad", "min_duration": 0.2},
    "vad, 0.1 s": {"mode": "vad", "min_duration": 0.1},
    "adaptive": {"mode": "adaptive"},
}
SAID = ("Stop, please.", "Mm-hmm.")
STORY = " ".join(
    f"On day {day} the old captain sailed along the coast and counted every bird that followed his small white boat."
    for day in "one two three four five six seven eight nine ten eleven twelve".split()
)
INTO = (1.6, 1.75, 1.9, 2.05)  # seconds after the agent began to speak
SILENT, SOON = 0.4, 2.5  # seconds
A_CALL = 5  # trials
PATIENCE = 60.0  # seconds
LIMIT = 0.4  # seconds
VOICE = "cartesia/sonic-3:9626c31c-bec5-4cca-baa8-f8ba9e84c8bc"


class Storyteller(Agent):
    """Begins the same story again whenever it is asked something."""

    def __init__(self) -> None:
        super().__init__(instructions="Tell stories.")

    async def on_enter(self) -> None:
        self.session.say(STORY)

    async def llm_node(self, *_: Any) -> str:
        return STORY


class Interrupter(ScriptedCaller):
    """Says each line into the story, old or new, gives the agent time to take it up, and hangs up."""

    def __init__(self, script: list[Line], session: AgentSession) -> None:
        super().__init__(script)
        self._session = session

    async def converse(self, conversation: Conversation) -> None:
        await conversation.agent_speaking()
        for number, line in enumerate(self._lines):
            async with asyncio.timeout(PATIENCE):
                while self._session.agent_state != "speaking":
                    await asyncio.sleep(0.05)
            await asyncio.sleep(INTO[number % len(INTO)])
            await self.say(line)
            await asyncio.sleep(SOON)


@dataclass
class Trials:
    """Of one configuration and one thing said. silences: seconds until the agent was silent, where it was."""

    count: int = 0
    silences: list[float] = field(default_factory=list)

    @property
    def ranked(self) -> list[float]:
        """Seconds of every trial, the shortest first; infinite where the agent spoke on."""
        return sorted(self.silences) + [math.inf] * (self.count - len(self.silences))

    def cells(self) -> list[str]:
        """Median, 90 %, longest, and how many fell silent."""
        ranked = self.ranked
        times = (statistics.median(ranked), ranked[int(0.9 * (len(ranked) - 1))], ranked[-1])
        told = [f"{seconds * 1000:.0f}" if seconds < math.inf else "–" for seconds in times]
        return [*told, f"{len(self.silences)} of {self.count}"]


def silence_after(agent: np.ndarray, onset: float) -> float | None:
    """Seconds from `onset` to the silence of int16 24 kHz `agent`; None when it speaks on.

    onset: in seconds of the recording.
    """
    start = round(onset * RATE)
    heard = np.flatnonzero(np.abs(agent[start : start + int(SOON * RATE)].astype(np.int32)) >= AUDIBLE)
    ends = np.flatnonzero(np.diff(np.append(heard, int(SOON * RATE))) >= SILENT * RATE)
    return float(heard[ends[0]] / RATE) if len(ends) else None


async def measure(options: dict[str, Any], said: str, trials: int) -> Trials:
    """One call."""
    session = AgentSession(
        stt="deepgram/nova-3:en",
        llm="openai/gpt-4.1-mini",
        tts=VOICE,
        turn_handling={"interruption": options},
        aec_warmup_duration=None,
    )
    caller, result = Interrupter([Line(said)] * trials, session), Trials()
    try:
        call = await lkcook.talk(session, Storyteller(), caller=caller, listener=RecordedListener())
    except lkcook.CallError as error:
        if not error.stage.startswith("hang-up"):
            raise
        print(f"{options}, {said!r}: {error}")  # the session did not close in time, in mid-story; the trials count
        call = lkcook.last_call()
    agent = call.recording.samples[:, 1]
    for line in call.caller.spoken:
        result.count += 1
        if (silence := silence_after(agent, line.started_at - call.started_at)) is not None:
            result.silences.append(silence)
    return result


async def compare(trials: int) -> dict[tuple[str, str], Trials]:
    """All configurations, a few trials of each at a time."""
    results = {(name, said): Trials() for name in CONFIGURATIONS for said in SAID}
    for begun in range(0, trials, A_CALL):
        for (name, said), total in results.items():
            one = await measure(CONFIGURATIONS[name], said, min(A_CALL, trials - begun))
            total.count += one.count
            total.silences += one.silences
    return results


def main() -> int:
    """Measure and print the table; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20)
    trials = parser.parse_args().trials
    print(lkcook.setup("embedded"))
    table = Table("interruption", "said", title="ms from the caller's first sound to the agent's silence")
    for name in ("median", "90 %", "longest", "silent"):
        table.add_column(name, justify="right")
    results = asyncio.run(compare(trials))
    for (name, said), total in results.items():
        table.add_row(name, said, *total.cells())
    Console(width=110).print(table)
    return int(statistics.median(results["adaptive", SAID[0]].ranked) > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
