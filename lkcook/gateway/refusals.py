"""What is wrong with a request, in the words of the client that asked.

    OpenAI      {"error": {"message", "type", "param", "code"}}
    Anthropic   {"type": "error", "error": {"type", "message"}, "request_id"}; a model that is down is 529, not 503
    Google      {"error": {"code", "message", "status"}}
    Ollama      {"error": message}
    Amazon      {"message"}, its type in the header x-amzn-ErrorType; who is not let in is 403 there, not 401
    Deepgram    {"err_code", "err_msg", "request_id"}
    ElevenLabs  {"detail": {"status", "message"}}

LiveKit's plugins for the last two read no body: of a refused request they show the reason phrase, of a refused socket
only the status, or the header x-trace-id. So for them these say the sentence as well.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError

Speaks = Literal["openai", "anthropic", "google", "ollama", "amazon", "deepgram", "elevenlabs"]

_PATHS: dict[tuple[str, ...], Speaks] = {
    ("/api/",): "ollama",
    ("/model/",): "amazon",
    ("/v1/messages",): "anthropic",
    ("/v1beta/", "/v1alpha/"): "google",
    ("/v1/listen", "/v2/listen", "/v1/speak"): "deepgram",
    ("/v1/voices", "/v1/text-to-", "/v1/speech-to-text"): "elevenlabs",
}

_OPENAI = {401: "authentication_error", 403: "authentication_error", 429: "rate_limit_error"}
_ANTHROPIC = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "overloaded_error",
}
_GOOGLE = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_AMAZON = {
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
_OVERLOADED = 529  # Anthropic's status for it
_DEEPGRAM = {401: "INVALID_AUTH", 403: "FORBIDDEN", 429: "TOO_MANY_REQUESTS"}
_ELEVENLABS = {401: "invalid_api_key", 413: "request_too_large", 429: "too_many_concurrent_requests"}


def speaks(request: web.Request) -> Speaks:
    """Whose words a client understands: the path tells; /v1/models is Anthropic's for whoever names its version.

    And Google's for whoever sends a key as its clients do.
    """
    if request.headers.get("Authorization", "").startswith("AWS4-"):
        return "amazon"
    for paths, words in _PATHS.items():
        if request.path.startswith(paths):
            return words
    if request.path.startswith("/v1/models"):
        if "x-goog-api-key" in request.headers or request.path.endswith("enerateContent"):
            return "google"
        if "anthropic-version" in request.headers:
            return "anthropic"
    return "openai"


def refusal(
    request: web.Request, status: int, message: str, *, code: str | None = None, param: str = ""
) -> web.Response:
    """The answer to a request that cannot be served. code, param: a word for programs, and the field that is wrong."""
    match speaks(request):
        case "openai":
            return web.json_response(openai_error(message, openai_type(status), code, param), status=status)
        case "anthropic":
            return _anthropics(status, message)
        case "google":
            return web.json_response(google_error(status, message), status=status)
        case "ollama":
            return web.json_response(ollama_error(message), status=status)
        case "amazon":
            return _amazons(status, message, code)
        case "deepgram":
            return _deepgrams(status, message)
        case "elevenlabs":
            return _elevenlabs(status, message, code)


def _anthropics(status: int, message: str) -> web.Response:
    told = anthropic_error(status, message)
    status = _OVERLOADED if status == 503 else status
    return web.json_response(told, status=status, headers={"request-id": told["request_id"]})


def _amazons(status: int, message: str, code: str | None) -> web.Response:
    kind = code if code and status == 403 else amazon_type(status)
    headers = {"x-amzn-ErrorType": kind, **amazon_headers()}
    return web.json_response({"message": message}, status=403 if status == 401 else status, headers=headers)


def _deepgrams(status: int, message: str) -> web.Response:
    usual = "Bad Request" if status < 429 else "SERVICE_UNAVAILABLE"
    told = {"err_code": _DEEPGRAM.get(status, usual), "err_msg": message, "request_id": str(uuid.uuid4())}
    return web.json_response(told, status=status, reason=_line(message), headers={"dg-error": _line(message)})


def _elevenlabs(status: int, message: str, code: str | None) -> web.Response:
    usual = "model_unavailable" if status > 429 else "invalid_request"
    told = {"detail": {"status": code or _ELEVENLABS.get(status, usual), "message": message}}
    return web.json_response(told, status=status, reason=_line(message), headers={"x-trace-id": _line(message)})


def _line(message: str) -> str:
    """What a reason phrase or a header may hold of it."""
    return " ".join(message.encode("ascii", "backslashreplace").decode().split())[:1000]


@web.middleware
async def worded(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """What HTTP itself refuses says so in the client's words: an address or method that is not there, a broken body."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        absent = error.status in (404, 405)
        told = f"{request.method} {request.path[:200]} is not served here" if absent else error.text or error.reason
        answer = refusal(request, error.status, told)
        answer.headers.update({name: value for name, value in error.headers.items() if name == "Allow"})
    except RequestPayloadError as error:  # such as gzip that is none
        answer = refusal(request, 400, f"the body cannot be read: {error}")
        request.content.feed_eof()  # aiohttp would read on, and fail again
    answer.force_close()  # the body may not have been read to its end
    return answer


def openai_error(message: str, kind: str, code: str | None = None, param: str = "") -> dict[str, Any]:
    """kind: a word like `openai_type`'s."""
    return {"error": {"message": message, "type": kind, "param": param or None, "code": code}}


def openai_type(status: int) -> str:
    """OpenAI's word for the kind of an error."""
    return _OPENAI.get(status, "server_error" if status >= 500 else "invalid_request_error")


def anthropic_error(status: int, message: str) -> dict[str, Any]:
    """Also the event of a stream that broke off."""
    error = {"type": _ANTHROPIC.get(status, "invalid_request_error"), "message": message}
    return {"type": "error", "error": error, "request_id": f"req_{uuid.uuid4().hex[:24]}"}


def google_error(status: int, message: str) -> dict[str, Any]:
    """Also the event of a stream that broke off."""
    return {"error": {"code": status, "message": message, "status": _GOOGLE.get(status, "INVALID_ARGUMENT")}}


def amazon_type(status: int) -> str:
    """Amazon's word for the kind of an error."""
    return _AMAZON.get(status, "ValidationException")


def amazon_headers() -> dict[str, str]:
    """Of every answer of Amazon's: LiveKit's client reads it from each."""
    return {"x-amzn-RequestId": str(uuid.uuid4())}


def ollama_error(message: str) -> dict[str, Any]:
    """Also the line of a stream that broke off."""
    return {"error": message}
