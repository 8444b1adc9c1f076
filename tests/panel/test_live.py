"""What a notebook shows while a call runs."""

from __future__ import annotations

from typing import Any

import pytest

from lkcook import notebook
from lkcook.panel import live


class Screen:
    """Keeps every picture, as IPython's display would show it."""

    def __init__(self) -> None:
        self.pictures: list[str] = []

    def __call__(self, view: live.LiveView, display_id: bool) -> Screen:
        self.update(view)
        return self

    def update(self, view: live.LiveView) -> None:
        self.pictures.append(view._repr_html_())


@pytest.fixture
def screen() -> Screen:
    return Screen()


def play(screen: Screen, *events: tuple[str, Any], person: bool = True) -> live.LiveView:
    view = live.LiveView(screen, person)
    for kind, payload in events:
        view.show(kind, payload)
    return view


def test_a_person_is_told_how_to_hang_up_and_a_script_how_it_is_heard(screen: Screen) -> None:
    play(screen)
    assert "stop this cell" in screen.pictures[-1]
    play(screen, person=False)
    assert "synthetic caller" in screen.pictures[-1]


def test_interim_words_are_shown_until_the_final_ones_replace_them(screen: Screen) -> None:
    play(screen, ("interim", "what are"), ("interim", "what are your"), ("user", "What are your hours?"))
    assert "<i>what are your …</i>" in screen.pictures[2]
    assert "<i>" not in screen.pictures[3] and "What are your hours?" in screen.pictures[3]


def test_the_state_follows_both_sides(screen: Screen) -> None:
    play(screen, ("state", ("agent", "listening")), ("state", ("caller", "speaking")), ("state", ("agent", "thinking")))
    assert [word in picture for word, picture in zip(("listens", "caller speaks", "thinks"), screen.pictures[1:])]
    assert "thinks" in screen.pictures[-1]


def test_what_was_said_stays_when_the_call_is_over(screen: Screen) -> None:
    view = play(screen, ("state", ("agent", "speaking")), ("agent", "Hello! "), ("user", "Hi."), ("interim", "and"))
    view.close()
    last = screen.pictures[-1]
    assert "Hello!" in last and "Hi." in last
    assert "stop this cell" not in last and "speaks" not in last and "<i>" not in last
    assert repr(view) == "agent   Hello!\ncaller  Hi."


def test_words_cannot_become_markup(screen: Screen) -> None:
    play(screen, ("user", "<script>alert(1)</script>"))
    assert "<script>" not in screen.pictures[-1]


def test_a_terminal_gets_no_view(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(notebook, "kernel", lambda: None)
    with live.shown(person=True) as show:
        show("agent", "Hello!")
    assert capsys.readouterr().out == ""


def test_notes_of_the_gateway_stay_below_what_was_said(screen: Screen) -> None:
    view = play(screen, ("agent", "Hello."), ("note", "reasoning_effort: only <the> cloud honours it"))
    view.close()
    assert screen.pictures[-1].index("Hello.") < screen.pictures[-1].index("&lt;the&gt; cloud honours it")
    assert repr(view).splitlines()[-1] == "note    reasoning_effort: only <the> cloud honours it"
