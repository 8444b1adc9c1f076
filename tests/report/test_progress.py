"""What a slow comparison shows while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import IPython.display
import numpy as np
import pytest
from livekit.agents import APIStatusError

import lkcook
from lkcook import notebook
from lkcook.audio.clip import Clip
from tests.noise.cancellers import WholeRecogniser

QUIET = {"none": Clip(np.zeros(100, np.int16), 16_000), "nothing": Clip(np.zeros(100, np.int16), 16_000)}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a notebook would show, one after the other."""
    seen: list[str] = []

    class Handle:
        def update(self, thing: Any) -> None:
            seen.append(thing._repr_html_())

    def display(thing: Any, display_id: bool) -> Handle:
        seen.append(thing._repr_html_())
        return Handle()

    monkeypatch.setattr(notebook, "kernel", lambda: object())
    monkeypatch.setattr(IPython.display, "display", display)
    return seen


async def compare(recogniser: Callable[[], WholeRecogniser]) -> None:
    recording = next(each for each in lkcook.turn_recordings() if each.name == "opening-hours")
    await lkcook.compare_cancellers([recording], [], QUIET, stt=recogniser)


async def test_a_bar_tells_how_many_sounds_were_heard_and_goes_when_all_were(shown: list[str]) -> None:
    await compare(lambda: WholeRecogniser("anything"))
    assert [line.split(" of 2 sounds heard")[0][-1] for line in shown] == ["0", "1", "2"]
    assert ["<progress" in line for line in shown] == [True, True, False]


async def test_what_was_refused_does_not_count(shown: list[str]) -> None:
    with pytest.raises(lkcook.CallError):
        await compare(lambda: WholeRecogniser(APIStatusError("no such model", status_code=404, retryable=False)))
    assert "<progress" in shown[-1] and "0 of 2" in shown[-1]


async def test_a_terminal_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    await compare(lambda: WholeRecogniser("anything"))
    assert capsys.readouterr().out == ""
