"""Amazon's own client, and one that only knows the protocol, pointed at the gateway."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiobotocore.session import get_session
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from yarl import URL

from tests.gateway.chat.conftest import Gateway

MODEL = "amazon.nova-2-lite-v1:0"
PATH = f"/model/{MODEL.replace(':', '%3A')}"
HELLO = [{"role": "user", "content": [{"text": "Are you open?"}]}]


@asynccontextmanager
async def client(**credentials: str) -> AsyncIterator[Any]:
    config = Config(retries={"total_max_attempts": 1})
    async with get_session().create_client("bedrock-runtime", config=config, **credentials) as made:
        yield made


async def streamed(sdk: Any, **asked: Any) -> list[dict[str, Any]]:
    answer = await sdk.converse_stream(**{"modelId": MODEL, "messages": HELLO, **asked})
    return [event async for event in answer["stream"]]


def signed(gateway: Gateway, body: bytes = json.dumps({"messages": HELLO}).encode()) -> dict[str, str]:
    """What Amazon's library adds to a request."""
    request = AWSRequest("POST", f"{gateway.url}{PATH}/converse", data=body)
    keys = Credentials(gateway.env["AWS_ACCESS_KEY_ID"], gateway.env["AWS_SECRET_ACCESS_KEY"])
    auth.SigV4Auth(keys, "bedrock", "us-east-1").add_auth(request)
    return dict(request.headers.items())


async def posted(gateway: Gateway, body: bytes, path: str = "", **headers: str) -> tuple[int, str, str]:
    """A request of a client that only knows the protocol → its status, the kind of error, and the message."""
    url = URL(f"{gateway.url}{path or PATH + '/converse'}", encoded=True)
    async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=headers) as response:
        told = await response.json()
        return response.status, response.headers.get("x-amzn-ErrorType", ""), told.get("message", "")
