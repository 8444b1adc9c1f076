"""Who takes part in a call when the reader does not say."""

from __future__ import annotations

import pytest

from lkcook import parties
from lkcook.audio import devices
from lkcook.audio.caller import ClipCaller, ScriptedCaller
from lkcook.audio.clip import Clip
from lkcook.audio.listener import RecordedListener
from lkcook.errors import CookError
from tests.call.conftest import BeepingCaller
from tests.scripted_models import RATE, tone


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    """A machine without a person and without devices, unless a test says otherwise."""
    monkeypatch.delenv("LKCOOK_CALLER", raising=False)
    monkeypatch.setattr(parties, "somebody_at_the_keyboard", lambda: False)
    monkeypatch.setattr(devices, "have_input", lambda: False)
    monkeypatch.setattr(devices, "have_output", lambda: False)


@pytest.fixture
def somebody(monkeypatch):
    monkeypatch.setattr(parties, "somebody_at_the_keyboard", lambda: True)


@pytest.fixture
def microphone(monkeypatch):
    """A stand-in for the microphone that opens no device."""
    from lkcook.audio import microphone as room

    class Opened(BeepingCaller):
        def __init__(self) -> None:
            super().__init__([])

    monkeypatch.setattr(devices, "have_input", lambda: True)
    monkeypatch.setattr(room, "Microphone", Opened)
    return Opened


async def test_a_machine_speaks_the_script_and_records(microphone):
    assert isinstance(parties.choose_caller(["Hello."]), ScriptedCaller)
    assert type(parties.choose_listener()) is RecordedListener


async def test_a_person_with_a_microphone_speaks_even_if_there_is_a_script(somebody, microphone):
    assert isinstance(parties.choose_caller(["Hello."]), microphone)


async def test_a_person_without_a_microphone_is_told_that_the_script_is_spoken(somebody, capsys):
    assert isinstance(parties.choose_caller(["Hello."]), ScriptedCaller)
    assert "No microphone" in capsys.readouterr().out


@pytest.mark.parametrize("wish, person", [("script", False), ("microphone", True)])
async def test_the_environment_variable_decides(monkeypatch, somebody, microphone, wish, person):
    monkeypatch.setenv("LKCOOK_CALLER", wish)
    assert isinstance(parties.choose_caller(["Hello."]), microphone if person else ScriptedCaller)


async def test_an_unknown_wish_in_the_environment_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("LKCOOK_CALLER", "parrot")
    with pytest.raises(CookError, match="parrot"):
        parties.choose_caller(["Hello."])


async def test_nobody_and_no_script_is_refused_with_the_line_to_write():
    with pytest.raises(CookError, match="script="):
        parties.choose_caller(None)


async def test_a_clip_or_a_path_is_played(tmp_path):
    clip = Clip(tone(0.2, 880), RATE)
    assert isinstance(parties.choose_caller(None, clip), ClipCaller)
    assert isinstance(parties.choose_caller(None, clip.write(tmp_path / "hello.wav")), ClipCaller)


async def test_a_caller_or_listener_of_the_readers_own_is_taken_as_it_is(somebody):
    caller, listener = BeepingCaller([]), RecordedListener()
    assert parties.choose_caller(["Hello."], caller) is caller and parties.choose_listener(listener) is listener


@pytest.mark.parametrize("allowed", [True, False])
def test_a_cell_that_may_ask_for_input_is_run_by_a_person(monkeypatch, allowed):
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")
    try:
        said = []
        client.execute_interactive(
            "from lkcook.parties import somebody_at_the_keyboard; print(somebody_at_the_keyboard())",
            allow_stdin=allowed,
            output_hook=lambda message: said.append(message["content"].get("text", "")),
            stdin_hook=lambda message: None,
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert "".join(said).strip() == str(allowed)


async def test_the_browsers_microphone_needs_a_notebook_in_a_browser():
    with pytest.raises(CookError, match="needs a notebook"):
        parties.choose_caller(None, "browser")
