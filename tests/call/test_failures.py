"""Causes become one line, the server's words are kept, and each cause has its own remedy."""

from __future__ import annotations

import asyncio
import logging

import aiohttp
import pytest
from livekit.agents import APIConnectionError, APIError, APIStatusError, APITimeoutError, llm, stt

from lkcook.failures import message_of, remedy_for, server_words, stage_of
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


def _log(message: str, name: str = "event") -> None:
    event = {"type": "error", "message": message}
    logging.getLogger("livekit.agents").error("refused", extra={f"lk.pii.{name}": event})


@pytest.mark.parametrize("name", ["event", "error"])  # the speech-to-text client's, and GPT-Live's
def test_words_that_only_the_log_has_are_kept(name):
    with server_words() as words:
        _log("try x/z", name)
        inside = APIError("returned an error", body={"code": 4})
        error = stt.STTError(timestamp=0, label="", error=inside, recoverable=False)
        assert message_of(error, words()) == "returned an error: try x/z"


async def test_a_call_hears_only_the_words_of_its_own_tasks():
    async def call(message: str, talked: asyncio.Barrier) -> str:
        with server_words() as words:
            await talked.wait()
            await asyncio.create_task(asyncio.to_thread(_log, message))
            await talked.wait()
            return words()

    both = asyncio.Barrier(2)
    assert await asyncio.gather(call("one", both), call("two", both)) == ["one", "two"]


def test_the_sentence_of_a_text_to_speech_refusal_is_told_without_its_json():
    refusal = APIError('returned error: {"type": "error", "code": 404, "message": "unknown voice \'x\'; known: y"}')
    assert message_of(refusal) == "returned error: unknown voice 'x'; known: y"
    assert "lists them" in remedy_for(refusal, message_of(refusal))


@pytest.mark.parametrize(
    "error, words",
    [
        (APIStatusError("no", status_code=401), "keys"),
        (APIStatusError("no", status_code=404), "model id"),
        (APIStatusError("no", status_code=429), "quota"),
        (APIStatusError("no", status_code=503), "fallback"),
        (APIError("no", body={"code": 503}), "fallback"),
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


@pytest.mark.parametrize(
    ("status", "told", "remedy"),
    [
        (404, "unknown duplex model 'x'; did you mean 'y'?", "names the nearest"),
        (429, "its quota is used up", "wait a moment"),
        (503, "the model is down", "take another model"),
    ],
)
def test_why_a_duplex_models_socket_was_refused_is_told_though_its_client_hides_it(status, told, remedy):
    refusal = aiohttp.WSServerHandshakeError(None, (), status=status, headers={"x-refused": told})
    with pytest.raises(APIConnectionError) as raised:
        try:
            raise refusal
        except aiohttp.ClientError:
            raise APIConnectionError("connection error") from None
    message = message_of(raised.value)
    assert told in message and remedy in remedy_for(raised.value, message)


def test_a_session_that_was_refused_with_words_is_not_taken_for_a_backend_that_went_away():
    error = APIConnectionError("connection closed unexpectedly")
    assert "Use a voice" in remedy_for(error, message_of(error, "unknown voice 'bob'; known: marin"))
