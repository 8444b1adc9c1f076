"""What Ollama tells about its models: which there are, and what is known of one."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

import lkcook
from lkcook import plugin_models
from lkcook.gateway.chat import fields, ids
from lkcook.gateway.chat.bodies import read_body, refused
from lkcook.gateway.socket import ProtocolError


def check(model: str) -> None:
    """Raises ProtocolError (404) in Ollama's words, with the nearest name."""
    known = ids.of_ollama()
    if plugin_models.without_tag(model) not in known:
        likely = plugin_models.nearest(model, known)
        raise ProtocolError(f'model "{model[:80]}" not found, did you mean "{likely}"?', code=404)


async def handle_tags(request: web.Request) -> web.Response:
    """GET /api/tags: the model that is here, and the names it answers to."""
    try:
        return web.json_response({"models": [{"name": name, "model": name, **_told()} for name in ids.of_ollama()]})
    except ProtocolError as error:
        return refused(request, error)


async def handle_show(request: web.Request) -> web.Response:
    """POST /api/show: one of them."""
    try:
        body = await read_body(request)
        check(fields.text(body.get("model") or body.get("name"), "model"))
        about = {"general.basename": ids.here(), "general.architecture": _told()["details"]["family"]}
        return web.json_response({**_told(), "model_info": about, "capabilities": ["completion", "tools"]})
    except ProtocolError as error:
        return refused(request, error)


async def handle_version(_: web.Request) -> web.Response:
    """GET /api/version: lkcook's."""
    return web.json_response({"version": lkcook.__version__})


def _told() -> dict[str, Any]:
    """Of the model that is here, as far as its name tells. parent_model: what the other names stand for."""
    name = ids.here()
    size, quantization = re.search(r"\d+(\.\d+)?b\b", name, re.IGNORECASE), re.search(r"q\d\w*$", name, re.IGNORECASE)
    details = {
        "parent_model": name,
        "format": "gguf",
        "family": name.partition("-")[0],
        "parameter_size": size[0].upper() if size else "",
        "quantization_level": quantization[0].upper() if quantization else "",
    }
    return {"details": details}


ROUTES = [
    web.get("/api/tags", handle_tags),
    web.post("/api/show", handle_show),
    web.get("/api/version", handle_version),
]
