"""Who may ask as Amazon's clients do: those whose request is signed with the gateway's own key, unchanged and just now."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from botocore import auth
from botocore.exceptions import ClientError
from livekit.agents import APIStatusError
from livekit.plugins import aws

from tests.gateway.chat.bedrock import HELLO, client, posted, signed, streamed
from tests.gateway.chat.conftest import SAID, Gateway, ask

pytestmark = pytest.mark.usefixtures("amazon")


async def test_a_secret_or_a_key_of_somebody_elses_is_403(gateway: Gateway) -> None:
    wrong = {"aws_access_key_id": gateway.env["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": "another"}
    async with client(**wrong) as made:
        with pytest.raises(ClientError, match="InvalidSignatureException.*signature does not match") as refused:
            await streamed(made)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    with pytest.raises(APIStatusError, match="UnrecognizedClientException") as unknown:
        await ask(aws.LLM(api_key="AKIA-another", api_secret="another"), "Hello")
    assert unknown.value.status_code == 403 and not gateway.llm.asked


async def test_a_request_that_was_changed_after_it_was_signed_is_403(gateway: Gateway) -> None:
    body = json.dumps({"messages": HELLO}).encode()
    headers = signed(gateway, body)
    assert (await posted(gateway, body, **headers))[0] == 200
    assert (await posted(gateway, body + b" ", **headers))[:2] == (403, "InvalidSignatureException")
    assert (await posted(gateway, body, "/v1/messages", **headers))[:2] == (403, "InvalidSignatureException")


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_a_signature_of_another_time_is_403(
    gateway: Gateway, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = datetime.now(timezone.utc) + timedelta(minutes=minutes)
    monkeypatch.setattr(auth, "get_current_datetime", lambda: then)
    status, kind, told = await posted(gateway, b"{}", **signed(gateway, b"{}"))
    assert (status, kind) == (403, "InvalidSignatureException") and "expired" in told


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, "UnrecognizedClientException"),
        ({"Authorization": "Bearer sk-another"}, "UnrecognizedClientException"),
        ({"Authorization": "AWS4-HMAC-SHA256"}, "IncompleteSignatureException"),
        ({"Authorization": "AWS4-HMAC-SHA256 Credential=lkcook-x/1/2/3/4, SignedHeaders=host, Signature=0"},
         "IncompleteSignatureException"),
        ({"Authorization": "AWS4-HMAC-SHA256 Credential=lkcook-x/1/2/3/4, SignedHeaders=host;x-amz-date, Signature=é",
          "X-Amz-Date": "today"}, "IncompleteSignatureException"),
    ],
)  # fmt: skip
async def test_who_does_not_sign_is_403(gateway: Gateway, headers: dict[str, str], kind: str) -> None:
    assert (await posted(gateway, b"{}", **headers))[:2] == (403, kind)


async def test_a_bedrock_key_is_as_good_as_a_signature(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", gateway.key)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert (await ask(aws.LLM(), "Are you open?")).text == SAID
