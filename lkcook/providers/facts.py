"""What no code tells about the providers of LiveKit's reference: their names, and what the embedded gateway answers.

Only data. What a plugin offers, its keys and its parameters are read from its source: see `source`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """An environment variable that a provider's SDK reads in `reader`, and for which kinds of model."""

    variable: str
    reader: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """One provider of the reference.

    name: what lkcook.plugins() takes; also the second half of a factory such as openai.LLM.with_ollama.
    module: of livekit.plugins; its package is livekit-plugins-{module}.
    offline: the kinds of model whose protocol the embedded gateway speaks.
    address: the variable that changes it, where the plugin itself does not name one.
    """

    name: str
    title: str
    module: str
    offline: tuple[str, ...] = ()
    address: Address | None = None
    note: str = ""

    @property
    def whole(self) -> bool:
        """The plugin is this provider's own: Ollama is no more than a factory in OpenAI's."""
        return self.name in self.module

    @property
    def package(self) -> str:
        """What pip installs."""
        return f"livekit-plugins-{self.module}"


_CLIENT = "another address: client=Mistral(server_url=…)"
_OPENAIS = "speaks OpenAI's protocol: base_url= leads it to any server that does"
_PLAIN = "with gzip_compression=False and msgpack_encoding=False, if that server is not Cerebras' or lkcook's"
_AMAZON = "Polly, Transcribe and Nova Sonic want an account of yours; its STT needs Python 3.12"
_ANTHROPIC = Address("ANTHROPIC_BASE_URL", "anthropic._client", ("LLM",))
_OPENAI = Address("OPENAI_BASE_URL", "openai.lib._client_auth", ("LLM", "STT", "TTS"))
_AWS = Address("AWS_ENDPOINT_URL", "botocore.configprovider", ("LLM", "TTS"))
_GEMINI = Address("GOOGLE_GEMINI_BASE_URL", "google.genai._base_url", ("LLM", "realtime"))

PROVIDERS = (
    Fact("anthropic", "Anthropic", "anthropic", ("LLM",), _ANTHROPIC),
    Fact("openai", "OpenAI", "openai", ("LLM", "STT", "TTS", "realtime"), _OPENAI),
    Fact("ollama", "Ollama", "openai", ("LLM",), None, "needs no key, but its server; part of OpenAI's plugin"),
    Fact("aws", "AWS Bedrock", "aws", ("LLM",), _AWS, _AMAZON),
    Fact("azure", "Azure", "azure", ("LLM",), None, "chat: OpenAI's plugin; its Speech SDK has Microsoft's licence"),
    Fact("baseten", "Baseten", "baseten", ("LLM",), None, "STT and TTS are deployments of yours, each with an address"),
    Fact("cerebras", "Cerebras", "cerebras", ("LLM",), None, f"{_OPENAIS}, {_PLAIN}"),
    Fact("deepgram", "Deepgram", "deepgram", ("STT", "TTS")),
    Fact("elevenlabs", "ElevenLabs", "elevenlabs", ("STT", "TTS")),
    Fact("fireworks", "Fireworks", "fireworksai", ("LLM",), None, "its LLM is part of OpenAI's plugin"),
    Fact("google", "Google Cloud", "google", ("LLM", "realtime"), _GEMINI, "STT and TTS want a service account's file"),
    Fact("groq", "Groq", "groq", ("LLM", "STT", "TTS"), None, _OPENAIS),
    Fact("mistral", "Mistral AI", "mistralai", ("LLM", "STT", "TTS"), None, _CLIENT),
)
