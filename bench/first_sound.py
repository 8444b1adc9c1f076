"""How soon a realtime model is heard after the caller's last syllable, next to the pipeline, in the same minutes.

    python bench/first_sound.py [--rounds N]

Every kind of agent has the same instructions, speaks with the same voice of this machine and hears the same lines, in
calls that take turns, so that whatever else the machine does hits all alike. `first sound` is measured on the recording of the call, for all kinds in the same way:
from the last syllable of a line to the first audible sample of the answer. Compare the rows of one run, by their ratio
to the pipeline; seconds depend on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
from collections.abc import Callable
from typing import Any

from livekit.agents import Agent, AgentSession
from livekit.plugins import google, openai, xai
from openai.types.beta.realtime.session import TurnDetection
from rich.console import Console
from rich.table import Table

import lkcook
from lkcook.report.turns import Turn
from lkcook.terminal import ava, new_session

LINES = [
    "What are your opening hours?",
    "Can I book a table for two?",
    "Do you have vegetarian food?",
    "Can we sit outside?",
]
STAGES = ("final_transcript", "turn_commit", "first_audio_byte", "first_sample")
PATIENCE = 60.0  # seconds: the machine may be busy


def kinds() -> dict[str, Callable[[], AgentSession]]:
    """What is compared; the first one is what the others are measured against."""
    silence = TurnDetection(type="server_vad", silence_duration_ms=500)
    return {
        "pipeline": new_session,
        "openai, semantic VAD": lambda: _realtime(openai.realtime.RealtimeModel()),
        "openai, server VAD": lambda: _realtime(openai.realtime.RealtimeModel(turn_detection=silence)),
        "google": lambda: _realtime(google.realtime.RealtimeModel(voice="Kore")),
        "xai": lambda: _realtime(xai.realtime.RealtimeModel(base_url=os.environ["XAI_BASE_URL"])),
    }


def _realtime(model: Any) -> AgentSession:
    return AgentSession(llm=model)


async def measure(rounds: int, wanted: list[str]) -> dict[str, list[Turn]]:
    """The answered turns of every kind."""
    turns: dict[str, list[Turn]] = {name: [] for name in wanted}
    for _ in range(rounds):
        for name in wanted:
            agent = Agent(instructions=ava().instructions)  # without her greeting: the caller begins
            call = await lkcook.talk(kinds()[name](), agent, LINES, caller="script", patience=PATIENCE)
            turns[name] += call.turns
    return turns


def show(turns: dict[str, list[Turn]]) -> None:
    """Medians in ms after the last syllable, and how the last of them compares with the pipeline's."""
    table = Table(title="median ms after the last syllable")
    for name in ("agent", *STAGES, "90 %", "to the pipeline", "turns", "cut off"):
        table.add_column(name.replace("_", " "), justify="left" if name == "agent" else "right")
    first = _median(next(iter(turns.values())), "first_sample")
    for name, rows in turns.items():
        stages = [_median(rows, stage) for stage in STAGES]
        late = sorted(row.first_sample for row in rows if row.first_sample is not None)
        ratio = f"{stages[-1] / first:.2f}" if stages[-1] and first else ""
        cells = [*map(_text, stages), _text(late[int(0.9 * (len(late) - 1))] if late else None), ratio]
        table.add_row(name, *cells, str(len(rows)), str(sum(row.cut_off for row in rows)))
    Console(width=130).print(table)


def _median(rows: list[Turn], stage: str) -> float | None:
    known = [value for row in rows if (value := getattr(row, stage)) is not None]
    return statistics.median(known) if known else None


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=list(kinds()), help="besides the pipeline")
    options = parser.parse_args()
    print(lkcook.setup("embedded"))
    wanted = [name for name in kinds() if options.only is None or name in ("pipeline", *options.only)]
    show(asyncio.run(measure(options.rounds, wanted)))


if __name__ == "__main__":
    main()
