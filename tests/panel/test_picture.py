"""What a notebook shows of a call, and keeps of it."""

from __future__ import annotations

from typing import Any

from lkcook import notebook, parties
from lkcook.panel import live
from lkcook.panel.picture import Picture


def picture(*events: tuple[str, Any]) -> Picture:
    result = Picture("🎧 A synthetic caller speaks.")
    for kind, payload in events:
        result.take(kind, payload)
    return result


def test_interim_words_are_shown_until_the_final_ones_replace_them() -> None:
    before = picture(("interim", "what are"), ("interim", "what are your"))
    assert "<i>what are your …</i>" in before._repr_html_()
    before.take("user", "What are your hours?")
    assert "<i>" not in before._repr_html_() and "What are your hours?" in before._repr_html_()


def test_the_state_follows_both_sides() -> None:
    shown = picture(("state", ("agent", "listening")), ("state", ("caller", "speaking")))
    assert shown.state == "the caller speaks"
    shown.take("state", ("agent", "thinking"))
    assert "thinks" in shown._repr_html_()
    shown.take("state", ("agent", "unheard of"))
    assert "thinks" in shown.state


def test_what_was_said_stays_when_the_call_is_over() -> None:
    shown = picture(("state", ("agent", "speaking")), ("agent", "Hello! "), ("user", "Hi."), ("interim", "and"))
    shown.finish()
    html = shown._repr_html_()
    assert "Hello!" in html and "Hi." in html
    assert "synthetic" not in html and "speaks" not in html and "<i>" not in html
    assert repr(shown) == "agent   Hello!\ncaller  Hi."


def test_a_reply_that_was_cut_short_is_marked() -> None:
    shown = picture(("agent", "Good morning, we are"), ("interrupted", "Good morning, we are"), ("user", "Stop."))
    assert shown._repr_html_().count("interrupted") == 1
    assert repr(shown).splitlines() == ["agent   Good morning, we are –", "caller  Stop."]


def test_words_and_notes_cannot_become_markup() -> None:
    shown = picture(("user", "<script>alert(1)</script>"), ("note", "<b>loud</b>"))
    assert "<script>" not in shown._repr_html_() and "&lt;b&gt;loud" in shown._repr_html_()


def test_notes_stay_below_what_was_said() -> None:
    shown = picture(("agent", "Hello."), ("note", "reasoning_effort: only the cloud honours it"))
    shown.finish()
    assert shown._repr_html_().index("Hello.") < shown._repr_html_().index("the cloud honours it")
    assert repr(shown).splitlines()[-1] == "note    reasoning_effort: only the cloud honours it"


def test_the_last_turn_is_a_bar_whose_parts_add_up() -> None:
    shown = picture(("agent", "Hello."))
    assert "last turn" not in shown._repr_html_(), "nothing was measured yet"
    shown.bar = {"final_transcript": 400.0, "turn_commit": 350.0, "first_sample": 250.0}
    assert "last turn: 1000 ms" in shown._repr_html_() and "turn commit: 350 ms" in shown._repr_html_()


async def test_a_terminal_gets_no_view(monkeypatch, capsys) -> None:
    monkeypatch.setattr(notebook, "kernel", lambda: None)
    async with live.shown() as view:
        view.show("agent", "Hello!")
    assert capsys.readouterr().out == ""


async def test_a_machine_that_runs_a_notebook_gets_a_picture_and_no_widget(monkeypatch) -> None:
    screen = Screen()
    monkeypatch.setattr(notebook, "kernel", lambda: object())
    monkeypatch.setattr(parties, "somebody_at_the_keyboard", lambda: False)
    monkeypatch.setattr("IPython.display.display", screen)
    async with live.shown() as view:
        view.show("agent", "Hello!")
    assert [type(thing) for thing in screen.shown] == [Picture] * 3
    assert "Hello!" in screen.shown[-1]._repr_html_()


class Screen:
    """Keeps what IPython's display is given to show."""

    def __init__(self) -> None:
        self.shown: list[Any] = []

    def __call__(self, thing: Any, display_id: bool) -> Screen:
        self.update(thing)
        return self

    def update(self, thing: Any) -> None:
        self.shown.append(thing)
