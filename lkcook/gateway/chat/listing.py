"""Which models there are: GET /v1/models and /v1/models/{id}.

In OpenAI's shape, or for their clients in Anthropic's or Google's.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from lkcook import catalog, hosts, plugin_models
from lkcook.gateway.auth import INFERENCE
from lkcook.gateway.chat import ids
from lkcook.gateway.chat.bodies import refused
from lkcook.gateway.realtime.rejected import Rejected
from lkcook.gateway.refusals import speaks
from lkcook.gateway.socket import ProtocolError

_MOST = 1000  # models of a page, which is Anthropic's most; 20 by default


async def handle_models(request: web.Request) -> web.Response:
    """The route: every id the gateway answers to, when this client asks."""
    try:
        if speaks(request) == "anthropic":
            return web.json_response(_page(request.query.get))
        if speaks(request) == "google":
            return web.json_response({"models": [_of_google(name) for name in plugin_models.gemini()]})
        return web.json_response({"object": "list", "data": _of_openai(request)})
    except ProtocolError as error:
        return refused(request, error)


async def handle_model(request: web.Request) -> web.Response:
    """The route: one of them."""
    name = request.match_info["model"]
    try:
        if speaks(request) == "anthropic":
            ids.check(name, plugin_models.anthropic())
            return web.json_response(_of_anthropic(name))
        if speaks(request) == "google":
            ids.check(name, plugin_models.gemini())
            return web.json_response(_of_google(name))
        known = {entry["id"]: entry for entry in _of_openai(request)}
        if name not in known:
            ids.check(name, ids.of_request(request))
        return web.json_response(known[name])
    except ProtocolError as error:
        return refused(request, error)


def _of_openai(request: web.Request) -> list[dict[str, Any]]:
    """A provider's client calls its language models by other names than LiveKit's own; the rest is for both."""
    if host := hosts.of_path(request.path):
        return [
            {"id": model, "object": "model", "created": 0, "owned_by": host.name, "kind": kind}
            for kind, models in (("llm", host.llm()), ("stt", host.stt()), ("tts", host.tts()))
            for model in models
        ]
    rows = [("llm", model) for model in ids.of_request(request)]
    rows += [(kind, model) for kind in ("stt", "tts", "realtime") for model in catalog.ids(kind)]
    return [
        {"id": model, "object": "model", "created": 0, "owned_by": _owner(request, kind, model), "kind": kind}
        for kind, model in rows
    ]


def _owner(request: web.Request, kind: str, model: str) -> str:
    if kind == "llm" and not request[INFERENCE]:
        return "library" if model in ids.of_ollama() else "openai"
    return model.partition("/")[0]


def _page(query: Any) -> dict[str, Any]:
    """limit, after_id and before_id, as Anthropic's client turns pages."""
    known, limit = list(plugin_models.anthropic()), query("limit", "20")
    if not limit.isdecimal() or not 1 <= int(limit[:9]) <= _MOST:
        raise Rejected(f"limit is a number from 1 to {_MOST}", param="limit")
    after, before = query("after_id"), query("before_id")
    first = known.index(after) + 1 if after in known else 0
    last = known.index(before) if before in known else len(known)
    shown = known[first:last][: int(limit)] if not before else known[first:last][-int(limit) :]
    more = bool(shown) and (shown[0] != known[0] if before else shown[-1] != known[-1])
    ends = {"first_id": shown[0], "last_id": shown[-1]} if shown else {"first_id": None, "last_id": None}
    return {"data": [_of_anthropic(name) for name in shown], "has_more": more, **ends}


def _of_google(name: str) -> dict[str, Any]:
    """All on one page."""
    return {"name": f"models/{name}", "supportedGenerationMethods": ["generateContent"]}


def _of_anthropic(name: str) -> dict[str, Any]:
    """When it was made is not known here; Anthropic then says the epoch."""
    told = " ".join(word.capitalize() for word in name.split("-"))
    return {"type": "model", "id": name, "display_name": told, "created_at": "1970-01-01T00:00:00Z"}


_PATHS = ["/v1", "/v1beta", *(host.path for host in hosts.HOSTS)]
ROUTES = [
    route
    for path in _PATHS
    for route in (web.get(f"{path}/models", handle_models), web.get(f"{path}/models/{{model:.+}}", handle_model))
]
