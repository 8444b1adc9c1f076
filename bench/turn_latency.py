"""Twenty scripted turns with the embedded models: where the time between two speakers goes.

    python bench/turn_latency.py [--lines N]

The session is the one of notebooks/00_start_here.ipynb. A third of the lines hold a pause of 0.25-0.6 s in
mid-sentence; an agent that answers into one has cut its caller off. Seconds depend on the machine and on what
else it does: compare medians of one run with each other, not with another day's.
"""

from __future__ import annotations

import argparse
import asyncio

from rich.console import Console
from rich.table import Table

import lkcook
from lkcook import Line
from lkcook.audio.caller import ScriptedCaller
from lkcook.terminal import ava, new_session

SCRIPT = [
    "What are your opening hours?",
    "Can I book a table for two?",
    Line("At seven o'clock", 0.4, "tonight, please."),
    "Do you have vegetarian food?",
    Line("Is there parking", 0.3, "near the restaurant?"),
    "How much is the menu of the day?",
    Line("My name is", 0.5, "Maria Lopez."),
    "Are dogs allowed on the terrace?",
    Line("I would like a table", 0.6, "by the window."),
    "Do you take credit cards?",
    "What is your phone number?",
    Line("Could you", 0.25, "repeat that?"),
    "Is the soup hot?",
    Line("We have a small child", 0.45, "and need a high chair."),
    "What desserts do you have?",
    "Can we sit outside?",
    Line("Please add", 0.35, "one more person."),
    "Do you serve wine?",
    "When does the kitchen close?",
    "Thank you, goodbye.",
]
STAGES = ("final_transcript", "turn_commit", "first_token", "first_audio_byte", "first_sample")


async def measure(lines: list[str | Line]) -> lkcook.Call:
    """One call with all the lines."""
    return await lkcook.talk(new_session(), ava(), caller=ScriptedCaller(lines))


def show(call: lkcook.Call, spoken: int) -> None:
    """The table, its medians, and how often the caller was cut off."""
    table = Table(title="ms after the last syllable")
    for name in ("said", *STAGES, "cut off", "answer"):
        table.add_column(name.replace("_", " "), justify="left" if name in ("said", "answer") else "right")
    for turn in call.turns:
        cells = ["" if getattr(turn, s) is None else f"{getattr(turn, s):.0f}" for s in STAGES]
        table.add_row(" + ".join(turn.lines) or turn.text, *cells, "yes" if turn.cut_off else "", turn.reply)
    medians = call.turns.medians()
    table.add_section()
    table.add_row("median", *["" if medians[s] is None else f"{medians[s]:.0f}" for s in STAGES])
    Console(width=150).print(table)
    cut = sum(turn.cut_off for turn in call.turns)
    print(f"{spoken} lines, {len(call.turns)} answered turns, {cut} cut off, {len(call.errors)} errors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=len(SCRIPT))
    lines = SCRIPT[: parser.parse_args().lines]
    print(lkcook.setup("embedded"))
    show(asyncio.run(measure(lines)), len(lines))


if __name__ == "__main__":
    main()
