"""What went wrong in a call: the stage, the server's own words, and what to do next."""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aiohttp
from livekit.agents import APIConnectionError, APIError, APIStatusError, APITimeoutError
from livekit.agents import llm, stt, tts

from lkcook.providers.catalogue import provider_of
from lkcook.providers.construction import listed
from lkcook.providers.provider import Provider

STAGES: tuple[tuple[type, str], ...] = (
    (stt.STT, "speech to text"),
    (llm.RealtimeModel, "realtime model"),
    (llm.LLM, "language model"),
    (tts.TTS, "text to speech"),
)
_UNKNOWN_MODEL = re.compile(r"unknown [\w ]*model ")
_CREDENTIALS = re.compile("credentials|api.?key", re.IGNORECASE)  # what SDKs say that look for keys only when they call
_EVENT = re.compile(r'\{"type": "error".*\}$')
_FALLBACK = "cloud turn detector failed"  # LiveKit's inference/eot/base.py; no event tells of it
_STAY = "lkcook.setup('embedded') stays on this machine."
CLOSED = ("closed unexpectedly", "closed before input ended")


@dataclass(frozen=True)
class Failure:
    """One `error` event of the session.

    stage: "speech to text", "language model", "text to speech", "realtime model", or the source's class.
    at: seconds from the start of the call. recoverable: LiveKit went on by itself (a retry).
    """

    stage: str
    message: str
    remedy: str
    recoverable: bool
    at: float


_listening: ContextVar[ServerWords] = ContextVar("listening")  # the tasks of a call inherit it


class ServerWords(logging.Handler):
    """Keeps the last error message a model server sent, and passes on that the turn detector fell back.

    LiveKit's speech-to-text client puts that message into its log only; the error event says
    no more than "returned an error". The words are needed: they name the nearest model id.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self.last, self._note = "", note

    def emit(self, record: logging.LogRecord) -> None:
        if _listening.get(self) is not self:
            return  # another call, in tasks of its own
        if record.levelno < logging.ERROR:
            if (said := record.getMessage()).startswith(_FALLBACK):
                self._note(said)
            return
        event = record.__dict__.get("lk.pii.event") or record.__dict__.get("lk.pii.error")  # the latter is GPT-Live's
        if isinstance(event, dict):
            self.last = _words_in(event)


@contextlib.contextmanager
def server_words(note: Callable[[str], None] = lambda _: None) -> Iterator[Callable[[], str]]:
    """Listens to LiveKit's log while the block runs; gives what tells the last error message of a server.

    note: called with what went otherwise than asked, and is no error.
    """
    handler, logger = ServerWords(note), logging.getLogger("livekit.agents")
    _listening.set(handler)  # never reset: a call may be released in another task, whose context this is not
    logger.addHandler(handler)
    try:
        yield lambda: handler.last
    finally:
        logger.removeHandler(handler)


def stage_of(source: object) -> str:
    """The name of the pipeline stage that `source` (the model object of an error event) is."""
    for kind, stage in STAGES:
        if isinstance(source, kind):
            return stage
    return type(source).__name__


def exception_in(error: Any) -> BaseException | None:
    """The exception inside LiveKit's STTError, LLMError, … (or `error` itself if it is one)."""
    inner = getattr(error, "error", error)
    if isinstance(inner, APIStatusError) and inner.status_code == -1 and isinstance(inner.__cause__, APIError):
        return inner.__cause__  # ElevenLabs' client: "Could not synthesize", whatever it was
    return inner if isinstance(inner, BaseException) else None


def message_of(error: Any, server_words: str = "") -> str:
    """One line: what the client says, the HTTP status, and the server's own words if it sent any."""
    exception = exception_in(error)
    if exception is None:
        return str(error)
    said = exception.message if isinstance(exception, APIStatusError) else str(exception)
    if event := _EVENT.search(said):  # LiveKit's text-to-speech client repeats the server's whole message
        said = f"{said[: event.start()].rstrip()} {_words_in(json.loads(event[0]))}"
    words = _words_in(getattr(exception, "body", None)) or server_words
    trace = getattr(exception, "request_id", None) or _refusal_in(exception)
    if " " in trace:  # ElevenLabs' client shows nothing else of a refused socket's answer
        words = words or trace
    if words and words not in said:
        said = f"{said}: {words}"
    status = getattr(exception, "status_code", -1)
    return f"{said} (HTTP {status})" if 400 <= status < 600 and str(status) not in said else said


def remedy_for(error: Any, message: str = "", model: object = None) -> str:
    """The next step for this cause; never names a secret. model: whose error it is, which tells whose key it needs."""
    exception = exception_in(error)
    status = _status_of(exception)
    provider = provider_of(model)
    if provider and provider.missing and (status in (401, 403) or _CREDENTIALS.search(message)):
        return f"Write {listed(provider.missing)} into .env in the cookbook's folder, then run lkcook.setup()."
    if status in (401, 403):
        if provider and (own := listed(provider.own_keys)):
            return f"{_called(provider)}, and refused it: set {own} again in .env and run lkcook.setup(). {_STAY}"
        names = provider.keys if provider and provider.keys else ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
        keys, them = ("key", "it") if len(names) == 1 else ("keys", "them")
        again = f"set {listed(names)} again in .env, or remove {them}; then lkcook.setup()"
        return f"The backend refused the {keys}: {again}."
    if status == 429:
        return "The quota is used up: wait a moment, or run lkcook.setup(backend='embedded') to go on offline."
    if status in (500, 502, 503):
        return "The model is down: run the cell again, take another model, or give this one a fallback=[…]."
    if isinstance(exception, (APITimeoutError, TimeoutError)):
        return "The backend did not answer in time: run the cell again; if that happens often, close other kernels."
    if "unknown voice" in message:
        return "Use a voice of that provider which this backend knows; its answer above lists them."
    if _UNKNOWN_MODEL.search(message):
        return "Use a model id that this backend serves; its answer above names the nearest one."
    direct = provider if provider and (provider.own_keys or not provider.keys) else None  # Ollama has none
    if _connection_lost(exception) and direct:
        return f"{_called(direct)}, and could not be reached: see to its server or your network. {_STAY}"
    if _connection_lost(exception):
        return "The backend went away: run the cell again, lkcook.setup() restarts the embedded gateway."
    if status == 404 and direct:
        serves = f"Use a model id that {direct.title} serves"
        return f"{serves}: lkcook.plugins({direct.name!r}) shows one, and what it needs."
    if status == 404 or (isinstance(exception, APIError) and "model" in message.lower()):
        return "Use a model id that this backend serves; its answer above names the nearest one."
    if isinstance(exception, APIError):
        return "Run the cell again; logging.basicConfig(level=logging.DEBUG) shows what was sent and what came back."
    return "Code of the agent or of a plugin raised this; logging.basicConfig(level=logging.DEBUG) shows where."


def _called(provider: Provider) -> str:
    """Why it is the provider that was asked, and not this machine."""
    own = listed(provider.own_keys)
    return f"{provider.title} itself was called" + (f", since {own} is yours" if own else "")


def _status_of(exception: BaseException | None) -> int | None:
    """The HTTP status, or the code a WebSocket's error message carries, in its body or in the text."""
    if (refusal := _handshake(exception)) is not None and isinstance(exception, APIConnectionError):
        return refusal.status
    answer = getattr(exception and exception.__cause__, "response", None)  # botocore's, of which aws.TTS tells nothing
    if isinstance(answer, dict) and (refused := answer.get("ResponseMetadata", {}).get("HTTPStatusCode")):
        return refused
    body = getattr(exception, "body", None)
    code = body.get("code") if isinstance(body, dict) else None
    if event := _EVENT.search(str(exception)):
        code = json.loads(event[0]).get("code")
    return code if isinstance(code, int) else getattr(exception, "status_code", None)


def _connection_lost(exception: BaseException | None) -> bool:
    if isinstance(exception, (APIConnectionError, ConnectionError, aiohttp.ClientConnectionError)):
        return True
    return isinstance(exception, APIError) and any(words in exception.message for words in CLOSED)


def _refusal_in(exception: BaseException) -> str:
    """What a refused WebSocket's answer says: the client of realtime models shows neither its status nor its body."""
    refusal = _handshake(exception)
    return (refusal.headers or {}).get("x-refused", "") if refusal is not None else ""


def _handshake(exception: BaseException | None) -> aiohttp.WSServerHandshakeError | None:
    """The refused WebSocket behind an error; that of duplex models hides it (`raise … from None`)."""
    behind = (exception.__cause__ or exception.__context__) if exception is not None else None
    return behind if isinstance(behind, aiohttp.WSServerHandshakeError) else None


def _words_in(body: object) -> str:
    """The message in an error body: plain text, {"message": …} or {"error": {"message": …}}, or an object of these."""
    body = vars(body) if hasattr(body, "message") else body
    while isinstance(body, dict):
        body = body.get("error") or body.get("message")
    return body.strip() if isinstance(body, str) else ""
