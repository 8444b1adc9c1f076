"""Who may speak to the gateway: programs of this user that hold this run's secret, and no web page.

LiveKit's clients sign a JWT (HS256) with the API secret for every request; it must carry the grant
`inference.perform` (livekit-agents 1.8.9, inference/_utils.py). A provider's own client sends a key instead, made from
the same secret, as a header or, where only an address can be set (LIVEKIT_REMOTE_EOT_URL, openai.LLM.with_ollama), as
the password in it: HTTP clients make Basic authorization of that. AWS's clients sign with it instead. All say whose
they are: key and issuer end in the name of the process they were given to, which tells the requests of one kernel from
another's. A browser cannot be fooled into calling: a foreign Origin, or a Host that is not this loopback address (DNS
rebinding), is refused first.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

import jwt
from aiohttp import web

from lkcook.gateway import sigv4
from lkcook.gateway.refusals import openai_error, refusal, speaks

_LEEWAY = 10  # seconds of clock difference allowed
# ElevenLabs' clients, Google's, Anthropic's, Azure's
_KEY_HEADERS = ("xi-api-key", "x-goog-api-key", "x-api-key", "api-key")
_LOOPBACK = {"127.0.0.1", "localhost"}


@dataclass(frozen=True)
class Credentials:
    """This run's key and secret; made anew each time a gateway starts."""

    api_key: str = field(default_factory=lambda: f"lkcook-{secrets.token_hex(8)}")
    api_secret: str = field(default_factory=lambda: secrets.token_urlsafe(48))


class Refused(Exception):
    """The request may not pass; `status` is 401 or 403. code: AWS's word for it, where there is one."""

    def __init__(self, status: int, why: str, code: str | None = None) -> None:
        super().__init__(why)
        self.status, self.code = status, code


OWNER = web.RequestKey("owner", str)  # the process whose key signed this request; "" when it has no name
INFERENCE = web.RequestKey("inference", bool)  # True: LiveKit's own client signed it; False: a provider's, with a key


def provider_key(api_secret: str, owner: str) -> str:
    """What stands in for a provider's API key (ELEVEN_API_KEY, GOOGLE_API_KEY, …) while the embedded gateway is in force."""
    return f"sk-lkcook-{owner}-{hmac.new(api_secret.encode(), owner.encode(), hashlib.sha256).hexdigest()[:40]}"


def verify_provider_key(key: str, credentials: Credentials) -> str:
    """The owner of a provider key; raises Refused(401)."""
    owner = key.removeprefix("sk-lkcook-").rpartition("-")[0]
    if not hmac.compare_digest(key.encode(), provider_key(credentials.api_secret, owner).encode()):
        raise Refused(401, "this is not a key of this gateway; call lkcook.setup() again")
    return owner


def amazon_key_id(owner: str) -> str:
    """What stands in for an AWS access key id; its secret is the owner's provider key."""
    return f"lkcook-{owner}"


async def verify_signature(request: web.Request, credentials: Credentials) -> str:
    """The owner whose secret has signed a request as AWS's clients do; raises Refused(403)."""
    try:
        signature = sigv4.Signature.read(request.headers["Authorization"])
        owner = signature.key_id.removeprefix("lkcook-")
        if signature.key_id != amazon_key_id(owner):
            told = "the access key is none of this gateway's; call lkcook.setup() again"
            raise sigv4.Unsigned("UnrecognizedClientException", told)
        signature.check_date(request.headers.get("x-amz-date", ""))
        signed = sigv4.Signed(request.method, request.raw_path, request.headers)
        signature.check(signed, await request.read(), provider_key(credentials.api_secret, owner))
    except sigv4.Unsigned as unsigned:
        raise Refused(403, str(unsigned), unsigned.kind) from unsigned
    if signature.service != "bedrock":
        told = f"of Amazon's services only Bedrock's Converse runs offline, and {signature.service} needs an account of"
        raise Refused(403, f"{told} yours: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in .env")
    return owner


def verify(token: str, credentials: Credentials) -> str:
    """Check signature, expiry, issuer and grant, and return the owner; raises Refused(401) that says which failed."""
    try:
        claims = jwt.decode(
            token,
            credentials.api_secret,
            algorithms=["HS256"],
            leeway=_LEEWAY,
            options={"require": ["exp", "iss"]},
        )
        key, _, owner = str(claims["iss"]).partition(".")
        if key != credentials.api_key:
            raise jwt.InvalidIssuerError("another gateway's key")
    except jwt.ExpiredSignatureError as error:
        raise Refused(401, "the access token has expired; sign a new one") from error
    except jwt.InvalidTokenError as error:
        raise Refused(
            401,
            f"the access token is not valid for this gateway ({error}); call lkcook.setup() again: "
            "a gateway that restarted has a new key",
        ) from error
    grant = claims.get("inference")
    if not isinstance(grant, dict) or grant.get("perform") is not True:
        raise Refused(401, "the access token lacks the grant inference.perform")
    return owner


def check_origin(request: web.Request) -> None:
    """Raises Refused(403) for a request that a web page on another site, or another host name, caused."""
    host = _split(f"//{request.host}").hostname
    if host not in _LOOPBACK:
        raise Refused(403, f"this gateway answers on 127.0.0.1 only, not as {host}")
    if (origin := request.headers.get("Origin")) is not None:
        parts = _split(origin)
        if parts.hostname not in _LOOPBACK or parts.netloc != request.host:
            raise Refused(403, f"web pages of {origin} may not use this gateway")


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError as error:
        raise Refused(403, f"{address!r} is no address") from error


def guard(credentials: Credentials) -> Callable[..., Awaitable[web.StreamResponse]]:
    """aiohttp middleware: every route needs a valid bearer token and an innocent origin."""

    @web.middleware
    async def middleware(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            check_origin(request)
            request[OWNER], request[INFERENCE] = await _owner(request, credentials)
        except Refused as refused:
            return refusal(request, refused.status, str(refused), code=refused.code)
        return await handler(request)

    return middleware


async def _owner(request: web.Request, credentials: Credentials) -> tuple[str, bool]:
    """Whose request it is, and whether LiveKit's own client signed it."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme == sigv4.SCHEME:
        return await verify_signature(request, credentials), False
    scheme, token = scheme.lower(), token.strip()
    key = next(filter(None, map(request.headers.get, _KEY_HEADERS)), None) or _googles_key(request)
    if not key and scheme == "basic":
        key = _password(token)
    if not key and scheme == "token":  # Deepgram's clients
        key = token
    if not key and (scheme != "bearer" or not token):
        raise Refused(401, "no access token: send Authorization: Bearer <JWT>")
    if not (key or token).isascii():  # such bytes can be neither
        raise Refused(401, "keys and access tokens are plain ASCII")
    if key or token.startswith("sk-"):  # OpenAI's clients, and xAI's
        return verify_provider_key(key or token, credentials), False
    return verify(token, credentials), True


def _password(encoded: str) -> str:
    """Of Basic authorization; "" when it has none."""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _googles_key(request: web.Request) -> str:
    """Google's clients may also write their key into the address; nobody else's do."""
    return request.query.get("key", "") if request.path.startswith("/ws/google.") or speaks(request) == "google" else ""


def error_response(status: int, message: str, kind: str, code: str | None = None) -> web.Response:
    """An error in the shape OpenAI's clients read."""
    return web.json_response(openai_error(message, kind, code), status=status)
