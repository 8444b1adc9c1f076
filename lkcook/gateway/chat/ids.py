"""Which language models a client may ask for: each provider's names, and LiveKit Inference's for its own client."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from lkcook import catalog, hosts, plugin_models
from lkcook.engines import weights
from lkcook.errors import CookError
from lkcook.gateway.auth import INFERENCE
from lkcook.gateway.models import Models
from lkcook.gateway.socket import ProtocolError


def check_openai(request: web.Request, model: str, *, responses: bool = False) -> None:
    """LiveKit's own client has Inference's ids, OpenAI's has OpenAI's names, and Ollama's, whose client it also is.

    At another provider's address it has that one's.
    """
    if host := hosts.of_path(request.path):
        check(model, host.llm())
    elif request[INFERENCE]:
        request.app[Models.KEY].check("llm", model)
    else:
        check(plugin_models.without_tag(model), of_openai(responses=responses))


def of_openai(*, responses: bool = False) -> tuple[str, ...]:
    """What a client with a provider's key may ask for in OpenAI's protocols."""
    return (*plugin_models.openai(responses=responses), *of_ollama())


def of_request(request: web.Request) -> tuple[str, ...]:
    """What the client of this request may ask for."""
    if host := hosts.of_path(request.path):
        return host.llm()
    return catalog.ids("llm") if request[INFERENCE] else of_openai(responses=True)


def of_ollama() -> tuple[str, ...]:
    """The model that is here, and the names it answers to."""
    return plugin_models.ollama(here())


def here() -> str:
    """What the model on this machine is called. Raises ProtocolError when it was chosen wrongly."""
    try:
        choice = weights.language_model_choice()
    except CookError as error:
        raise ProtocolError(str(error), code=503) from error
    return choice if isinstance(choice, str) else choice.stem


def check(model: str, known: Iterable[str]) -> None:
    """Raises ProtocolError (404) with the nearest name."""
    known = tuple(known)
    if model not in known:
        likely = plugin_models.nearest(model, known)
        told = f"did you mean {likely!r}?" if likely else "none is known: the provider's plugin is not installed"
        raise ProtocolError(f"unknown language model {model[:80]!r}; {told}", code=404)
