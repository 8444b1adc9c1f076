"""One real gateway, with the real models, for all tests that only talk to it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator

import aiohttp
import jwt
import pytest
from filelock import FileLock
from livekit.agents.utils import http_context

from lkcook.gateway import process
from lkcook.gateway.process import Address


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Address]:
    """Shared by the workers of one run, like the kernels of one user share theirs; ends when unused."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if worker_id != "master" else base) / "gateway"
    patch = pytest.MonkeyPatch()
    patch.setenv("LKCOOK_RUNTIME", str(shared))
    patch.setenv("LKCOOK_IDLE", "60")
    try:
        with FileLock(str(shared) + ".lock"):
            found = process.ensure()
            _wait_until_loaded(found)
        yield found
        if worker_id == "master":
            process.stop()
    finally:
        patch.undo()


def _wait_until_loaded(address: Address) -> None:
    while "loading" in (states := address.status()["models"]).values():  # type: ignore[index, union-attr]
        time.sleep(0.1)
    assert set(states.values()) == {"ready"}, states


@pytest.fixture
def environment(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """LiveKit's clients find the gateway the way a notebook's do."""
    for name, value in process.environment(address).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def livekit_http(environment: None) -> AsyncIterator[None]:
    async with http_context.open():
        yield


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
