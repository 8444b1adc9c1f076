"""lkcook.plugins(): what each provider of the reference offers and needs, made from the installed plugins."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from importlib import metadata
from typing import overload

from lkcook.errors import CookError
from lkcook.providers import source
from lkcook.providers.facts import PROVIDERS, Fact
from lkcook.providers.provider import Plugins, Provider
from lkcook.providers.recipes import RECIPES
from lkcook.providers.source import Model

_KEY = re.compile(r"_(?:KEY|KEY_ID|CREDENTIALS)$")
_OLLAMAS_PORT = ":11434"
_DOCUMENTATION = re.compile(r"https://docs\.livekit\.io/agents/integrations/[\w/-]+/")


@overload
def plugins() -> Plugins: ...


@overload
def plugins(name: str) -> Provider: ...


def plugins(name: str | None = None) -> Plugins | Provider:
    """The providers of LiveKit's reference that are used through plugins, as a table; or one of them, with its recipe.

    name: "anthropic", "openai", "ollama", "aws", "azure", "baseten", "cerebras", "deepgram", "elevenlabs",
    "fireworks", "google", "groq" or "mistral". Reads the plugins' source and imports none of them. Raises CookError
    for a name that is none of these.
    """
    if name is None:
        return Plugins(map(_provider, PROVIDERS))
    for fact in PROVIDERS:
        if name.lower() in (fact.name, fact.title.lower()) or (fact.whole and name == fact.module):
            return _provider(fact)
    names = [fact.name for fact in PROVIDERS]
    close = difflib.get_close_matches(name.lower(), names, 1)
    advice = f"did you mean {close[0]!r}?" if close else f"one of: {', '.join(names)}"
    raise CookError(f"The reference names no provider {name!r}", advice)


def provider_of(model: object) -> Provider | None:
    """Whose an LLM, STT, TTS or realtime model is; None when it is of no plugin here, as LiveKit Inference's.

    OpenAI's plugin also reaches others (openai.LLM.with_fireworks), which the host it calls tells.
    """
    module = re.match(r"livekit\.plugins\.(\w+)", type(model).__module__)
    host = getattr(model, "provider", "") if module and module[1] == "openai" else ""
    host = "ollama" if host.endswith(_OLLAMAS_PORT) else host
    for fact in (fact for fact in PROVIDERS if module):
        if (fact.name in host and fact.name != "openai") or (fact.whole and fact.module == module[1] and not host):
            return _provider(fact)
    return plugins("openai") if host else None


def _provider(fact: Fact) -> Provider:
    own = [model for model in source.models(fact.module) if ".with_" not in model.name] if fact.whole else []
    made = [model for model in source.models("openai") if model.name.endswith(f".with_{fact.name}")]
    models = (*own, *made)
    variables = tuple(dict.fromkeys(name for model in models for name in (*model.read, *model.told)))
    recipe = RECIPES[fact.name]
    return Provider(
        name=fact.name,
        title=fact.title,
        package=fact.package,
        version=_version(fact.package),
        models=models,
        keys=tuple(filter(_KEY.search, variables)),
        needed=(*_keys_of(recipe.parts.values(), models), *recipe.settings),
        account=_keys_of((code for part, code in recipe.parts.items() if part.upper() not in fact.offline), models),
        address=fact.address,
        realtime_extra="realtime" in _extras(fact.package),
        offline=fact.offline,
        documentation=_documentation(fact),
        note=fact.note,
        recipe=recipe,
    )


def _keys_of(parts: Iterable[str], models: tuple[Model, ...]) -> tuple[str, ...]:
    """The keys of those models that these parts of a recipe use."""
    code = " ".join(parts)
    used = [model for model in models if f"{model.name}(" in code]
    return tuple(dict.fromkeys(name for model in used for name in (*model.read, *model.told) if _KEY.search(name)))


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _extras(package: str) -> list[str]:
    return list(metadata.metadata(package).get_all("Provides-Extra") or ()) if _version(package) else []


def _documentation(fact: Fact) -> str:
    """The page that the package's own description names for this provider, or where LiveKit's are by their names."""
    text = str(metadata.metadata(fact.package).get_payload()) if _version(fact.package) else ""
    pages = [page for page in _DOCUMENTATION.findall(text) if {fact.name, fact.module} & set(page.split("/"))]
    pages = pages if fact.whole else [page for page in pages if fact.name in page]
    return pages[0] if pages else f"https://docs.livekit.io/agents/integrations/{fact.name}/"
