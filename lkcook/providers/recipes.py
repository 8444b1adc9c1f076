"""The code one would ship with each provider: models and voices of today, from the plugins' own Literals (1.8.9).

Only data. Where a provider has no model of a kind, LiveKit Inference's string stands in: a session needs all three.
Keys are not written here: they are found in the plugins' source. Where neither a plugin nor its SDK reads an address
from the environment, the code does: it runs in the cloud, and unchanged on the embedded gateway. `settings` are other
variables without which the code does not run; `note` is what one has to change.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import indent

from lkcook import hosts

STT = '"deepgram/nova-3:en"'
TTS = '"cartesia/sonic-3:9626c31c-bec5-4cca-baa8-f8ba9e84c8bc"'
_FRAME = """{imports}

session = AgentSession(
{parts}
)"""


@dataclass(frozen=True)
class Recipe:
    """One session. plugins: what is imported of livekit.plugins; also: another import. llm, stt, tts: expressions.

    before: a line that they need.
    """

    plugins: str
    llm: str
    stt: str = STT
    tts: str = TTS
    also: str = ""
    before: str = ""
    settings: tuple[str, ...] = ()
    note: str = ""

    @property
    def parts(self) -> dict[str, str]:
        """What the provider itself is used for: {"llm": "groq.LLM(…)"}"""
        parts = {"llm": self.llm, "stt": self.stt, "tts": self.tts}
        return {name: code for name, code in parts.items() if not code.startswith('"')}

    @property
    def imports(self) -> str:
        """The lines before the session."""
        first = "import os\n\n" if "os.environ" in self.before + self.llm + self.stt + self.tts else ""
        lines = ["from livekit.agents import AgentSession", f"from livekit.plugins import {self.plugins}"]
        lines += [self.also] if self.also else []
        return first + "\n".join([*lines, *(["", self.before] if self.before else [])])

    def __str__(self) -> str:
        parts = "\n".join(f"{name}={code}," for name, code in (("llm", self.llm), ("stt", self.stt), ("tts", self.tts)))
        note = f"# {self.note}\n" if self.note else ""
        return note + _FRAME.format(imports=self.imports, parts=indent(parts, "    "))


def _base_url(variable: str, address: str) -> str:
    return f'BASE_URL = os.environ.get("{variable}", "{address}")'


def _host(name: str) -> str:
    host = hosts.named(name)
    return _base_url(host.variable, host.address)


RECIPES = {
    "anthropic": Recipe("anthropic", 'anthropic.LLM(model="claude-sonnet-4-6", caching="ephemeral")'),
    "openai": Recipe(
        "openai",
        'openai.LLM(model="gpt-5.4-mini", reasoning_effort="none")',
        'openai.STT(model="gpt-4o-mini-transcribe", language="en")',
        'openai.TTS(model="gpt-4o-mini-tts", voice="coral", instructions="Friendly and calm.")',
    ),
    "ollama": Recipe(
        "openai",
        'openai.LLM.with_ollama(model="llama3.2", base_url=BASE_URL)',
        before=_base_url("OLLAMA_BASE_URL", "http://localhost:11434/v1"),
        note="first: ollama pull llama3.2",
    ),
    "aws": Recipe(
        "aws",
        'aws.LLM(model="amazon.nova-2-lite-v1:0", region="us-east-1")',
        'aws.STT(language="en-US", region="us-east-1")',
        'aws.TTS(voice="Ruth", speech_engine="generative", language="en-US", region="us-east-1")',
        note="allow the model in Bedrock's console, in this region",
    ),
    "azure": Recipe(
        "azure, openai",
        'openai.LLM.with_azure(model="gpt-4.1", azure_deployment="gpt-4.1", api_version="2024-10-21")',
        'azure.STT(language="en-US")',
        'azure.TTS(voice="en-US-JennyNeural", language="en-US")',
        settings=("AZURE_OPENAI_ENDPOINT", "AZURE_SPEECH_REGION"),
        note="azure_deployment: the name of your deployment",
    ),
    "baseten": Recipe(
        "baseten",
        'baseten.LLM(model="openai/gpt-oss-120b", base_url=BASE_URL)',
        'baseten.STT(model="whisper", model_endpoint=os.environ["BASETEN_STT_ENDPOINT"])',
        'baseten.TTS(model="orpheus", voice="tara", model_endpoint=os.environ["BASETEN_TTS_ENDPOINT"])',
        before=_host("baseten"),
        settings=("BASETEN_STT_ENDPOINT", "BASETEN_TTS_ENDPOINT"),
        note="first deploy Whisper and Orpheus from Baseten's model library",
    ),
    "cerebras": Recipe(
        "cerebras",
        'cerebras.LLM(model="gpt-oss-120b", reasoning_effort="low", base_url=BASE_URL)',
        before=_host("cerebras"),
    ),
    "deepgram": Recipe(
        "deepgram",
        '"openai/gpt-4.1-mini"',
        'deepgram.STTv2(model="flux-general-en", eager_eot_threshold=0.4, base_url=f"{BASE_URL}/v2/listen")',
        'deepgram.TTS(model="aura-2-apollo-en", base_url=f"{BASE_URL}/v1/speak")',
        before=_base_url("DEEPGRAM_BASE_URL", "https://api.deepgram.com"),
    ),
    "elevenlabs": Recipe(
        "elevenlabs",
        '"openai/gpt-4.1-mini"',
        'elevenlabs.STT(model="scribe_v2", language_code="en", base_url=BASE_URL)',
        'elevenlabs.TTS(model="eleven_flash_v2_5", voice_id="cgSgspJ2msm6clMCkdW9", base_url=BASE_URL)',
        before=_base_url("ELEVEN_BASE_URL", "https://api.elevenlabs.io/v1"),
    ),
    "fireworks": Recipe(
        "fireworksai, openai",
        'openai.LLM.with_fireworks(model="accounts/fireworks/models/llama-v3p3-70b-instruct", base_url=BASE_URL)',
        'fireworksai.STT(language="en")',
        before=_host("fireworks"),
    ),
    "google": Recipe(
        "google",
        'google.LLM(model="gemini-3.5-flash")',
        'google.STT(model="chirp_3", languages="en-US", location="us")',
        'google.TTS(voice_name="en-US-Chirp3-HD-Charon", language="en-US")',
        note="GOOGLE_APPLICATION_CREDENTIALS: the path of a service account's JSON file",
    ),
    "groq": Recipe(
        "groq",
        'groq.LLM(model="openai/gpt-oss-20b", reasoning_effort="low", base_url=BASE_URL)',
        'groq.STT(model="whisper-large-v3-turbo", language="en", base_url=BASE_URL)',
        'groq.TTS(model="canopylabs/orpheus-v1-english", voice="autumn", base_url=BASE_URL)',
        before=_host("groq"),
    ),
    "mistral": Recipe(
        "mistralai",
        'mistralai.LLM(model="mistral-small-latest", api_mode="chat_completions", client=client)',
        'mistralai.STT(model="voxtral-mini-latest", language="en", client=client)',
        'mistralai.TTS(model="voxtral-mini-tts-latest", voice="en_paul_neutral", client=client)',
        also="from mistralai.client import Mistral",
        before=f'{_host("mistral")}\nclient = Mistral(api_key=os.environ["MISTRAL_API_KEY"], server_url=BASE_URL)',
    ),
}
