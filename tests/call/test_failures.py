"""Causes become one line, the server's words are kept, and each cause has its own remedy."""

from __future__ import annotations

import logging

import pytest
from livekit.agents import APIConnectionError, APIError, APIStatusError, APITimeoutError, llm, stt

from lkcook.failures import ServerWords, message_of, remedy_for, stage_of
from tests.scripted_models import ScriptedLLM, ScriptedSTT, ScriptedTTS


def test_stages_are_named_as_a_reader_names_them():
    models = (ScriptedSTT([]), ScriptedLLM([""]), ScriptedTTS())
    assert [stage_of(model) for model in models] == ["speech to text", "language model", "text to speech"]
    assert stage_of(3) == "int"


@pytest.mark.parametrize(
    "body", [{"error": {"message": "try x/z"}}, {"message": "try x/z"}, {"error": "try x/z"}, "try x/z"]
)
def test_the_servers_words_are_found_however_they_are_wrapped(body):
    assert "try x/z" in message_of(APIStatusError("refused", status_code=400, body=body))


def test_an_error_event_is_unwrapped():
    error = llm.LLMError(timestamp=0, label="", error=APIError("boom"), recoverable=False)
    assert message_of(error) == "boom"


def test_words_that_only_the_log_has_are_kept():
    handler = ServerWords()
    event = {"type": "error", "message": "try x/z"}
    handler.handle(logging.makeLogRecord({"levelno": logging.ERROR, "lk.pii.event": event}))
    inside = APIError("returned an error", body={"code": 4})
    error = stt.STTError(timestamp=0, label="", error=inside, recoverable=False)
    assert message_of(error, handler.last) == "returned an error: try x/z"


@pytest.mark.parametrize(
    "error, words",
    [
        (APIStatusError("no", status_code=401), "keys"),
        (APIStatusError("no", status_code=404), "model id"),
        (APIStatusError("no", status_code=429), "quota"),
        (APITimeoutError(), "in time"),
        (APIConnectionError(), "went away"),
        (ConnectionRefusedError(), "went away"),
        (APIStatusError("Gateway connection closed unexpectedly"), "went away"),
        (APIError("odd"), "what came back"),
        (APIError("no model x/y"), "model id"),
        (ValueError("odd"), "Code of the agent"),
    ],
)
def test_every_cause_has_its_own_remedy(error, words):
    assert words in remedy_for(error, message_of(error))
