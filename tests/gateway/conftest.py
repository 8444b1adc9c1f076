"""Clients of the gateway: LiveKit's own, and one that only knows the protocol."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import aiohttp
import jwt
import pytest
from livekit.agents.utils import http_context

from lkcook import backend
from lkcook.gateway import variables
from lkcook.gateway.address import Address
from lkcook.gateway.auth import provider_key

ELEVENLABS_OWNER = "tests"


@pytest.fixture
def environment(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """LiveKit's clients find the gateway the way a notebook's do."""
    for name, value in variables.environment(address).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def livekit_http(environment: None) -> AsyncIterator[None]:
    async with http_context.open():
        yield


@pytest.fixture
def embedded(environment: None, address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """lkcook's own functions use this run's gateway, as after lkcook.setup()."""
    monkeypatch.setattr(backend, "_gateway", address)
    monkeypatch.setattr(backend, "_in_force", backend.Backend("embedded", address.url))


def token(address: Address, **changes: object) -> str:
    claims = {
        "iss": address.api_key,
        "sub": "agent",
        "exp": int(time.time()) + 60,
        "inference": {"perform": True},
        **changes,
    }
    return jwt.encode(
        {k: v for k, v in claims.items() if v is not None}, address.api_secret, algorithm="HS256"
    )


@pytest.fixture
async def http(address: Address) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that knows the protocol, not the SDK."""
    headers = {"Authorization": f"Bearer {token(address)}"}
    base = address.url.removesuffix("/v1")
    async with aiohttp.ClientSession(base, headers=headers) as session:
        yield session


@pytest.fixture
async def eleven(address: Address) -> AsyncIterator[aiohttp.ClientSession]:
    """A client with a key, and without the plugin."""
    headers = {"xi-api-key": provider_key(address.api_secret, ELEVENLABS_OWNER)}
    async with aiohttp.ClientSession(address.url.removesuffix("/v1"), headers=headers) as session:
        yield session
