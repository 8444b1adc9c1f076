"""The first conversation in a terminal: `python cook.py talk`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from livekit.agents import Agent, AgentSession

SCRIPT = ("What are your opening hours?", "Can I book a table for two?", "Thank you, goodbye.")


def main(arguments: Sequence[str]) -> int:
    """Run one conversation; the exit code is 0 when the agent was heard."""
    options = _parser().parse_args(arguments)
    console = Console()
    if options.list_devices:
        from lkcook.audio import devices

        console.print("\n".join(devices.listing()), highlight=False, markup=False)
        return 0
    asyncio.run(_talk(options, console))
    return 0


def ava() -> Agent:
    """The agent of notebooks/00_start_here.ipynb: picks up, and speaks first."""
    from livekit.agents import Agent

    class Ava(Agent):
        def __init__(self) -> None:
            super().__init__(
                instructions="You are Ava, who answers the phone at the restaurant Bella. Bella serves Italian food "
                "every day from 11 am to 10 pm. You book tables yourself. Keep every answer under eight words."
            )

        async def on_enter(self) -> None:
            self.session.generate_reply(tool_choice="none")

    return Ava()


def new_session(**changes: Any) -> AgentSession:
    """The session of notebooks/00_start_here.ipynb, with `changes` to its arguments."""
    from livekit.agents import AgentSession

    arguments: dict[str, Any] = {
        "stt": "deepgram/nova-3:en",
        "llm": "openai/gpt-4.1-mini",
        "tts": "cartesia/sonic-3:9626c31c-bec5-4cca-baa8-f8ba9e84c8bc",
        "turn_handling": {
            "endpointing": {"min_delay": 0.75, "max_delay": 1.5},
            "preemptive_generation": {"preemptive_tts": True, "max_retries": 6},
        },
    }
    return AgentSession(**{**arguments, **changes})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cook.py talk", description="Talk to Ava of the restaurant Bella.")
    parser.add_argument("--wav", metavar="IN", help="the caller is this recording; no microphone is used")
    parser.add_argument("--script", nargs="*", metavar="LINE", help="a synthetic caller says these lines")
    parser.add_argument("--out", metavar="OUT", help="write the call: left the caller, right the agent")
    parser.add_argument("--input", metavar="DEVICE", help="microphone: number, name or part of a name")
    parser.add_argument("--output", metavar="DEVICE", help="speaker: number, name or part of a name")
    parser.add_argument("--list-devices", action="store_true", help="show the devices and stop")
    return parser


async def _talk(options: argparse.Namespace, console: Console) -> None:
    import lkcook

    console.print(repr(lkcook.setup()), highlight=False, markup=False)
    caller, listener = _sides(options)
    if caller.person:
        console.print("Speak to Ava; Ctrl-C hangs up.", style="dim")
    try:
        call = await lkcook.talk(
            new_session(),
            ava(),
            caller=caller,
            listener=listener,
            on_event=lambda kind, payload: _show(console, kind, payload),
        )
    finally:
        if options.out and (last := lkcook.last_call()) is not None:
            console.print(f"recording: {last.recording.write(options.out)}", highlight=False)
    console.print()
    console.print(repr(call.turns), highlight=False, markup=False)


def _sides(options: argparse.Namespace) -> tuple[Any, Any]:
    """Caller and listener: devices unless a recording or a script speaks."""
    from lkcook.audio.caller import ClipCaller, ScriptedCaller
    from lkcook.audio.listener import RecordedListener

    if options.wav:
        return ClipCaller(options.wav), _speaker(options) if options.output else RecordedListener()
    if options.script is not None:
        return ScriptedCaller(options.script or SCRIPT), _speaker_if_any(options)
    from lkcook.audio.microphone import Microphone

    return Microphone(_device(options.input)), _speaker(options)


def _speaker_if_any(options: argparse.Namespace) -> Any:
    from lkcook.audio import devices
    from lkcook.audio.listener import RecordedListener

    return _speaker(options) if options.output or devices.have_output() else RecordedListener()


def _speaker(options: argparse.Namespace) -> Any:
    from lkcook.audio.speaker import Speaker

    return Speaker(_device(options.output))


def _device(which: str | None) -> int | str | None:
    return int(which) if which and which.isdecimal() else which


def _show(console: Console, kind: str, payload: Any) -> None:
    if kind == "user":
        console.print(f"[bold]You[/bold]  {escape(payload)}", highlight=False)
    elif kind == "agent":
        console.print(f"[bold]Ava[/bold]  {escape(payload)}", highlight=False)
    elif kind == "note":
        console.print(f"[dim]{escape(payload)}[/dim]", highlight=False)
