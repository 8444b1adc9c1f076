"""`python cook.py talk`, as a person uses it: a question into the microphone, an answer from the speaker, Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from lkcook.audio.clip import Clip
from lkcook.audio.line import trimmed
from lkcook.gateway.address import Address
from tests.devices.conftest import AUDIBLE, RATE, start_pulse_audio
from tests.end_to_end.conftest import words_in
from tests.speech import plain, say

QUESTION = "What are your opening hours?"
HOURS = {"10", "ten", "11", "eleven", "10pm", "11am"}  # Bella is open from 11 am to 10 pm


class Terminal:
    """A running `talk`: what it prints, as it prints it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []
        self._errors = asyncio.create_task(process.stderr.read())

    async def line(self, beginning: str) -> str:
        """The next line that begins so; what it says after that."""
        async with asyncio.timeout(60):
            while raw := await self._process.stdout.readline():
                self.lines.append(raw.decode().rstrip())
                if self.lines[-1].startswith(beginning):
                    return self.lines[-1].removeprefix(beginning).strip()
        raise AssertionError(f"no line {beginning!r} in {self.lines}; {(await self._errors).decode()}")

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    async def end(self) -> tuple[int, str]:
        """(exit code, stderr), once it has ended by itself."""
        async with asyncio.timeout(60):
            self.lines += (await self._process.stdout.read()).decode().splitlines()
            return await self._process.wait(), (await self._errors).decode()

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._errors


def _hears_interrupts() -> None:
    """A shell's background job, as these tests may be, inherits that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextlib.asynccontextmanager
async def talk(*options: str | Path, environment: Mapping[str, str] = os.environ) -> AsyncIterator[Terminal]:
    own = {name: value for name, value in environment.items() if not name.startswith("LIVEKIT_")} | {"COLUMNS": "200"}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lkcook", "talk", *map(str, options)),
        env=own,
        stdout=pipe,
        stderr=pipe,
        preexec_fn=_hears_interrupts,
    )
    terminal = Terminal(process)
    try:
        yield terminal
    finally:
        await terminal.kill()


def words(samples: np.ndarray, rate: int = RATE) -> set[str]:
    """What is said, without the silence around it: a slow machine's agent thinks for long."""
    return set(plain(words_in(Clip(trimmed(samples), rate))).split())


def assert_both_sides_are_kept(path: Path) -> None:
    """Left the question, and right, after it, the answer."""
    call = Clip.read(path)
    caller, agent = (call.channel(side).samples for side in ("caller", "agent"))
    assert {"opening", "hours"} <= words(caller, call.sample_rate)
    asked = int(np.flatnonzero(np.abs(caller.astype(int)) >= AUDIBLE)[-1])
    assert words(agent[asked:], call.sample_rate) & HOURS
    assert not words(agent[:asked], call.sample_rate) & HOURS, "the greeting knows nothing of the question"


@pytest.fixture(autouse=True)
def loaded(address: Address) -> None:
    """The models are ready before anybody speaks."""


async def test_a_question_into_the_microphone_is_answered_from_the_speaker(pulse, tmp_path):
    async with pulse.listening() as recording, talk("--out", tmp_path / "call.wav") as terminal:
        await terminal.line("Speak to Ava")
        await terminal.line("Ava")  # the greeting
        asked_at = len(recording.samples)
        await pulse.play(say(QUESTION, rate=RATE))
        understood, answer = await terminal.line("You"), await terminal.line("Ava")
        await recording.until(lambda: recording.quiet_for(0.3))
        terminal.interrupt()
        code, errors = await terminal.end()

    assert code == 0 and "Traceback" not in errors, errors
    assert plain(understood) == plain(QUESTION) and words(recording.samples[asked_at:]) & HOURS, answer
    assert_both_sides_are_kept(tmp_path / "call.wav")
    assert any("call.wav" in line for line in terminal.lines)


async def test_an_agent_that_hears_its_own_echo_does_not_answer_itself(pulse, tmp_path):
    with pulse.echo():
        async with pulse.listening() as recording, talk("--out", tmp_path / "call.wav") as terminal:
            await terminal.line("Ava")
            await pulse.play(say(QUESTION, rate=RATE))
            understood = await terminal.line("You")
            await terminal.line("Ava")
            await recording.until(lambda: recording.quiet_for(5))  # time enough to answer what it heard itself say
            terminal.interrupt()
            code, errors = await terminal.end()

    assert code == 0, errors
    assert plain(understood) == plain(QUESTION)
    said = [line for line in terminal.lines if line.startswith(("You  ", "Ava  "))]
    assert [line[:3] for line in said] == ["Ava", "You", "Ava"], said


async def test_a_recording_is_answered_without_any_sound_device(tmp_path):
    question = Clip(say(QUESTION, rate=24_000), 24_000).write(tmp_path / "question.wav")
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    async with talk("--wav", question, "--out", tmp_path / "out.wav", environment=environment) as terminal:
        code, errors = await terminal.end()

    assert code == 0 and "Traceback" not in errors, errors
    assert_both_sides_are_kept(tmp_path / "out.wav")


@pytest.mark.parametrize(
    ("who", "lost"),
    [((), "The (microphone|speaker) was lost"), (("--script", QUESTION, QUESTION, QUESTION), "The speaker was lost")],
    ids=["a person", "a script"],
)
async def test_a_sound_system_that_dies_in_mid_call_ends_it_in_words(tmp_path, who, lost):
    server = start_pulse_audio(tmp_path)
    try:
        async with talk(*who, "--out", tmp_path / "call.wav", environment=server.environment) as terminal:
            await terminal.line("Ava")
            server.kill()
            code, errors = await terminal.end()
    finally:
        server.kill()

    assert code == 1 and re.search(lost, errors) and "check the device and call again" in errors, errors
    assert "Traceback" not in errors, errors
    assert Clip.read(tmp_path / "call.wav").duration > 0, "what was said until then is kept"
