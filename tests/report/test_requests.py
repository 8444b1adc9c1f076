"""The table of requests, from the gateway's records."""

from __future__ import annotations

from typing import Any

import pytest

from lkcook.errors import CookError
from lkcook.report.requests import Requests
from lkcook.report.transcript import Message, Transcript


def _record(at: float = 100.0, **changes: Any) -> dict[str, Any]:
    return {
        "at": at,
        "stage": "language model",
        "model": "openai/gpt-5",
        "message": {"model": "openai/gpt-5", "messages": [1, 2], "temperature": 0.5, "stream": True},
        "headers": {},
        "answered_by": "openai/gpt-5",
        "answer": "",
        "notes": [],
        "switches": [],
        "wire": [],
        **changes,
    }


def test_times_count_from_the_start_of_the_call() -> None:
    requests = Requests.of([_record(at=103.5, switches=[(104.0, "a fails; b answers")])], origin=100.0)
    assert requests[0].at == 3.5 and requests.switches == [(4.0, "a fails; b answers")]


def test_a_row_shows_the_parameters_and_counts_what_is_long() -> None:
    text = repr(Requests.of([_record()], 100.0))
    assert "2 messages, temperature: 0.5" in text and "stream" not in text


def test_notes_are_told_once_and_stages_can_be_picked() -> None:
    records = [_record(notes=["a: no", "b: no"]), _record(notes=["a: no"]), _record(stage="text to speech")]
    requests = Requests.of(records, 100.0)
    assert requests.notes == ["a: no", "b: no"] and len(requests.to("text to speech")) == 1


def test_where_no_request_is_known_it_is_told_why() -> None:
    none = Requests.of([_record()], 100.0).to("text to speech")
    with pytest.raises(CookError, match="only the embedded gateway tells"):
        none[-1]
    assert none[:1] == [] and list(none) == []


def test_what_passed_over_the_wire_is_told_in_order_and_can_be_picked() -> None:
    wire = [[100.5, "client", "session.update", 2], [102.0, "server", "response.done", 1], [101.0, "client", "audio", 40]]
    passed = Requests.of([_record(wire=wire), _record()], 100.0).wire
    assert [(each.at, each.name) for each in passed] == [(0.5, "session.update"), (1.0, "audio"), (2.0, "response.done")]
    assert passed.names("client") == ["session.update", "audio"] and len(passed.between(0.8, 1.5)) == 1
    assert "40" in repr(passed) and "<td" in passed._repr_html_()


def test_an_answer_of_a_word_or_two_is_shown_and_is_no_note() -> None:
    requests = Requests.of([_record(stage="turn detector", answer="probability 0.93", notes=["a: no"])], 100.0)
    assert "probability 0.93; a: no" in repr(requests) and "probability 0.93" in requests[0]._repr_html_()
    assert requests.notes == ["a: no"]


def test_nothing_in_a_request_becomes_markup() -> None:
    requests = Requests.of([_record(model="<b>", answer="<u>", message={"x": "<script>"}, notes=["<i>"], wire=[[1, "client", "<i>", 1]])], 100.0)
    for html in (requests._repr_html_(), requests[0]._repr_html_(), requests.wire._repr_html_()):
        assert "<script>" not in html and "<b>" not in html and "<i>" not in html and "<u>" not in html


def test_without_any_request_it_says_who_would_tell() -> None:
    for shown in (repr(Requests()), Requests()._repr_html_()):
        assert "only the embedded gateway tells" in shown


def test_a_fallback_stands_in_the_transcript_where_it_happened() -> None:
    said = [Message("caller", "Hello?", 101, 102, 102), Message("agent", "Hi.", 104, 105, 104)]
    transcript = Transcript.of(said, 100.0, [(3.0, "a fails; b answers")])
    assert [(u.who, u.text) for u in transcript] == [
        ("caller", "Hello?"),
        ("backend", "a fails; b answers"),
        ("agent", "Hi."),
    ]
