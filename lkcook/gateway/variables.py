"""The environment variables that lead LiveKit's clients and the providers' to the gateway."""

from __future__ import annotations

import os

from lkcook import hosts
from lkcook.gateway.address import Address
from lkcook.gateway.auth import amazon_key_id, provider_key


def environment(address: Address, owner: str | None = None) -> dict[str, str]:
    """The variables that point every client the gateway can serve at it; the keys are `owner`'s, or this process's."""
    owner = owner or str(os.getpid())
    key = provider_key(address.api_secret, owner)
    return {
        "LIVEKIT_INFERENCE_URL": address.url,
        "LIVEKIT_API_KEY": f"{address.api_key}.{owner}",
        "LIVEKIT_API_SECRET": address.api_secret,
        "ELEVEN_BASE_URL": address.url,
        "ELEVEN_API_KEY": key,
        "OPENAI_BASE_URL": address.url,
        "OPENAI_API_KEY": key,
        # LiveKit's plugin reads no address from the environment: a recipe passes this one on, which is the whole of it
        "XAI_BASE_URL": f"ws{address.url.removeprefix('http')}/realtime",
        "XAI_API_KEY": key,
        # nor does that for Deepgram: a recipe passes f"{DEEPGRAM_BASE_URL}/v1/listen" on, /v2/listen or /v1/speak
        "DEEPGRAM_BASE_URL": address.url.removesuffix("/v1"),
        "DEEPGRAM_API_KEY": key,
        "ANTHROPIC_BASE_URL": address.url.removesuffix("/v1"),
        "ANTHROPIC_API_KEY": key,
        # a recipe passes this one on, too; the plugin's own key is always "ollama", so the address carries one
        "OLLAMA_BASE_URL": address.url.replace("://", f"://ollama:{key}@", 1),
        "OLLAMA_API_KEY": key,
        **_hosts(address, key),
        **_amazons(address, key, owner),
        **(_googles(address, key) if address.secure_url else {}),
    }


def _hosts(address: Address, key: str) -> dict[str, str]:
    """Of these Azure's client alone reads its address by itself; for the others a recipe passes it on."""
    root = address.url.removesuffix("/v1")
    variables = ({host.variable: f"{root}{host.base}", host.key: key} for host in hosts.HOSTS)
    return {name: value for each in variables for name, value in each.items()}


def _amazons(address: Address, key: str, owner: str) -> dict[str, str]:
    """Polly's requests come here as well, to be refused with a reason. A region that is set already may stay.

    A bearer token would go before the keys, so one that is set has to be the gateway's.
    """
    root, bearer = address.url.removesuffix("/v1"), "AWS_BEARER_TOKEN_BEDROCK"
    return {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": root,
        "AWS_ENDPOINT_URL_POLLY": root,
        "AWS_ACCESS_KEY_ID": amazon_key_id(owner),
        "AWS_SECRET_ACCESS_KEY": key,
        **{name: os.environ.get(name) or "us-east-1" for name in ("AWS_REGION", "AWS_DEFAULT_REGION")},
        **({bearer: key} if os.environ.get(bearer) else {}),
    }


def _googles(address: Address, key: str) -> dict[str, str]:
    """Google's clients want TLS. SSL_CERT_FILE adds to what they trust, and replaces nothing of it."""
    return {
        "GOOGLE_GEMINI_BASE_URL": address.secure_url,
        "GOOGLE_API_KEY": key,
        "SSL_CERT_FILE": address.authorities,
    }
