"""Providers whose protocol is OpenAI's, each at an address of its own: the provider's, and one at the gateway.

    https://api.groq.com/openai/v1  →  http://127.0.0.1:<port>/groq/openai/v1

Data only: a client is given one address or the other, and adds the same paths to both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lkcook import plugin_models

Ids = Callable[[], tuple[str, ...]]


@dataclass(frozen=True)
class Host:
    """One of them.

    address: where the provider is, "" when everybody has one of their own. variable, key: what names address and key
    in the environment. llm, stt, tts: the models it has, as it calls them. api: what a client adds to the address;
    chat: and to that, for chat completions. renamed: its words for OpenAI's. counts: tokens are always told.
    """

    name: str
    address: str
    variable: str
    key: str
    llm: Ids
    stt: Ids = tuple
    tts: Ids = tuple
    api: str = ""
    chat: str = "/chat/completions"
    renamed: Mapping[str, str] = field(default_factory=dict)
    counts: bool = False

    @property
    def base(self) -> str:
        """The address at the gateway, from its first "/" on."""
        return f"/{self.name}{urlsplit(self.address).path}"

    @property
    def hears(self) -> bool:
        """Its speech to text is OpenAI's."""
        return self.stt is not tuple

    @property
    def speaks(self) -> bool:
        """Its text to speech is OpenAI's."""
        return self.tts is not tuple

    @property
    def path(self) -> str:
        """Of the API there."""
        return self.base + self.api


HOSTS = (
    Host(
        "groq",
        "https://api.groq.com/openai/v1",
        "GROQ_BASE_URL",
        "GROQ_API_KEY",
        llm=lambda: plugin_models.literal("groq", "LLMModels"),
        stt=lambda: plugin_models.literal("groq", "STTModels"),
        tts=lambda: plugin_models.literal("groq", "TTSModels"),
    ),
    Host(
        "cerebras",
        "https://api.cerebras.ai/v1",
        "CEREBRAS_BASE_URL",
        "CEREBRAS_API_KEY",
        llm=lambda: plugin_models.literal("cerebras", "CerebrasChatModels"),
    ),
    Host(
        "fireworks",
        "https://api.fireworks.ai/inference/v1",
        "FIREWORKS_BASE_URL",
        "FIREWORKS_API_KEY",
        llm=lambda: plugin_models.default("openai", "with_fireworks"),
    ),
    Host(
        "baseten",
        "https://inference.baseten.co/v1",
        "BASETEN_BASE_URL",
        "BASETEN_API_KEY",
        llm=lambda: plugin_models.literal("baseten", "LLMModels"),
    ),
    Host(
        "mistral",
        "https://api.mistral.ai",
        "MISTRAL_BASE_URL",
        "MISTRAL_API_KEY",
        llm=lambda: plugin_models.literal("mistralai", "ChatModels"),
        stt=lambda: tuple(name for name in plugin_models.literal("mistralai", "STTModels") if "realtime" not in name),
        tts=lambda: plugin_models.literal("mistralai", "TTSModels"),
        api="/v1",
        renamed={"random_seed": "seed", "voice_id": "voice", "context_bias": "keywords"},
        counts=True,
    ),
    Host(
        "azure",
        "",
        "AZURE_OPENAI_ENDPOINT",
        "AZURE_OPENAI_API_KEY",
        llm=plugin_models.openai,
        api="/openai",
        chat="/deployments/{model}/chat/completions",
    ),
)


def of_path(path: str) -> Host | None:
    """Whose a path at the gateway is; None for OpenAI's own, and everybody else's."""
    return next((host for host in HOSTS if path.startswith(f"{host.path}/")), None)


def named(name: str) -> Host:
    """The one of this name."""
    return next(host for host in HOSTS if host.name == name)
