"""Deepgram's models as its own API calls them: made of LiveKit Inference's ids, and of the voices known here.

    deepgram/nova-3          → nova-3, nova-3-general
    deepgram/flux-general-en → flux-general-en
    deepgram/aura-2, apollo  → aura-2-apollo-en

Every function raises ProtocolError (400, as Deepgram does) that names the nearest one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import cache

from aiohttp import web

from lkcook import catalog, voices
from lkcook.engines.speech_to_text import SpeechToText
from lkcook.engines.voices import VOICES
from lkcook.gateway import deepgram_query
from lkcook.gateway.exchange import Exchange
from lkcook.gateway.models import Models
from lkcook.gateway.openai_models import nearest
from lkcook.gateway.options import FLUX
from lkcook.gateway.socket import ProtocolError

_OURS = "deepgram/"
_GENERAL = "-general"  # what Deepgram's names of its unspecialised models may end in


def listening_model(asked: str, *, flux: bool) -> str:
    """A recogniser with its provider: of /v2/listen if `flux`, else of /v1/listen."""
    known = [model for model in catalog.ids("stt") if model.startswith(_OURS) and model.startswith(FLUX) is flux]
    for name in (asked, asked.removesuffix(_GENERAL)):
        if f"{_OURS}{name}" in known:
            return f"{_OURS}{name}"
    names = [model.removeprefix(_OURS) for model in known]
    where = "" if not asked.startswith("flux") or flux else ", and flux is heard at /v2/listen"
    raise ProtocolError(_told(asked, names) + where)


@asynccontextmanager
async def recogniser(
    request: web.Request, *, flux: bool, heeded: Iterable[str], usual: Mapping[str, str]
) -> AsyncIterator[tuple[str, SpeechToText]]:
    """The model that `request` names, and what plays it. What is refused inside the block is noted of this request.

    heeded: the parameters that are honoured. usual: what the others are when nobody has chosen them.
    """
    query, exchange = request.query, Exchange(request, "speech to text")
    with exchange.recorded(query.get("model", ""), dict(query)) as record:
        record.model = listening_model(query.get("model", ""), flux=flux)
        exchange.refuse_if_failing(record.model)
        engine = await request.app[Models.KEY].speech_to_text()
        record.notes += deepgram_query.notes(query, heeded, usual)
        yield record.model, engine


def speaking_model(asked: str) -> tuple[str, str]:
    """A model with its provider, and the voice as Deepgram calls it."""
    known = speaking_models()
    if asked not in known:
        raise ProtocolError(_told(asked, list(known)))
    return known[asked]


@cache
def speaking_models() -> dict[str, tuple[str, str]]:
    """"aura-2-apollo-en" → ("deepgram/aura-2", "apollo"), newest first."""
    return dict(_spoken())


def _spoken() -> Iterator[tuple[str, tuple[str, str]]]:
    for model in sorted((model for model in catalog.ids("tts") if model.startswith(_OURS)), reverse=True):
        for voice in voices.of_provider("deepgram"):
            name = f"{model.removeprefix(_OURS)}-{voice.id}-{VOICES[voice.embedded].language}"
            yield name, (model, voice.id)


def _told(asked: str, known: list[str]) -> str:
    return f"unknown model {asked[:100]!r}; did you mean {nearest(asked, known)!r}? Known here are {', '.join(known)}"
