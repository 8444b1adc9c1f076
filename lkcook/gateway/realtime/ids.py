"""Which realtime models there are. The catalog knows: Inference's ids, and those of the plugins' own rows."""

from __future__ import annotations

import ast
from difflib import SequenceMatcher
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

from lkcook import catalog
from lkcook.gateway.realtime.gemini_fields import POLICY, Refused
from lkcook.gateway.socket import ProtocolError

_PROVIDERS = ("openai", "xai")  # whose models speak OpenAI's protocol when a provider's own client asks


@cache
def plugin_ids() -> dict[str, str]:
    """What a provider's own client calls a model → the same with its provider: "gpt-realtime" → "openai/…"."""
    from livekit.agents.llm._realtime.openai_types import RealtimeModels
    from livekit.plugins.xai.types import GrokRealtimeModels

    known = [*catalog.ids("realtime"), *(f"{row.provider}/{row.model}" for row in catalog.REALTIME)]
    known += [f"openai/{name}" for name in get_args(RealtimeModels)]
    known += [f"xai/{name}" for name in get_args(GrokRealtimeModels)]
    return {model.partition("/")[2]: model for model in known if model.partition("/")[0] in _PROVIDERS}


def known_model(asked: Any) -> str:
    """With its provider, whoever asked; raises ProtocolError (404) that names the nearest."""
    if not asked:
        raise ProtocolError("which model? add ?model=gpt-realtime to the address")
    if asked in catalog.ids("realtime"):
        return str(asked)
    if model := plugin_ids().get(asked):
        return model
    raise ProtocolError(f"unknown realtime model {asked!r}; {catalog.advice(str(asked), 'realtime')}", code=404)


def duplex_model(asked: Any) -> str:
    """With its provider, whoever asked: LiveKit Inference's client names it, OpenAI's does not. Raises ProtocolError (404)."""
    for model in (str(asked), f"openai/{asked}"):
        if model in catalog.ids("duplex"):
            return model
    raise ProtocolError(f"unknown duplex model {asked!r}; {catalog.advice(str(asked), 'duplex')}", code=404)


def delegated_model(asked: Any) -> str:
    """The language model that work is delegated to, with its provider. Raises ProtocolError (404)."""
    for model in (str(asked), f"openai/{asked}"):
        if model in catalog.ids("llm"):
            return model
    raise ProtocolError(f"unknown language model {asked!r}; {catalog.advice(str(asked), 'llm')}", code=404)


@cache
def gemini_ids() -> tuple[str, ...]:
    """What Google's own clients call the models of Gemini Live: the catalog's, and those LiveKit's plugin knows.

    The plugin's literal is read, not imported: its package takes seconds to import, in which nobody would be served.
    """
    known = [*catalog.ids("realtime"), *(f"{row.provider}/{row.model}" for row in catalog.REALTIME)]
    listed = [name.partition("/")[2] for name in known if name.startswith("google/")]
    plugin = find_spec("livekit.plugins.google")
    if plugin is not None and plugin.origin is not None:
        tree = ast.parse(Path(plugin.origin).with_name("realtime").joinpath("api_proto.py").read_text(encoding="utf-8"))
        listed += [
            name.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LiveAPIModels"
            for name in ast.walk(node)
            if isinstance(name, ast.Constant)
        ]
    return tuple(dict.fromkeys(listed))


def gemini_model(asked: Any, version: str) -> str:
    """With its provider. Raises Refused, as Google does; the most similar of those that are served come first."""
    name = str(asked or "").removeprefix("models/")
    if name in gemini_ids():
        return f"google/{name}"
    similar = sorted(gemini_ids(), key=lambda known: SequenceMatcher(None, name, known).ratio(), reverse=True)
    told = f"models/{name[:40]} is not found for API version {version}; served are {', '.join(similar)}"
    raise Refused(told, POLICY)
