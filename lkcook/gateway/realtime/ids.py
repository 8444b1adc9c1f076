"""Which realtime models there are. The catalog knows: Inference's ids, and those of the plugins' own rows."""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

from lkcook import catalog
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


def transcription_model(asked: Any) -> str:
    """OpenAI's speech-to-text models that are also heard over the realtime API."""
    from livekit.plugins.openai.models import STTModels

    names = [name for part in get_args(STTModels) for name in (get_args(part) or (part,))]
    if asked and asked not in names:
        raise ProtocolError(f"unknown transcription model {asked!r}; known are {', '.join(names)}", code=404)
    return f"openai/{asked or names[0]}"
