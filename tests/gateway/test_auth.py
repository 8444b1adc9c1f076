"""The gateway serves programs of this user, and nobody else."""

from __future__ import annotations

import time

import aiohttp
import jwt
import pytest

from lkcook.gateway.address import Address
from tests.gateway.conftest import token


async def _status(address: Address, **headers: str) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{address.url}/models", headers=headers) as response,
    ):
        return response.status


async def test_a_signed_request_passes(address: Address) -> None:
    assert await _status(address, Authorization=f"Bearer {token(address)}") == 200


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer not-a-token", "Basic dXNlcjpwYXNz"],
    ids=["none", "empty", "garbage", "other scheme"],
)
async def test_a_request_without_a_token_is_401(address: Address, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    assert await _status(address, **headers) == 401


async def test_an_expired_token_is_401(address: Address) -> None:
    old = token(address, exp=int(time.time()) - 3600)
    assert await _status(address, Authorization=f"Bearer {old}") == 401


async def test_a_token_that_is_not_valid_yet_is_401(address: Address) -> None:
    early = token(address, nbf=int(time.time()) + 3600)
    assert await _status(address, Authorization=f"Bearer {early}") == 401


@pytest.mark.parametrize("changes", [{"inference": None}, {"inference": {"perform": False}}, {"inference": True}])
async def test_a_token_without_the_grant_is_401(address: Address, changes: dict[str, object]) -> None:
    assert await _status(address, Authorization=f"Bearer {token(address, **changes)}") == 401


@pytest.mark.parametrize("changes", [{"iss": "somebody-else"}, {"iss": None}, {"exp": None}])
async def test_a_token_with_wrong_claims_is_401(address: Address, changes: dict[str, object]) -> None:
    assert await _status(address, Authorization=f"Bearer {token(address, **changes)}") == 401


async def test_a_forged_signature_is_401(address: Address) -> None:
    claims = {"iss": address.api_key, "exp": int(time.time()) + 60, "inference": {"perform": True}}
    forged = jwt.encode(claims, "another-secret-of-a-proper-length-000", algorithm="HS256")
    assert await _status(address, Authorization=f"Bearer {forged}") == 401


async def test_an_unsigned_token_is_401(address: Address) -> None:
    claims = {"iss": address.api_key, "exp": int(time.time()) + 60, "inference": {"perform": True}}
    unsigned = jwt.encode(claims, None, algorithm="none")
    assert await _status(address, Authorization=f"Bearer {unsigned}") == 401


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:8888", "null"])
async def test_a_web_page_is_403_even_with_a_token(address: Address, origin: str) -> None:
    headers = {"Authorization": f"Bearer {token(address)}", "Origin": origin}
    assert await _status(address, **headers) == 403


async def test_another_host_name_is_403(address: Address) -> None:
    headers = {"Authorization": f"Bearer {token(address)}", "Host": "rebound.example"}
    assert await _status(address, **headers) == 403


async def test_a_socket_without_a_token_is_refused_before_the_upgrade(address: Address) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("stt", "tts"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"{address.url}/{path}")
            assert refused.value.status == 401


def test_the_address_never_shows_the_secret(address: Address) -> None:
    assert address.api_secret not in repr(address)
