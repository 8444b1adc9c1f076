"""Causes become one line, the server's words are kept, and each cause has its own remedy."""

from __future__ import annotations

import asyncio
import logging

import aiohttp
import pytest
from livekit.agents import APIConnectionError, APIError, APIStatusError, APITimeoutError, llm, stt
from livekit.plugins import openai

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


def test_a_turn_detector_that_falls_back_is_noted_and_no_error():
    notes = []
    with server_words(notes.append) as words:
        logger = logging.getLogger("livekit.agents")
        logger.warning("cloud turn detector failed (%s); falling back to local mini model", "down")
        logger.warning("something else", extra={"lk.pii.event": {"type": "error", "message": "a warning"}})
        assert words() == ""
    assert notes == ["cloud turn detector failed (down); falling back to local mini model"]


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


def _model_of(plugin: str) -> object:
    return type("LLM", (), {"__module__": f"livekit.plugins.{plugin}.llm", "provider": ""})()


def test_a_key_that_is_missing_is_named_and_where_it_goes(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    error = APIConnectionError("aws bedrock llm: error generating content: Unable to locate credentials")
    remedy = remedy_for(error, message_of(error), _model_of("aws"))
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY into .env" in remedy


def test_a_key_that_was_refused_is_named(monkeypatch):
    monkeypatch.setenv("GROQ_API_KEY", "gsk_mistyped")
    remedy = remedy_for(APIStatusError("Invalid API Key", status_code=401), "Invalid API Key", _model_of("groq"))
    assert "GROQ_API_KEY again" in remedy and "mistyped" not in remedy and "LIVEKIT" not in remedy


def test_what_could_not_be_synthesized_in_time_is_told_as_that():
    with pytest.raises(APIStatusError) as raised:
        raise APIStatusError("Could not synthesize") from APITimeoutError("timed out after 10 s")
    message = message_of(raised.value)
    assert message == "timed out after 10 s" and "in time" in remedy_for(raised.value, message)


def test_of_openais_plugin_the_host_tells_whose_key_it_is():
    fireworks = openai.LLM.with_fireworks(api_key="made-up")
    assert "FIREWORKS_API_KEY" in remedy_for(APIStatusError("no", status_code=401), "no", fireworks)
    assert "OPENAI_API_KEY" in remedy_for(APIStatusError("no", status_code=401), "no", openai.LLM(api_key="made-up"))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (APIStatusError("no", status_code=401), "refused it: set ANTHROPIC_API_KEY again in .env"),
        (APIConnectionError("Name or service not known"), "could not be reached"),
    ],
)
def test_a_provider_that_the_readers_key_called_is_named_and_how_to_stay_here(monkeypatch, error, told):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-readers")
    remedy = remedy_for(error, message_of(error), _model_of("anthropic"))
    assert "Anthropic itself was called, since ANTHROPIC_API_KEY is yours" in remedy and told in remedy
    assert "lkcook.setup('embedded')" in remedy and "sk-ant" not in remedy and "gateway" not in remedy


def test_with_the_gateways_key_it_is_the_gateway_that_went_away(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-lkcook-1-made-up")
    assert "restarts the embedded gateway" in remedy_for(APIConnectionError("no"), "no", _model_of("anthropic"))


def test_no_nearest_model_is_promised_where_the_provider_itself_answers(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-readers")
    gone = APIStatusError("model: claude-2", status_code=404)
    assert "lkcook.plugins('anthropic') shows one" in remedy_for(gone, message_of(gone), _model_of("anthropic"))


def test_an_ollama_of_the_readers_own_is_known_by_its_port():
    ollama = openai.LLM.with_ollama(base_url="http://localhost:11434/v1")
    assert "Ollama itself was called, and could not" in remedy_for(APIConnectionError("no"), "no", ollama)
    gone = APIStatusError("model 'llama3.2' not found", status_code=404)
    assert "that Ollama serves: lkcook.plugins('ollama')" in remedy_for(gone, message_of(gone), ollama)


def test_a_failure_that_is_not_about_keys_does_not_blame_them(monkeypatch):
    monkeypatch.delenv("GROQ_API_KEY", raising=False)  # passed as an argument, perhaps
    assert "quota" in remedy_for(APIStatusError("no", status_code=429), "no", _model_of("groq"))
